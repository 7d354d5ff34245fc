"""Pooling by its definition, one window and channel at a time."""

import itertools
import math

import numpy as np


def output_size(size, window, stride, padding, dilation, ceil_mode):
    """Windows along an axis; with `ceil_mode` a partial last one counts if it does not start in the padding after."""
    excess = size + sum(padding) - dilation * (window - 1) - 1
    if not ceil_mode:
        return excess // stride + 1
    count = math.ceil(excess / stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding[0] else count


def _windows(x, window, stride, padding, dilation, ceil_mode):
    """Every window as (index of the output, list of positions, start of the window)."""
    spatial = x.shape[1:-1]
    axes = list(zip(spatial, window, stride, padding, dilation, strict=True))
    out = [output_size(*axis, ceil_mode) for axis in axes]
    for i in itertools.product(*map(range, out)):
        start = [s * j - p[0] for j, (_, _, s, p, _) in zip(i, axes, strict=True)]
        positions = [
            tuple(at + d * k for at, k, d in zip(start, tap, dilation, strict=True))
            for tap in itertools.product(*map(range, window))
        ]
        inside = [p for p in positions if all(0 <= a < size for a, size in zip(p, spatial, strict=True))]
        yield out, i, inside, start


def max_pool(x, *, window, stride, padding, dilation, ceil_mode):
    """The largest value of every window, and where it is: the first of equals, the last NaN, -1 for no value."""
    y = switches = None
    for out, i, inside, _ in _windows(x, window, stride, padding, dilation, ceil_mode):
        if y is None:
            y = np.full((x.shape[0], *out, x.shape[-1]), -np.inf)
            switches = np.full(y.shape, -1)
        for n, c in itertools.product(range(x.shape[0]), range(x.shape[-1])):
            for j, position in enumerate(inside):
                value = float(x[n, *position, c])
                if j == 0 or value > y[n, *i, c] or math.isnan(value):
                    y[n, *i, c] = value
                    switches[n, *i, c] = np.ravel_multi_index(position, x.shape[1:-1])
    return y, switches


def max_pool_gradient(x_shape, switches, dy):
    """dx: each dy goes to where its window's switch is."""
    dx = np.zeros((x_shape[0], math.prod(x_shape[1:-1]), x_shape[-1]))
    for n, *i, c in itertools.product(*map(range, dy.shape)):
        if switches[n, *i, c] >= 0:
            dx[n, switches[n, *i, c], c] += dy[n, *i, c]
    return dx.reshape(x_shape)


def avg_pool(x, *, window, stride, padding, ceil_mode, count_include_pad):
    """The mean of every window; positions of the padding count as zeros, or not at all."""
    y = None
    ones = (1,) * len(window)
    for out, i, inside, start in _windows(x, window, stride, padding, ones, ceil_mode):
        if y is None:
            y = np.zeros((x.shape[0], *out, x.shape[-1]))
        ends = [min(at + k, size + p[1]) for at, k, size, p in zip(start, window, x.shape[1:-1], padding, strict=True)]
        padded = math.prod(end - at for at, end in zip(start, ends, strict=True))
        count = padded if count_include_pad else len(inside)
        for n, c in itertools.product(range(x.shape[0]), range(x.shape[-1])):
            y[n, *i, c] = sum(float(x[n, *position, c]) for position in inside) / max(count, 1)
    return y


def lp_pool(x, *, window, stride, padding, ceil_mode, p):
    """The p-norm of every window."""
    y = None
    ones = (1,) * len(window)
    for out, i, inside, _ in _windows(x, window, stride, padding, ones, ceil_mode):
        if y is None:
            y = np.zeros((x.shape[0], *out, x.shape[-1]))
        for n, c in itertools.product(range(x.shape[0]), range(x.shape[-1])):
            y[n, *i, c] = sum(abs(float(x[n, *position, c])) ** p for position in inside) ** (1 / p)
    return y


def adaptive_avg_pool2d(x, output_size):
    """The mean over rows floor(i h / o) to ceil((i + 1) h / o) - 1, and such columns."""
    (height, width), (rows, columns) = x.shape[1:3], output_size
    y = np.zeros((x.shape[0], rows, columns, x.shape[-1]))
    for i, j in itertools.product(range(rows), range(columns)):
        top, bottom = math.floor(i * height / rows), math.ceil((i + 1) * height / rows)
        left, right = math.floor(j * width / columns), math.ceil((j + 1) * width / columns)
        for n, c in itertools.product(range(x.shape[0]), range(x.shape[-1])):
            values = [float(x[n, a, b, c]) for a in range(top, bottom) for b in range(left, right)]
            y[n, i, j, c] = math.fsum(values) / len(values)
    return y


def max_unpool(y, switches, *, spatial_shape):
    """Every value at its switch, the last one where several name a place; -1 names none."""
    x = np.zeros((y.shape[0], math.prod(spatial_shape), y.shape[-1]))
    for n, *i, c in itertools.product(*map(range, y.shape)):
        if switches[n, *i, c] >= 0:
            x[n, switches[n, *i, c], c] = y[n, *i, c]
    return x.reshape(y.shape[0], *spatial_shape, y.shape[-1])
