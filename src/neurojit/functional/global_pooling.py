"""Pooling over all positions of a sample."""

import math

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import device_empty, on_device
from neurojit.core.memory import empty
from neurojit.functional.columns import block_count, tile_width
from neurojit.functional.max_pooling import max_forward, max_vjp
from neurojit.functional.op import op
from neurojit.functional.windows import Pooling
from neurojit.kernels.cpu import global_pool as kernels
from neurojit.kernels.cuda import global_pool as device_kernels


def _as_signal(x):
    """The positions of each sample in a row, and the pooling over all of them."""
    x = canonical(x, "x")
    if x.ndim < 3 or 0 in x.shape[1:]:
        raise ValueError(f"x: got shape {x.shape}, wanted (n, ..., channels) with at least one position and channel")
    signal = x.reshape(x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1])
    return x, signal, Pooling.of(signal.shape[1:2], signal.shape[1], 1, 0, 1, False)


def _global_mean(signal):
    n, positions, channels = signal.shape
    if on_device(signal):
        y = device_empty((n, channels), signal.dtype)
        device_kernels.image_means(signal.reshape(-1), positions, channels, 1 / positions, y.reshape(-1))
        return y
    width = tile_width(channels)
    partial = empty((n, block_count(positions * channels, width), width), signal.dtype)
    kernels.image_sums(signal.reshape(n, positions * channels), channels, partial)
    return (partial[:, :, :channels].sum(axis=1, dtype=np.float64) / positions).astype(signal.dtype)


def _spread(dy, shape):
    """dy / positions at every position of `shape` (n, ..., channels)."""
    n, channels = dy.shape
    positions, width = math.prod(shape[1:-1]), tile_width(channels)
    if on_device(dy):
        dx = device_empty(shape, dy.dtype)
        device_kernels.image_fill(dy.reshape(-1), positions, channels, 1 / positions, dx.reshape(-1))
        return dx
    dx = empty(shape, dy.dtype)
    tiles = np.tile(dy * dy.dtype.type(1 / positions), width // channels)
    kernels.image_fill(tiles, block_count(positions * channels, width), dx.reshape(n, positions * channels))
    return dx


@op("x")
def global_avg_pool(x):
    """Take the mean over all positions: y[n, c] = mean of x[n, ..., c].

    Parameters
    ----------
    x : array, shape (n, ..., channels)
        Signals, images or volumes; float32 or float64.

    Returns
    -------
    array, shape (n, channels)

    Raises
    ------
    TypeError
        If `x` is not of real numbers.
    ValueError
        If `x` has no positions or channels.

    Notes
    -----
    The pullback spreads dy / positions over all of them (Lin, Chen and Yan, "Network in network" (ICLR 2014), section
    3.2).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.global_avg_pool(np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2))
    array([[3., 4.]], dtype=float32)
    """
    return _global_mean(_as_signal(x)[1])


@global_avg_pool.define_vjp
def _global_avg_pool_vjp(x):
    x, signal, _ = _as_signal(x)
    return _global_mean(signal), lambda dy, wrt: (_spread(dy, x.shape) if wrt[0] else None,)


@op("x")
def global_max_pool(x):
    """Take the largest value over all positions: y[n, c] = max of x[n, ..., c].

    Parameters
    ----------
    x : array, shape (n, ..., channels)
        Signals, images or volumes; float32 or float64.

    Returns
    -------
    array, shape (n, channels)
        A NaN is the largest value.

    Raises
    ------
    TypeError
        If `x` is not of real numbers.
    ValueError
        If `x` has no positions or channels.

    Notes
    -----
    The pullback hands dy to the first position that was the maximum (Oquab, Bottou, Laptev and Sivic, "Is object
    localization for free?" (CVPR 2015), section 3.2).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.global_max_pool(np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2))
    array([[6., 7.]], dtype=float32)
    """
    _, signal, pooling = _as_signal(x)
    return max_forward(signal, pooling, False)[0].reshape(len(signal), signal.shape[-1])


@global_max_pool.define_vjp
def _global_max_pool_vjp(x):
    x, signal, pooling = _as_signal(x)
    y, take = max_vjp(signal, pooling)

    def pullback(dy, wrt):
        (dx,) = take(dy.reshape(y.shape), wrt)
        return (None if dx is None else dx.reshape(x.shape),)

    return y.reshape(len(signal), signal.shape[-1]), pullback
