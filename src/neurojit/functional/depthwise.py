"""The three products of a depthwise convolution, and of grouped ones with few channels in each group.

The same arguments and results as those of correlation.py, which hands over here what `takes` accepts.
"""

import math

import numpy as np

from neurojit.core import simd
from neurojit.core.memory import empty, empty_at_line
from neurojit.functional.panels import panel_count, start_rows, sum_partials
from neurojit.kernels.cpu import depthwise as kernels

# Channels in a group that the lanewise tile is compiled for: they divide its lanes, and elsewhere leave most idle.
_WIDTHS = tuple(width for width in (1, 2, 4, 8) if simd.lanes(np.float64) % width == 0)
_ROW_LENGTHS = (3, 5, 7)  # of windows that the tile is compiled for
_MOST_ROW_WEIGHTS = 7  # of one lane in one row of a window: more do not stay in registers
_MOST_SPLITS = 8
_LEAST_POSITIONS = 1024


def takes(geometry, c_out):
    """Whether a convolution is one for the lanewise tile: one channel into each group, or as few as come out of it."""
    group_in, group_out = geometry.c_in // geometry.groups, c_out // geometry.groups
    return geometry.groups > 1 and (group_in == 1 or group_in == group_out in _WIDTHS)


def forward(source, weight, bias, geometry):
    """The convolution itself, shape (n, *geometry.output, c_out)."""
    source, weight = _repeated(source, weight.shape), _by_lanes(weight)
    out = empty((len(source), *geometry.output, weight.shape[-1]), weight.dtype)
    packed, start = _packed(weight), _start(bias, weight)
    grid, step = geometry.output, geometry.stride
    group, window = (0,) * weight.shape[1], _window(geometry.displacement, weight.shape[1])
    kernels.depthwise(
        source, group, window, packed, start, out, grid, step, geometry.displacement, (0, 0, 0), (1, 1, 1)
    )
    return out


def data_gradient(dy, weight, geometry, bias=None):
    """Gradient to x plus `bias`, shape (n, *geometry.size, c_in): each phase walks dy with the taps that reach it."""
    times = weight.shape[-1] // geometry.c_in
    weight = _transposed(_by_lanes(weight))
    start, group = _start(bias if times == 1 else None, weight), (0,) * weight.shape[1]
    dsource = empty((len(dy), *geometry.size, weight.shape[-1]), dy.dtype)
    for phase in geometry.phases:
        if phase.taps.size == 0:
            d, h, w = (slice(r, None, s) for r, s in zip(phase.origin, geometry.stride, strict=True))
            dsource[:, d, h, w] = start[: weight.shape[-1]]
        elif min(phase.grid) > 0:
            # From the last tap to the first, so that they look to the right one after another.
            packed, displacement = _packed(weight[phase.taps[::-1]]), np.ascontiguousarray(phase.displacement[::-1])
            window, step = _window(displacement, weight.shape[1]), (1, 1, 1)
            kernels.depthwise(
                dy,
                group,
                window,
                packed,
                start,
                dsource,
                phase.grid,
                step,
                displacement,
                phase.origin,
                geometry.stride,
            )
    return dsource if times == 1 else _summed(dsource, times, bias)


def weight_gradient(source, dy, weight_shape, geometry):
    """Gradient to the weights, of their shape: for every tap, the inputs it saw times dy."""
    group_in, channels = weight_shape[-2:]
    full, panels = panel_count(channels, dy.dtype)
    taps, splits = len(geometry.displacement), _splits(geometry, len(dy))
    partial = empty((splits, panels, taps, group_in, full), dy.dtype)
    numbers = geometry.output, geometry.stride, geometry.displacement
    source = _repeated(source, weight_shape)
    group, window = (0,) * group_in, _window(geometry.displacement, group_in)
    kernels.depthwise_weight_gradient(source, group, window, dy, partial, *numbers)
    total = sum_partials(partial.reshape(splits, -1)).reshape(partial[0].shape)
    return total.transpose(1, 2, 0, 3).reshape(taps, group_in, -1)[..., :channels].reshape(weight_shape)


def _splits(geometry, images):
    """Parts of the positions that sum weight gradients of their own: so many that all have some thousands."""
    return max(1, min(_MOST_SPLITS, images * math.prod(geometry.output) // _LEAST_POSITIONS))


# -- channels and weights as the lanewise tile reads them -----------------------------------------------------------


def _window(displacement, width):
    """A tuple as long as the rows of a window are, where their taps are neighbours; else taps go one at a time."""
    row = int(np.count_nonzero((displacement[:, :2] == displacement[0, :2]).all(axis=1)))
    if row not in _ROW_LENGTHS or row * width > _MOST_ROW_WEIGHTS or len(displacement) % row:
        return (0,)
    steps = np.diff(displacement.reshape(-1, row, 3), axis=1)
    return (0,) * (row if (steps == (0, 0, 1)).all() else 1)


def _repeated(source, weight_shape):
    """The source with every channel as often as it has filters, where it has a group of its own."""
    group_in, channels = weight_shape[-2:]
    if group_in > 1 or source.shape[-1] == channels:
        return source
    repeated = empty((*source.shape[:-1], channels), source.dtype)
    kernels.repeat_channels(source.reshape(-1), repeated.reshape(-1))
    return repeated


def _summed(dsource, times, bias):
    """The gradient to the source of `_repeated` plus a bias."""
    dx = empty((*dsource.shape[:-1], dsource.shape[-1] // times), dsource.dtype)
    kernels.repeat_channels_backward(dsource.reshape(-1), dx.reshape(-1))
    return dx if bias is None else np.add(dx, bias, out=dx)


def _by_lanes(weight):
    """Weights (taps, width, channels)."""
    return weight.reshape(-1, *weight.shape[-2:])


def _transposed(weight):
    """Weights (taps, width, channels) with the inputs and outputs of every group exchanged."""
    taps, width, channels = weight.shape
    return weight.reshape(taps, width, -1, width).transpose(0, 3, 2, 1).reshape(taps, width, channels)


def _packed(weight):
    """Weights (taps, width, channels) a panel at a time: (panels, taps, width, full)."""
    taps, width, channels = weight.shape
    full, panels = panel_count(channels, weight.dtype)
    padded = np.zeros((taps, width, panels * full), weight.dtype)
    padded[..., :channels] = weight
    packed = empty_at_line((panels, taps, width, full), weight.dtype)  # else every load crosses two lines
    packed[...] = padded.reshape(taps, width, panels, full).transpose(2, 0, 1, 3)
    return packed


def _start(bias, weight):
    """What every sum starts from, bias or zeros, for whole panels."""
    return start_rows(bias, weight.shape[-1], 1, weight.dtype)[0]
