"""Batch normalization by its definition, one channel at a time (Ioffe and Szegedy 2015, algorithm 1)."""

import math

import numpy as np


def moments(x):
    """Mean and biased variance of every channel."""
    rows = x.reshape(-1, x.shape[-1]).astype(np.float64)
    mean, var = np.zeros(x.shape[-1]), np.zeros(x.shape[-1])
    for c in range(x.shape[-1]):
        mean[c] = math.fsum(rows[:, c]) / len(rows)
        var[c] = math.fsum((value - mean[c]) ** 2 for value in rows[:, c]) / len(rows)
    return mean, var


def batch_norm(x, gamma, beta, mean, var, eps):
    """y = gamma (x - mean) / sqrt(var + eps) + beta."""
    y = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        c = index[-1]
        y[index] = gamma[c] * (float(x[index]) - mean[c]) / math.sqrt(var[c] + eps) + beta[c]
    return y
