"""Optimizer steps from their papers, in PyTorch's variant, one array at a time; each returns the new arrays."""

import numpy as np


def sgd(value, gradient, velocity, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
    g = gradient + weight_decay * value
    velocity = momentum * velocity + g
    step = g + momentum * velocity if nesterov else velocity
    return value - learning_rate * step, velocity


def rmsprop(
    value, gradient, square, mean, velocity, learning_rate, alpha, eps, weight_decay=0.0, momentum=0.0, centered=False
):
    g = gradient + weight_decay * value
    square = alpha * square + (1 - alpha) * g**2
    mean = alpha * mean + (1 - alpha) * g
    spread = np.sqrt(square - mean**2 if centered else square) + eps
    velocity = momentum * velocity + g / spread
    return value - learning_rate * velocity, square, mean, velocity


def adam(value, gradient, mean, square, t, learning_rate, betas, eps, weight_decay=0.0, decoupled=False):
    beta1, beta2 = betas
    g = gradient if decoupled else gradient + weight_decay * value
    if decoupled:
        value = value - learning_rate * weight_decay * value
    mean = beta1 * mean + (1 - beta1) * g
    square = beta2 * square + (1 - beta2) * g**2
    mean_hat = mean / (1 - beta1**t)
    square_hat = square / (1 - beta2**t)
    return value - learning_rate * mean_hat / (np.sqrt(square_hat) + eps), mean, square
