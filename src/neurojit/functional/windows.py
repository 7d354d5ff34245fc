"""The windows of a pooling: checked once for each kind of call, and in the form the kernels take them."""

import dataclasses
import functools
import math

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import on_device
from neurojit.core.shapes import integers, output_size, paddings, window_extent
from neurojit.functional.devices import constant
from neurojit.functional.geometry import hashable

_MOST_POSITIONS = 2**31  # that an int32 switch can tell apart


@dataclasses.dataclass(frozen=True, eq=False)
class Boxes:
    """Which pixels of a source each pixel of a result is made of (the header of kernels/cpu/pool.py says how).

    Parameters
    ----------
    size, grid : tuple of three int
        Depth, height and width of the source and of the result.
    table : numpy.ndarray, shape (sum(grid), 2)
    step : tuple of three int
    """

    size: tuple
    grid: tuple
    table: np.ndarray
    step: tuple

    @classmethod
    def of(cls, size, grid, axes):
        """Boxes from (first, count, step) for each axis; leading axes that are missing have one pixel."""
        lacking = 3 - len(size)
        axes = [(np.zeros(1, np.int64), np.ones(1, np.int64), 1)] * lacking + list(axes)
        table = np.concatenate([np.stack([first, count], axis=1) for first, count, _ in axes]).astype(np.int64)
        ones = (1,) * lacking
        return cls(ones + tuple(size), ones + tuple(grid), table, tuple(step for *_, step in axes))

    def table_for(self, array):
        """The table where an array is, in the integers of the kernels there."""
        return constant(self.table.astype(np.int32)) if on_device(array) else self.table


@dataclasses.dataclass(frozen=True)
class Pooling:
    """A pooling's numbers, one for each spatial axis.

    Parameters
    ----------
    size, window, stride, dilation : tuple of int
    padding : tuple of (int, int)
    ceil_mode : bool
        Whether a last window that only partly fits counts, if it starts inside the input or the padding before it.
    """

    size: tuple
    window: tuple
    stride: tuple
    padding: tuple
    dilation: tuple
    ceil_mode: bool

    @staticmethod
    def of(spatial, window, stride, padding, dilation, ceil_mode):
        """The pooling over `spatial` axes that options in any form describe.

        Raises
        ------
        TypeError, ValueError
            If an option has the wrong form, or the window does not fit.
        """
        options = (hashable(option) for option in (spatial, window, stride, padding, dilation))
        return _pooling_of(*options, bool(ceil_mode))

    @property
    def extent(self):
        """How many positions a window spans on each axis."""
        return tuple(window_extent(k, d) for k, d in zip(self.window, self.dilation, strict=True))

    @functools.cached_property
    def output(self):
        """Windows along each axis."""
        axes = zip(self.size, self.window, self.stride, self.padding, self.dilation, strict=True)
        return tuple(self._ceil_size(*axis) if self.ceil_mode else output_size(*axis) for axis in axes)

    @staticmethod
    def _ceil_size(size, window, stride, padding, dilation):
        excess = size + sum(padding) - window_extent(window, dilation)
        windows = -(-excess // stride) + 1
        if (windows - 1) * stride >= size + padding[0]:
            windows -= 1
        return windows if windows > 0 else output_size(size, window, stride, padding, dilation)

    @property
    def _axes(self):
        return zip(self.size, self.output, self.window, self.stride, self.padding, self.dilation, strict=True)

    @functools.cached_property
    def under_windows(self):
        """The inputs under each window."""
        return Boxes.of(self.size, self.output, [_inputs_of_windows(*axis) for axis in self._axes])

    @functools.cached_property
    def over_inputs(self):
        """The windows over each input."""
        return Boxes.of(self.output, self.size, [_windows_of_inputs(*axis) for axis in self._axes])

    def shares(self, count_include_pad):
        """1 / the number of positions each window averages over, axis by axis, as a table beside `under_windows`."""
        return self._padded_shares if count_include_pad else self._inner_shares

    @functools.cached_property
    def _padded_shares(self):
        return self._all_shares(True)

    @functools.cached_property
    def _inner_shares(self):
        return self._all_shares(False)

    def _all_shares(self, count_include_pad):
        axes = [self._share(axis, count_include_pad) for axis in range(len(self.size))]
        return np.concatenate([np.ones(3 - len(self.size)), *axes])

    def _share(self, axis, count_include_pad):
        size, (before, after) = self.size[axis], self.padding[axis]
        start = np.arange(self.output[axis]) * self.stride[axis] - before
        stop = np.minimum(start + self.window[axis], size + after)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, size)
        return 1.0 / np.maximum(stop - start, 1)


@functools.lru_cache(maxsize=1024, typed=True)
def _pooling_of(spatial, window, stride, padding, dilation, ceil_mode):
    rank = len(spatial)
    if 0 in spatial:
        raise ValueError(f"x: got spatial shape {spatial}, wanted at least one position along each axis")
    window = integers(window, "window", rank)
    stride = window if stride is None else integers(stride, "stride", rank)
    dilation = integers(dilation, "dilation", rank)
    padding = paddings(padding, spatial, window, stride, dilation)
    pooling = Pooling(spatial, window, stride, padding, dilation, ceil_mode)
    for pair, extent in zip(padding, pooling.extent, strict=True):
        if max(pair) >= extent:
            raise ValueError(f"padding: got {pair}, wanted less than the {extent} positions the window spans")
    _check_positions(spatial)
    return pooling


def _check_positions(spatial):
    if math.prod(spatial) >= _MOST_POSITIONS:
        raise ValueError(f"x: got {math.prod(spatial)} positions of shape {spatial}, wanted fewer than 2**31")


def canonical_source(x, rank):
    """Canonical `x` with `rank` spatial axes; one of too many positions is refused before it is copied."""
    if isinstance(x, np.ndarray):
        _check_positions(x.shape[1:-1])
    return canonical(x, "x", ndim=rank + 2)


def _inputs_of_windows(size, windows, window, stride, padding, dilation):
    """The first input each window along an axis sees, how many, and the step from one to the next."""
    start = np.arange(windows) * stride - padding[0]
    tap = np.maximum(0, -(start // dilation))  # the first tap that is not before the input
    end = np.minimum(window, -((start - size) // dilation))
    return np.where(end > tap, start + tap * dilation, 0), np.maximum(end - tap, 0), dilation


def _windows_of_inputs(size, windows, window, stride, padding, dilation):
    """The first window that sees each input along an axis, how many do, and the step from one to the next."""
    last = np.arange(size) + padding[0]  # where a window would start whose first tap is here
    first = last - (window - 1) * dilation
    low, high = np.maximum(0, -(-first // stride)), np.minimum(windows - 1, last // stride)
    step = dilation // math.gcd(stride, dilation)
    for _ in range(step - 1):  # to a window that has a tap here, and not a gap between two
        low = low + ((last - low * stride) % dilation != 0)
    count = np.where((last - low * stride) % dilation == 0, (high - low) // step + 1, 0)
    count = np.maximum(count, 0)
    return np.where(count > 0, low, 0), count, step
