"""The three products of a convolution whose input has few channels: see kernels/cpu/few_channels.py."""

import dataclasses
import functools
import math

import numpy as np

from neurojit.core.memory import empty
from neurojit.functional.panels import packed_panels, start_rows, sum_partials
from neurojit.kernels.cpu import few_channels as kernels

_SPLITS = 8  # parts of the batch that sum weight gradients of their own
_MOST_WINDOWS = 1024  # of a box: what they see and give fits the second-level cache
_LEAST_BOXES = 16  # enough for a few threads to share
_SUMMED_WINDOWS = 256  # of a box whose weight gradients are summed: their dy stays in the first-level cache


def _padded_size(geometry):
    return tuple(n + before + after for n, (before, after) in zip(geometry.size, geometry.padding, strict=True))


def _before(geometry):
    return tuple(before for before, _ in geometry.padding)


def _delta(geometry, height, width, itemsize):
    """Bytes from a window's corner to each of its rows, in planes of height x width."""
    (kd, kh, _), (dd, dh, _) = geometry.window, geometry.dilation
    rows = [(dd * z * height + dh * y) * width for z in range(kd) for y in range(kh)]
    return np.array(rows, np.int64) * (geometry.c_in * itemsize)


@functools.lru_cache(maxsize=256)
def _boxes(geometry, windows, itemsize):
    """What kernels ask about boxes of `windows` windows (kernels/cpu/boxes.py); last, the offsets of their values."""
    _, h, w = geometry.output
    columns = -(-w // -(-w // windows))  # even parts of a row, or
    rows = -(-h // -(-h // max(1, windows // w)))  # of a column of rows
    (kd, kh, kw), (_, dh, _), (_, sh, sw) = geometry.window, geometry.dilation, geometry.stride
    height, width = (rows - 1) * sh + (kh - 1) * dh + 1, (columns - 1) * sw + kw
    planes = dataclasses.replace(geometry, dilation=(1, dh, 1))  # of the planes between taps a box has none
    run = np.arange(kw * geometry.c_in, dtype=np.int64) * itemsize
    offsets = (_delta(planes, height, width, itemsize)[:, None] + run).reshape(-1)
    numbers = geometry.output, geometry.stride, geometry.dilation, _before(geometry)
    return *numbers, (rows, columns), (kd, height, width), offsets


def forward(x, weight, bias, geometry):
    """The convolution of x (n, *geometry.size, c_in), shape (n, *geometry.output, c_out)."""
    c_out = weight.shape[-1]
    out = empty((len(x), *geometry.output, c_out), x.dtype)
    panels = packed_panels(weight.reshape(-1, c_out))[0]
    start = start_rows(bias, c_out, 1, x.dtype)[0]
    windows = max(1, min(_MOST_WINDOWS, len(x) * math.prod(geometry.output) // _LEAST_BOXES))
    kernels.correlate_windows(geometry.spread(x), panels, start, out, *_boxes(geometry, windows, x.itemsize))
    return out


def data_gradient(dy, weight, geometry, bias):
    """Gradient to x plus `bias` (or None), shape (n, *geometry.size, c_in)."""
    dx = empty((len(dy), *geometry.size, geometry.c_in), dy.dtype)
    size = math.prod(weight.shape[:-1])
    panels = packed_panels(np.ascontiguousarray(weight.reshape(size, -1).T))[0]
    before, padded = _before(geometry), _padded_size(geometry)
    start = np.zeros(geometry.c_in, dy.dtype) if bias is None else bias
    delta, run = _delta(geometry, *padded[1:], dy.itemsize), geometry.window[2] * geometry.c_in
    kernels.window_data_gradient(dy, panels, start, before, padded, dx, geometry.output, geometry.stride, delta, run)
    return dx


def weight_gradient(x, dy, weight_shape, geometry):
    """Gradient to the weights, of their shape."""
    partial = empty((_SPLITS, math.prod(weight_shape[:-1]), weight_shape[-1]), x.dtype)
    numbers = _boxes(geometry, _SUMMED_WINDOWS, x.itemsize)
    kernels.window_weight_gradient(geometry.spread(x), dy, partial, *numbers)
    return sum_partials(partial.reshape(_SPLITS, -1)).reshape(weight_shape)
