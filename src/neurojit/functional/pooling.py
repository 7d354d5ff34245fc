"""Pooling over windows of signals and images, channels last."""

import dataclasses

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.memory import empty, empty_like
from neurojit.core.shapes import integers, output_size, paddings, window_extent
from neurojit.functional.op import op
from neurojit.kernels.cpu import pool as kernels


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

    @classmethod
    def of(cls, spatial, window, stride, padding, dilation, ceil_mode):
        """The pooling over `spatial` axes that options in any form describe.

        Raises
        ------
        TypeError, ValueError
            If an option has the wrong form, or the window does not fit.
        """
        rank = len(spatial)
        window = integers(window, "window", rank)
        stride = window if stride is None else integers(stride, "stride", rank)
        dilation = integers(dilation, "dilation", rank)
        padding = paddings(padding, spatial, window, stride, dilation)
        pooling = cls(tuple(spatial), window, stride, padding, dilation, bool(ceil_mode))
        for pair, extent in zip(padding, pooling.extent, strict=True):
            if max(pair) >= extent:
                raise ValueError(f"padding: got {pair}, wanted less than the {extent} positions the window spans")
        return pooling

    @property
    def extent(self):
        """How many positions a window spans on each axis."""
        return tuple(window_extent(k, d) for k, d in zip(self.window, self.dilation, strict=True))

    @property
    def before(self):
        return tuple(pair[0] for pair in self.padding)

    @property
    def taps(self):
        """Positions of the taps of a window over images, counted along the rows from the first tap."""
        down, across = (np.arange(k) * d for k, d in zip(self.window, self.dilation, strict=True))
        return (down[:, None] * self.size[1] + across).reshape(-1)

    @property
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

    def shares(self, axis, count_include_pad, dtype):
        """1 / the number of positions each window of an axis averages over."""
        size, (before, after) = self.size[axis], self.padding[axis]
        start = np.arange(self.output[axis]) * self.stride[axis] - before
        stop = np.minimum(start + self.window[axis], size + after)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, size)
        return (1.0 / np.maximum(stop - start, 1)).astype(dtype)


def _plane(pooling):
    """The same pooling of images: a signal is an image one pixel high."""
    if len(pooling.size) == 2:
        return pooling
    fields = {name: (1, *getattr(pooling, name)) for name in ("size", "window", "stride", "dilation")}
    return dataclasses.replace(pooling, **fields, padding=((0, 0), *pooling.padding))


# -- maximum ----------------------------------------------------------------------------------------------------------


def _check(x, window, stride, padding, dilation, ceil_mode, rank):
    x = canonical(x, "x", ndim=rank + 2)
    return x, Pooling.of(x.shape[1:-1], window, stride, padding, dilation, ceil_mode)


def max_forward(x, pooling, with_switches):
    """The maxima of canonical `x` and, where asked for, their switches."""
    plane = _plane(pooling)
    y = empty((x.shape[0], *pooling.output, x.shape[-1]), x.dtype)
    switches = empty(y.shape if with_switches else 0, np.int32)
    numbers = plane.window, plane.stride, plane.before, plane.dilation, plane.taps
    sizes = plane.size, plane.output, x.shape[-1]
    kernels.max_pool(x.reshape(-1), *sizes, *numbers, y.reshape(-1), switches.reshape(-1))
    return y, switches


def max_vjp(x, pooling):
    """The maxima of canonical `x` and the pullback."""
    y, switches = max_forward(x, pooling, True)

    def pullback(dy, wrt):
        if not wrt[0]:
            return (None,)
        plane = _plane(pooling)
        dx = empty_like(x)
        sizes = plane.size, plane.output, x.shape[-1]
        numbers = *sizes, plane.window, plane.stride, plane.before, plane.dilation
        kernels.max_pool_backward(dy.reshape(-1), switches.reshape(-1), *numbers, dx.reshape(-1))
        return (dx,)

    return y, pullback


