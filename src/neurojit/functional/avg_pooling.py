"""Means over windows of signals, images and volumes, channels last."""

import numpy as np

from neurojit.core.cuda import on_device
from neurojit.core.shapes import integers
from neurojit.functional.devices import constant, empty_for, kernel_for
from neurojit.functional.op import op
from neurojit.functional.windows import Boxes, Pooling, canonical_source
from neurojit.kernels.cpu import pool as kernels


def box_sum(x, boxes, weight, scale, shape):
    """The weighted sums of canonical `x` over boxes, as an array of `shape`; None for `weight` or `scale` is 1."""
    weight, scale = (
        np.ones(sum(axes), x.dtype) if values is None else values
        for values, axes in ((weight, boxes.size), (scale, boxes.grid))
    )
    if on_device(x):
        weight, scale = constant(weight), constant(scale)
    y = empty_for(x, shape, x.dtype)
    numbers = boxes.table_for(x), boxes.size, boxes.step, boxes.grid, x.shape[-1]
    kernel_for(kernels.sum_pool, x)(x.reshape(-1), *numbers, weight, scale, y.reshape(-1))
    return y


def _mean(x, boxes, shares, output):
    return box_sum(x, boxes, None, shares, (x.shape[0], *output, x.shape[-1]))


def _mean_pullback(x, boxes, shares):
    """The pullback of `_mean`: `boxes` are those over each input, `shares` as on the way forward."""
    return lambda dy, wrt: (box_sum(dy, boxes, shares, None, x.shape) if wrt[0] else None,)


def _check(x, window, stride, padding, ceil_mode, count_include_pad, rank):
    """Canonical x, its pooling and each window's share."""
    x = canonical_source(x, rank)
    pooling = Pooling.of(x.shape[1:-1], window, stride, padding, 1, ceil_mode)
    return x, pooling, pooling.shares(count_include_pad).astype(x.dtype)


def _avg_pool(x, window, stride, padding, ceil_mode, count_include_pad, rank):
    x, pooling, shares = _check(x, window, stride, padding, ceil_mode, count_include_pad, rank)
    return _mean(x, pooling.under_windows, shares, pooling.output)


def _avg_pool_vjp(x, window, stride, padding, ceil_mode, count_include_pad, rank):
    x, pooling, shares = _check(x, window, stride, padding, ceil_mode, count_include_pad, rank)
    y = _mean(x, pooling.under_windows, shares, pooling.output)
    return y, _mean_pullback(x, pooling.over_inputs, shares)


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


@op("x")
def avg_pool3d(x, window, *, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Take the mean of every window of a volume, channel by channel.

    Parameters
    ----------
    x : array, shape (n, depth, height, width, channels)
        float32 or float64.
    window, stride, padding, ceil_mode
        As in `max_pool3d`; padding counts as zeros.
    count_include_pad : bool, default=True
        Whether positions of the padding count in the mean.

    Returns
    -------
    array, shape (n, out_depth, out_height, out_width, channels)

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d`.

    Notes
    -----
    The equations are those of `avg_pool2d` with one spatial axis more.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.avg_pool3d(np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2, 1), 2).ravel()
    array([3.5], dtype=float32)
    """
    return _avg_pool(x, window, stride, padding, ceil_mode, count_include_pad, rank=3)


@avg_pool3d.define_vjp
def _avg_pool3d_vjp(x, window, *, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    return _avg_pool_vjp(x, window, stride, padding, ceil_mode, count_include_pad, rank=3)


def _adaptive_axis(size, windows):
    """Where each of `windows` windows along an axis begins and ends."""
    index = np.arange(windows)
    return index * size // windows, -(-(index + 1) * size // windows)


def _adaptive(x, output_size):
    """Canonical x; the output's size; the inputs under each window, the windows over each input, the shares."""
    x = canonical_source(x, 2)
    if 0 in x.shape[1:3]:
        raise ValueError(f"x: got shape {x.shape}, wanted images of at least one pixel")
    output, size = integers(output_size, "output_size", 2), x.shape[1:3]
    spans = [_adaptive_axis(*axis) for axis in zip(size, output, strict=True)]
    under = Boxes.of(size, output, [(start, end - start, 1) for start, end in spans])
    seen = []
    for (start, end), length in zip(spans, size, strict=True):
        pixel = np.arange(length)
        first = np.searchsorted(end, pixel, side="right")
        seen.append((first, np.searchsorted(start, pixel, side="right") - first, 1))
    shares = np.concatenate([[1.0], *(1.0 / (end - start) for start, end in spans)]).astype(x.dtype)
    return x, output, under, Boxes.of(output, size, seen), shares


@op("x")
def adaptive_avg_pool2d(x, output_size):
    r"""Take the means of so many windows of an image as asked for, channel by channel.

    .. math::

        y[n, i, j, c] = \mathrm{mean}\ x[n, \lfloor i h / o \rfloor : \lceil (i + 1) h / o \rceil, \ldots, c]

    for o windows over a height of h, and so for the width: windows of about one size that cover the image, and overlap
    where h / o is no integer, as in PyTorch (after He, Zhang, Ren and Sun, "Spatial pyramid pooling" (ECCV 2014),
    section 2.3).

    Parameters
    ----------
    x : array, shape (n, height, width, channels)
        float32 or float64.
    output_size : int or (int, int)
        Height and width of the result.

    Returns
    -------
    array, shape (n, out_height, out_width, channels)

    Raises
    ------
    TypeError
        If `x` is not of real numbers or `output_size` not of integers.
    ValueError
        If the images have no pixels or `output_size` is below 1.

    Notes
    -----
    The pullback spreads dy / m over the m inputs of each window.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.adaptive_avg_pool2d(np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1), 2)[0, :, :, 0]
    array([[2., 3.],
           [5., 6.]], dtype=float32)
    """
    x, output, under, _, shares = _adaptive(x, output_size)
    return _mean(x, under, shares, output)


@adaptive_avg_pool2d.define_vjp
def _adaptive_avg_pool2d_vjp(x, output_size):
    x, output, under, over, shares = _adaptive(x, output_size)
    return _mean(x, under, shares, output), _mean_pullback(x, over, shares)
