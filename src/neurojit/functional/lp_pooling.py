"""p-norms over windows of signals, images and volumes, channels last."""

import numpy as np

from neurojit.core.cuda import on_device
from neurojit.functional.avg_pooling import box_sum
from neurojit.functional.elementwise import apply
from neurojit.functional.op import op
from neurojit.functional.windows import Pooling, canonical_source
from neurojit.kernels.cuda import powers as device_kernels


def _check(x, window, stride, padding, ceil_mode, p, rank):
    x = canonical_source(x, rank)
    if isinstance(p, bool) or not isinstance(p, int | float):
        raise TypeError(f"p: got {p!r}, wanted a number >= 1")
    if not 1 <= p < np.inf:
        raise ValueError(f"p: got {p!r}, wanted a number >= 1 (for infinity: max_pool{rank}d of the absolute values)")
    return x, Pooling.of(x.shape[1:-1], window, stride, padding, 1, ceil_mode), p


def _norms(x, pooling, p):
    total = box_sum(_powers(x, p), pooling.under_windows, None, None, (x.shape[0], *pooling.output, x.shape[-1]))
    if on_device(x):
        return apply(device_kernels.root, total, float(p), 1 / p)
    return np.sqrt(total, out=total) if p == 2 else np.power(total, x.dtype.type(1 / p), out=total)


def _powers(x, p):
    """|x|^p."""
    if on_device(x):
        return apply(device_kernels.power, x, float(p))
    return np.square(x) if p == 2 else np.abs(x) ** x.dtype.type(p)


def _shares(dy, y, p):
    """dy / y^(p - 1), and 0 where y is 0."""
    if on_device(dy):
        return apply(device_kernels.share, dy, y, p - 1.0)
    divisor = y if p == 2 else y ** y.dtype.type(p - 1)
    return np.divide(dy, divisor, out=np.zeros_like(dy), where=y != 0)


def _through_powers(total, x, p):
    """total sign(x) |x|^(p - 1)."""
    if on_device(x):
        return apply(device_kernels.slope, total, x, p - 1.0)
    return total * (x if p == 2 else np.sign(x) * np.abs(x) ** x.dtype.type(p - 1))


def _lp_pool(x, window, stride, padding, ceil_mode, p, rank):
    return _norms(*_check(x, window, stride, padding, ceil_mode, p, rank))


def _lp_pool_vjp(x, window, stride, padding, ceil_mode, p, rank):
    x, pooling, p = _check(x, window, stride, padding, ceil_mode, p, rank)
    y = _norms(x, pooling, p)

    def pullback(dy, wrt):
        if not wrt[0]:
            return (None,)
        total = box_sum(_shares(dy, y, p), pooling.over_inputs, None, None, x.shape)
        return (_through_powers(total, x, p),)

    return y, pullback


@op("x")
def lp_pool2d(x, window, *, p=2, stride=None, padding=0, ceil_mode=False):
    r"""Take the p-norm of every window of an image, channel by channel.

    .. math::

        y[n, i, j, c] = \left(\sum_{u, v} |x[n, s i + u - p, s j + v - p, c]|^p\right)^{1 / p}

    (Sermanet, Chintala and LeCun, "Convolutional neural networks applied to house numbers digit classification" (ICPR
    2012), equation 1 without its Gaussian weights.)

    Parameters
    ----------
    x : array, shape (n, height, width, channels)
        float32 or float64.
    window, stride, padding, ceil_mode
        As in `max_pool2d`; padding counts as zeros.
    p : float, default=2
        Which norm, 1 or more: 1 is the sum of absolute values, and the larger, the nearer to the largest.

    Returns
    -------
    array, shape (n, out_height, out_width, channels)

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d`; or if `p` is not a finite number of 1 or more.

    Notes
    -----
    The pullback gives each input sign(x) abs(x)^(p - 1) times the sum of dy / y^(p - 1) over its windows, and 0 where
    y = 0, which has no derivative. PyTorch takes x^p and not its absolute value: the same for even p.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.lp_pool2d(np.array([[3.0, 0.0], [0.0, -4.0]]).reshape(1, 2, 2, 1), 2).ravel()
    array([5.])
    """
    return _lp_pool(x, window, stride, padding, ceil_mode, p, rank=2)


@lp_pool2d.define_vjp
def _lp_pool2d_vjp(x, window, *, p=2, stride=None, padding=0, ceil_mode=False):
    return _lp_pool_vjp(x, window, stride, padding, ceil_mode, p, rank=2)


@op("x")
def lp_pool1d(x, window, *, p=2, stride=None, padding=0, ceil_mode=False):
    """Take the p-norm of every window of a signal, channel by channel.

    Parameters
    ----------
    x : array, shape (n, length, channels)
        float32 or float64.
    window, stride, padding, ceil_mode
        As in `max_pool1d`; padding counts as zeros.
    p : float, default=2
        Which norm, 1 or more.

    Returns
    -------
    array, shape (n, out_length, channels)

    Raises
    ------
    TypeError, ValueError
        As `lp_pool2d`.

    Notes
    -----
    The equations are those of `lp_pool2d` with one spatial axis less.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.lp_pool1d(np.array([3.0, -4.0, 1.0, 0.0]).reshape(1, 4, 1), 2).ravel()
    array([5., 1.])
    """
    return _lp_pool(x, window, stride, padding, ceil_mode, p, rank=1)


@lp_pool1d.define_vjp
def _lp_pool1d_vjp(x, window, *, p=2, stride=None, padding=0, ceil_mode=False):
    return _lp_pool_vjp(x, window, stride, padding, ceil_mode, p, rank=1)


@op("x")
def lp_pool3d(x, window, *, p=2, stride=None, padding=0, ceil_mode=False):
    """Take the p-norm of every window of a volume, channel by channel.

    Parameters
    ----------
    x : array, shape (n, depth, height, width, channels)
        float32 or float64.
    window, stride, padding, ceil_mode
        As in `max_pool3d`; padding counts as zeros.
    p : float, default=2
        Which norm, 1 or more.

    Returns
    -------
    array, shape (n, out_depth, out_height, out_width, channels)

    Raises
    ------
    TypeError, ValueError
        As `lp_pool2d`.

    Notes
    -----
    The equations are those of `lp_pool2d` with one spatial axis more.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.lp_pool3d(np.ones((1, 2, 2, 1, 1)), (2, 2, 1)).ravel()
    array([2.])
    """
    return _lp_pool(x, window, stride, padding, ceil_mode, p, rank=3)


@lp_pool3d.define_vjp
def _lp_pool3d_vjp(x, window, *, p=2, stride=None, padding=0, ceil_mode=False):
    return _lp_pool_vjp(x, window, stride, padding, ceil_mode, p, rank=3)