def _max_pool(x, window, stride, padding, dilation, ceil_mode, return_switches, rank):
    x, pooling = _check(x, window, stride, padding, dilation, ceil_mode, rank)
    y, switches = max_forward(x, pooling, return_switches)
    return (y, switches) if return_switches else y


def _max_pool_vjp(x, window, stride, padding, dilation, ceil_mode, return_switches, rank):
    if return_switches:
        raise ValueError("return_switches: got True, wanted False in vjp, whose pullback keeps the switches")
    return max_vjp(*_check(x, window, stride, padding, dilation, ceil_mode, rank))


@op("x")
def max_pool2d(x, window, *, stride=None, padding=0, dilation=1, ceil_mode=False, return_switches=False):
    r"""Take the largest value of every window of an image, channel by channel.

    .. math::

        y[n, i, j, c] = \max_{u, v} x[n, s i + d u - p, s j + d v - p, c]

    Parameters
    ----------
    x : array, shape (n, height, width, channels)
        float32 or float64.
    window : int or (int, int)
        Height and width of the window.
    stride : int or (int, int), optional
        Step from one window to the next; the window where not given.
    padding : int, (int, int), ((before, after), (before, after)), "same" or "valid", default=0
        Positions around the image, which never are the largest; fewer than the window spans.
    dilation : int or (int, int), default=1
        Step from one position of the window to the next.
    ceil_mode : bool, default=False
        Whether a last window that only partly fits is used, as in PyTorch.
    return_switches : bool, default=False
        Whether to return where the maxima are.

    Returns
    -------
    y : array, shape (n, out_height, out_width, channels)
        A NaN in a window is its largest value.
    switches : array of int32, shape of `y`; only with `return_switches`
        h_index * width + w_index of each maximum, the first one of equals; -1 where a window holds no input.

    Raises
    ------
    TypeError
        If `x` is not of real numbers or an option not an integer.
    ValueError
        If the window does not fit the padded image or the padding is as wide as the window.

    Notes
    -----
    The pullback hands dy to the inputs that were the maxima (Zeiler and Fergus, "Visualizing and understanding
    convolutional networks" (ECCV 2014), section 2.1, whose word "switches" is).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    >>> y, switches = F.max_pool2d(image, 2, return_switches=True)
    >>> y[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    >>> switches[0, :, :, 0]
    array([[ 5,  7],
           [13, 15]], dtype=int32)
    """
    return _max_pool(x, window, stride, padding, dilation, ceil_mode, return_switches, rank=2)


@max_pool2d.define_vjp
def _max_pool2d_vjp(x, window, *, stride=None, padding=0, dilation=1, ceil_mode=False, return_switches=False):
    return _max_pool_vjp(x, window, stride, padding, dilation, ceil_mode, return_switches, rank=2)


@op("x")
def max_pool1d(x, window, *, stride=None, padding=0, dilation=1, ceil_mode=False, return_switches=False):
    """Take the largest value of every window of a signal, channel by channel.

    Parameters
    ----------
    x : array, shape (n, length, channels)
        float32 or float64.
    window : int
        Length of the window.
    stride, dilation, ceil_mode, return_switches
        As in `max_pool2d`.
    padding : int, ((before, after),), "same", "valid" or "causal", default=0
        Positions before and after the signal, which never are the largest.

    Returns
    -------
    y : array, shape (n, out_length, channels)
    switches : array of int32, shape of `y`; only with `return_switches`

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d`.

    Notes
    -----
    The equations are those of `max_pool2d` with one spatial axis.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.max_pool1d(np.array([1, 3, 2, 0], np.float32).reshape(1, 4, 1), 2).ravel()
    array([3., 2.], dtype=float32)
    """
    return _max_pool(x, window, stride, padding, dilation, ceil_mode, return_switches, rank=1)


@max_pool1d.define_vjp
def _max_pool1d_vjp(x, window, *, stride=None, padding=0, dilation=1, ceil_mode=False, return_switches=False):
    return _max_pool_vjp(x, window, stride, padding, dilation, ceil_mode, return_switches, rank=1)


