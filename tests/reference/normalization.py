"""Normalizations by their definitions, one set of numbers at a time (batch: Ioffe and Szegedy 2015, algorithm 1)."""

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


def normalized(x, sets, eps, *, centered=True):
    """(x - mean) / sqrt(var + eps), each set of indices with its own moments; the mean is 0 if not `centered`."""
    xhat = np.zeros(x.shape)
    for indices in sets:
        values = [float(x[i]) for i in indices]
        mean = math.fsum(values) / len(values) if centered else 0.0
        var = math.fsum((value - mean) ** 2 for value in values) / len(values)
        for i, value in zip(indices, values, strict=True):
            xhat[i] = (value - mean) / math.sqrt(var + eps)
    return xhat


def sets_by(x, key):
    """The indices of an array, in sets of equal `key(index)`."""
    found = {}
    for index in np.ndindex(*x.shape):
        found.setdefault(key(index), []).append(index)
    return list(found.values())


def instance_norm(x, eps):
    return normalized(x, sets_by(x, lambda i: (i[0], i[-1])), eps)


def group_norm(x, groups, eps):
    return normalized(x, sets_by(x, lambda i: (i[0], i[-1] // (x.shape[-1] // groups))), eps)


def layer_norm(x, axes, eps):
    return normalized(x, sets_by(x, lambda i: tuple(n for a, n in enumerate(i) if a not in axes)), eps)


def rms_norm(x, axes, eps):
    sets = sets_by(x, lambda i: tuple(n for a, n in enumerate(i) if a not in axes))
    return normalized(x, sets, eps, centered=False)


def local_response_norm(x, size, alpha, beta, k):
    """x_c / (k + alpha / size * sum of x_j^2 for j from c - size // 2 to c + (size - 1) // 2)^beta."""
    y = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        c = index[-1]
        window = range(max(0, c - size // 2), min(x.shape[-1], c + (size - 1) // 2 + 1))
        total = math.fsum(float(x[(*index[:-1], j)]) ** 2 for j in window)
        y[index] = float(x[index]) / (k + alpha / size * total) ** beta
    return y
