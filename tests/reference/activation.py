"""Activations by their definitions, one number at a time, and softmax one row at a time."""

import math

import numpy as np


def _exp(x):
    return math.inf if x > 709 else math.exp(x)


def relu(x):
    return x if math.isnan(x) else max(0.0, x)


def leaky_relu(x, slope=0.01):
    return x if x > 0 else slope * x


def elu(x, alpha=1.0):
    return x if x > 0 else alpha * math.expm1(x)


def gelu(x, approximate=False):
    if x in (-math.inf, math.inf):
        return max(x, 0.0)
    if approximate:
        return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * math.erfc(-x / math.sqrt(2))


def sigmoid(x):
    return 1 / (1 + _exp(-x))


def silu(x):
    return 0.0 if x == -math.inf else x * sigmoid(x)


def tanh(x):
    return math.tanh(x)


def softplus(x):
    return x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))


def softmax(row):
    largest = max(row)
    powers = [math.exp(value - largest) for value in row]
    return np.array(powers) / math.fsum(powers)


def log_softmax(row):
    largest = max(row)
    return np.array(row) - largest - math.log(math.fsum(math.exp(value - largest) for value in row))


def celu(x, alpha=1.0):
    return x if x > 0 else alpha * math.expm1(x / alpha)


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def mish(x):
    return 0.0 if x == -math.inf else x * math.tanh(softplus(x))


def hard_sigmoid(x, slope=1 / 6, offset=0.5):
    return x if math.isnan(x) else min(1.0, max(0.0, slope * x + offset))


def hard_swish(x):
    return max(x, 0.0) if x in (-math.inf, math.inf) else x * hard_sigmoid(x)


def thresholded_relu(x, threshold=1.0):
    return 0.0 if x <= threshold else x


def prelu(x, slope):
    return x if x > 0 else slope * x