# -- mean -------------------------------------------------------------------------------------------------------------


def _avg_numbers(x, plane):
    return plane.size, plane.output, x.shape[-1], plane.window, plane.stride, plane.before


def _shares(x, plane, count_include_pad):
    return tuple(plane.shares(axis, count_include_pad, x.dtype) for axis in (0, 1))


def _avg_forward(x, pooling, count_include_pad):
    plane = _plane(pooling)
    y = empty((x.shape[0], *pooling.output, x.shape[-1]), x.dtype)
    shares = _shares(x, plane, count_include_pad)
    kernels.avg_pool(x.reshape(-1), *_avg_numbers(x, plane), plane.taps, *shares, y.reshape(-1))
    return y


def _avg_pullback(x, pooling, count_include_pad):
    def pullback(dy, wrt):
        if not wrt[0]:
            return (None,)
        plane = _plane(pooling)
        dx = empty_like(x)
        shares = _shares(x, plane, count_include_pad)
        kernels.avg_pool_backward(dy.reshape(-1), *_avg_numbers(x, plane), *shares, dx.reshape(-1))
        return (dx,)

    return pullback


def _avg_pool(x, window, stride, padding, ceil_mode, count_include_pad, rank):
    return _avg_forward(*_check(x, window, stride, padding, 1, ceil_mode, rank), count_include_pad)


def _avg_pool_vjp(x, window, stride, padding, ceil_mode, count_include_pad, rank):
    x, pooling = _check(x, window, stride, padding, 1, ceil_mode, rank)
    return _avg_forward(x, pooling, count_include_pad), _avg_pullback(x, pooling, count_include_pad)


@op("x")
def avg_pool2d(x, window, *, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    r"""Take the mean of every window of an image, channel by channel.

    .. math::

        y[n, i, j, c] = \frac{1}{m} \sum_{u, v} x[n, s i + u - p, s j + v - p, c]

    with m the number of positions of the window (LeCun, Bottou, Bengio and Haffner (1998), section II.B).

    Parameters
    ----------
    x : array, shape (n, height, width, channels)
        float32 or float64.
    window, stride, padding, ceil_mode
        As in `max_pool2d`; padding counts as zeros.
    count_include_pad : bool, default=True
        Whether m counts positions of the padding.

    Returns
    -------
    array, shape (n, out_height, out_width, channels)

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d`.

    Notes
    -----
    The pullback spreads dy / m over the inputs of each window.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    >>> F.avg_pool2d(image, 2)[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32)
    """
    return _avg_pool(x, window, stride, padding, ceil_mode, count_include_pad, rank=2)


@avg_pool2d.define_vjp
def _avg_pool2d_vjp(x, window, *, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    return _avg_pool_vjp(x, window, stride, padding, ceil_mode, count_include_pad, rank=2)


@op("x")
def avg_pool1d(x, window, *, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Take the mean of every window of a signal, channel by channel.

    Parameters
    ----------
    x : array, shape (n, length, channels)
        float32 or float64.
    window, stride, padding, ceil_mode
        As in `max_pool1d`; padding counts as zeros.
    count_include_pad : bool, default=True
        Whether positions of the padding count in the mean.

    Returns
    -------
    array, shape (n, out_length, channels)

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d`.

    Notes
    -----
    The equations are those of `avg_pool2d` with one spatial axis.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.avg_pool1d(np.array([1, 3, 2, 0], np.float32).reshape(1, 4, 1), 2).ravel()
    array([2., 1.], dtype=float32)
    """
    return _avg_pool(x, window, stride, padding, ceil_mode, count_include_pad, rank=1)


@avg_pool1d.define_vjp
def _avg_pool1d_vjp(x, window, *, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    return _avg_pool_vjp(x, window, stride, padding, ceil_mode, count_include_pad, rank=1)
