"""Other shapes for the same numbers; the batch axis stays."""

import math

from neurojit.core.arrays import canonical
from neurojit.core.shapes import integers
from neurojit.functional.op import op


def filled_shape(shape, size):
    """`shape` with its -1, where there is one, replaced so that it holds `size` numbers.

    Raises
    ------
    TypeError
        If `shape` is not made of ints.
    ValueError
        If it cannot hold `size` numbers, or leaves more than one length open.
    """
    given = shape
    shape = list(integers(shape, "shape", len(shape) if isinstance(shape, tuple | list) else 1, least=-1))
    if shape.count(-1) > 1:
        raise ValueError(f"shape: got {given}, wanted at most one -1")
    if -1 in shape:
        known = -math.prod(shape)
        shape[shape.index(-1)] = size // known if known else 0
    if math.prod(shape) != size:
        raise ValueError(f"shape: got {given}, wanted lengths for {size} numbers")
    return tuple(shape)


def _batch(x):
    x = canonical(x, "x")
    if x.ndim < 1:
        raise ValueError(f"x: got shape {x.shape}, wanted (n, ...)")
    return x


def _pullback(shape):
    return lambda dy, wrt: (dy.reshape(shape) if wrt[0] else None,)


@op("x")
def reshape(x, shape):
    """Give every sample another shape: y[n] = x[n] read in order.

    Parameters
    ----------
    x : array, shape (n, ...)
        float32 or float64.
    shape : int or tuple of int
        Shape of one sample; one length may be -1 and is then what remains.

    Returns
    -------
    array, shape (n, ...)
        A view of `x` where that is contiguous.

    Raises
    ------
    TypeError
        If `x` is not of real numbers or `shape` not of ints.
    ValueError
        If a sample does not fill `shape`.

    Notes
    -----
    The pullback gives dx = dy in the shape of x.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.reshape(np.ones((2, 6), np.float32), (-1, 2)).shape
    (2, 3, 2)
    """
    x = _batch(x)
    return x.reshape(x.shape[0], *filled_shape(shape, math.prod(x.shape[1:])))


@reshape.define_vjp
def _reshape_vjp(x, shape):
    x = _batch(x)
    return reshape(x, shape), _pullback(x.shape)


@op("x")
def flatten(x):
    """Make every sample one row: y[n] = all of x[n] in order.

    Parameters
    ----------
    x : array, shape (n, ...)
        float32 or float64.

    Returns
    -------
    array, shape (n, features)
        A view of `x` where that is contiguous.

    Raises
    ------
    TypeError
        If `x` is not of real numbers.
    ValueError
        If `x` has no batch axis.

    Notes
    -----
    The pullback gives dx = dy in the shape of x.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.flatten(np.ones((2, 3, 3, 4), np.float32)).shape
    (2, 36)
    """
    return reshape(x, -1)


@flatten.define_vjp
def _flatten_vjp(x):
    x = _batch(x)
    return flatten(x), _pullback(x.shape)
