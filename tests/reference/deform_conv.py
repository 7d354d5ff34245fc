"""Deformable convolution by its definition (Dai et al. 2017, equations 2 to 4; the mask: Zhu et al. 2019)."""

import itertools
import math

import numpy as np


def bilinear(image, row, column):
    """The image (height, width) between its pixels, equation 3 with G of equation 4; zero outside."""
    total = 0.0
    for r, c in itertools.product(range(image.shape[0]), range(image.shape[1])):
        total += max(0.0, 1 - abs(r - row)) * max(0.0, 1 - abs(c - column)) * float(image[r, c])
    return total


def deform_conv2d(x, offset, weight, bias=None, *, mask=None, stride, padding, dilation, groups, offset_groups):
    """y[n, p, o] = b[o] + sum over taps and channels of m x(s p - pad + d t + offset) w; options as pairs of ints."""
    n_images, height, width, c_in = x.shape
    kh, kw, group_in, c_out = weight.shape
    group_out, share = c_out // groups, c_in // offset_groups
    out = [
        math.floor((size + 2 * p - d * (k - 1) - 1) / s) + 1
        for size, p, d, k, s in zip((height, width), padding, dilation, (kh, kw), stride, strict=True)
    ]
    offset = offset.reshape(n_images, *out, offset_groups, kh, kw, 2)
    m = np.ones((n_images, *out, offset_groups, kh, kw)) if mask is None else mask.reshape(offset.shape[:-1])
    y = np.zeros((n_images, *out, c_out))
    for n, i, j, u, v, c in itertools.product(
        range(n_images), range(out[0]), range(out[1]), range(kh), range(kw), range(c_in)
    ):
        g = c // share
        row = i * stride[0] - padding[0] + u * dilation[0] + float(offset[n, i, j, g, u, v, 0])
        column = j * stride[1] - padding[1] + v * dilation[1] + float(offset[n, i, j, g, u, v, 1])
        value = float(m[n, i, j, g, u, v]) * bilinear(x[n, :, :, c], row, column)
        first = c // group_in * group_out
        y[n, i, j, first : first + group_out] += value * weight[u, v, c % group_in, first : first + group_out]
    return y if bias is None else y + bias
