"""The three products of a convolution whose input has few channels: see kernels/cpu/few_channels.py."""

import functools
import itertools
import math

import numpy as np

from neurojit.core.memory import empty
from neurojit.functional.panels import packed_panels, start_rows, sum_partials
from neurojit.kernels.cpu import few_channels as kernels
from neurojit.kernels.cpu.packing import pad

_SPLITS = 8  # parts of the batch that sum weight gradients of their own


def _padded_size(geometry):
    return tuple(n + before + after for n, (before, after) in zip(geometry.size, geometry.padding, strict=True))


def _before(geometry):
    return tuple(before for before, _ in geometry.padding)


def _padded(x, geometry):
    """x (n, *geometry.size, c_in) with its zeros around it."""
    if not any(itertools.chain(*geometry.padding)):
        return x
    padded = empty((len(x), *_padded_size(geometry), geometry.c_in), x.dtype)
    pad(x, _before(geometry), padded)
    return padded


@functools.lru_cache(maxsize=256)
def _delta(geometry, itemsize):
    """Bytes from a window's corner to each of its rows."""
    _, h, w = _padded_size(geometry)
    (kd, kh, _), (dd, dh, _) = geometry.window, geometry.dilation
    rows = [(dd * z * h + dh * y) * w for z in range(kd) for y in range(kh)]
    return np.array(rows, np.int64) * (geometry.c_in * itemsize)


@functools.lru_cache(maxsize=256)
def _offsets(geometry, itemsize):
    """Bytes from a window's corner to every value it sees."""
    run = np.arange(geometry.window[2] * geometry.c_in, dtype=np.int64) * itemsize
    return (_delta(geometry, itemsize)[:, None] + run).reshape(-1)


def forward(x, weight, bias, geometry):
    """The convolution of x (n, *geometry.size, c_in), shape (n, *geometry.output, c_out)."""
    c_out = weight.shape[-1]
    out = empty((len(x), *geometry.output, c_out), x.dtype)
    panels = packed_panels(weight.reshape(-1, c_out))[0]
    start = start_rows(bias, c_out, 1, x.dtype)[0]
    numbers = geometry.output, geometry.stride, _offsets(geometry, x.itemsize)
    kernels.correlate_windows(_padded(x, geometry), panels, start, out, *numbers)
    return out


def data_gradient(dy, weight, geometry, bias):
    """Gradient to x plus `bias` (or None), shape (n, *geometry.size, c_in)."""
    dx = empty((len(dy), *geometry.size, geometry.c_in), dy.dtype)
    size = math.prod(weight.shape[:-1])
    panels = packed_panels(np.ascontiguousarray(weight.reshape(size, -1).T))[0]
    before, padded = _before(geometry), _padded_size(geometry)
    start = np.zeros(geometry.c_in, dy.dtype) if bias is None else bias
    numbers = geometry.output, geometry.stride, _delta(geometry, dy.itemsize), geometry.window[2] * geometry.c_in
    kernels.window_data_gradient(dy, panels, start, before, padded, dx, *numbers)
    return dx


def weight_gradient(x, dy, weight_shape, geometry):
    """Gradient to the weights, of their shape."""
    partial = empty((_SPLITS, math.prod(weight_shape[:-1]), weight_shape[-1]), x.dtype)
    numbers = geometry.output, geometry.stride, _offsets(geometry, x.itemsize)
    kernels.window_weight_gradient(_padded(x, geometry), dy, partial, *numbers)
    return sum_partials(partial.reshape(_SPLITS, -1)).reshape(weight_shape)
