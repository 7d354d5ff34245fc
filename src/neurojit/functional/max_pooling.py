"""Maxima over windows of signals, images and volumes, channels last."""

import numpy as np

from neurojit.core.memory import empty_like
from neurojit.functional.devices import empty_for, kernel_for
from neurojit.functional.op import op
from neurojit.functional.windows import Pooling, canonical_source
from neurojit.kernels.cpu import pool as kernels


def max_forward(x, pooling, with_switches):
    """The maxima of canonical `x` and, where asked for, their switches."""
    boxes, channels = pooling.under_windows, x.shape[-1]
    y = empty_for(x, (x.shape[0], *pooling.output, channels), x.dtype)
    switches = empty_for(x, y.shape if with_switches else 0, np.int32)
    numbers = boxes.table_for(x), boxes.size, boxes.step, boxes.grid, channels
    kernel_for(kernels.max_pool, x)(x.reshape(-1), *numbers, y.reshape(-1), switches.reshape(-1))
    return y, switches


def _max_backward(dy, switches, x, pooling):
    dx, boxes = empty_like(x), pooling.over_inputs
    numbers = boxes.table_for(dy), boxes.size, boxes.step, boxes.grid, x.shape[-1]
    kernel_for(kernels.max_pool_backward, dy)(dy.reshape(-1), switches.reshape(-1), *numbers, dx.reshape(-1))
    return dx


def max_vjp(x, pooling):
    """The maxima of canonical `x` and the pullback."""
    y, switches = max_forward(x, pooling, True)
    return y, lambda dy, wrt: (_max_backward(dy, switches, x, pooling) if wrt[0] else None,)


def max_vjp_with_switches(x, rank, window, stride, padding, dilation, ceil_mode):
    """The maxima over windows, their switches, and the pullback dy -> dx: what unpooling layers are made of."""
    x, pooling = _check(x, window, stride, padding, dilation, ceil_mode, rank)
    y, switches = max_forward(x, pooling, True)
    return y, switches, lambda dy: _max_backward(dy, switches, x, pooling)


def _check(x, window, stride, padding, dilation, ceil_mode, rank):
    x = canonical_source(x, rank)
    return x, Pooling.of(x.shape[1:-1], window, stride, padding, dilation, ceil_mode)


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
        If the window does not fit the padded image, the padding is as wide as the window, an axis is empty or there are
        2**31 positions or more.

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


@op("x")
def max_pool3d(x, window, *, stride=None, padding=0, dilation=1, ceil_mode=False, return_switches=False):
    """Take the largest value of every window of a volume, channel by channel.

    Parameters
    ----------
    x : array, shape (n, depth, height, width, channels)
        float32 or float64.
    window : int or (int, int, int)
        Depth, height and width of the window.
    stride, padding, dilation, ceil_mode, return_switches
        As in `max_pool2d`, with one number or pair more; a switch is (d_index * height + h_index) * width + w_index.

    Returns
    -------
    y : array, shape (n, out_depth, out_height, out_width, channels)
    switches : array of int32, shape of `y`; only with `return_switches`

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d`.

    Notes
    -----
    The equations are those of `max_pool2d` with one spatial axis more.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.max_pool3d(np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2, 1), 2, return_switches=True)
    (array([[[[[7.]]]]], dtype=float32), array([[[[[7]]]]], dtype=int32))
    """
    return _max_pool(x, window, stride, padding, dilation, ceil_mode, return_switches, rank=3)


@max_pool3d.define_vjp
def _max_pool3d_vjp(x, window, *, stride=None, padding=0, dilation=1, ceil_mode=False, return_switches=False):
    return _max_pool_vjp(x, window, stride, padding, dilation, ceil_mode, return_switches, rank=3)
