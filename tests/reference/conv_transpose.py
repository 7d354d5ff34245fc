"""Transposed convolution by its definition: every input lays its window down (Dumoulin and Visin 2016, section 4)."""

import itertools

import numpy as np


def conv_transpose(x, weight, bias=None, *, stride, padding, output_padding, dilation, groups):
    """y[n, s i + d k - p, o] += x[n, i, c] w[k, o, c], any number of axes.

    `stride`, `output_padding` and `dilation` are tuples, `padding` pairs (before, after), one for each spatial axis.
    """
    window, spatial = weight.shape[:-2], x.shape[1:-1]
    group_out, c_in = weight.shape[-2:]
    group_in = c_in // groups
    axes = list(zip(spatial, window, stride, padding, output_padding, dilation, strict=True))
    out = [(size - 1) * s + d * (k - 1) + 1 - sum(p) + e for size, k, s, p, e, d in axes]
    y = np.zeros((x.shape[0], *out, groups * group_out), np.float64)
    for n, *i in itertools.product(range(x.shape[0]), *map(range, spatial)):
        for tap in itertools.product(*map(range, window)):
            at = [s * j + d * k - p[0] for j, k, (_, _, s, p, _, d) in zip(i, tap, axes, strict=True)]
            if any(not 0 <= a < size for a, size in zip(at, out, strict=True)):
                continue
            for c in range(c_in):
                first = c // group_in * group_out
                for o in range(group_out):
                    y[n, *at, first + o] += float(x[n, *i, c]) * float(weight[*tap, o, c])
    return y if bias is None else y + bias
