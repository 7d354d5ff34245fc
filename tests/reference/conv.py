"""Convolution by its definition, one multiplication at a time (Dumoulin and Visin 2016)."""

import itertools

import numpy as np


def conv(x, weight, bias=None, *, stride, padding, dilation, groups):
    """y[n, i, o] = b[o] + sum over taps k and channels c of x[n, s i + d k - p, c] w[k, c, o], any number of axes.

    `stride` and `dilation` are tuples, `padding` pairs (before, after), one for each spatial axis.
    """
    window, spatial = weight.shape[:-2], x.shape[1:-1]
    group_in, c_out = weight.shape[-2:]
    group_out = c_out // groups
    axes = list(zip(spatial, window, stride, padding, dilation, strict=True))
    out = [(size + sum(p) - d * (k - 1) - 1) // s + 1 for size, k, s, p, d in axes]
    y = np.zeros((x.shape[0], *out, c_out), np.float64)
    for n, *i in itertools.product(range(x.shape[0]), *map(range, out)):
        for tap in itertools.product(*map(range, window)):
            at = [s * j + d * k - p[0] for j, k, (_, _, s, p, d) in zip(i, tap, axes, strict=True)]
            if any(not 0 <= a < size for a, size in zip(at, spatial, strict=True)):
                continue
            for o in range(c_out):
                first = o // group_out * group_in
                for c in range(group_in):
                    y[n, *i, o] += float(x[n, *at, first + c]) * float(weight[*tap, c, o])
    return y if bias is None else y + bias


def same_padding(size, window, stride, dilation):
    """Zeros (before, after) that make the output ceil(size / stride) long, the extra one after."""
    out = -(-size // stride)
    total = max(0, (out - 1) * stride + dilation * (window - 1) + 1 - size)
    return total // 2, total - total // 2
