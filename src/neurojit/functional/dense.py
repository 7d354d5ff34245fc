"""The dense layer's product: a convolution whose window is one position."""

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.functional.conv import conv1d
from neurojit.functional.op import op


def _check(x, weight):
    x = canonical(x, "x")
    if x.ndim < 2:
        raise ValueError(
            f"x: got shape {x.shape}, wanted (n, ..., {np.shape(weight)[0] if np.ndim(weight) else 'c_in'})"
        )
    weight = canonical(weight, "weight", dtype=x.dtype, ndim=2)
    if x.shape[-1] != weight.shape[0]:
        raise ValueError(f"weight: got shape {weight.shape}, wanted ({x.shape[-1]}, c_out), as x has shape {x.shape}")
    return x, weight


def _as_signal(x, weight):
    """Rows as signals of length one, weights as a window of one tap."""
    return x.reshape(-1, 1, x.shape[-1]), weight.reshape(1, *weight.shape)


@op("x", "weight", "bias")
def dense(x, weight, bias=None):
    """Affine map of the last axis, y = x W + b.

    Parameters
    ----------
    x : array, shape (n, ..., c_in)
        float32 or float64.
    weight : array, shape (c_in, c_out)
        Of the precision of `x`.
    bias : array, shape (c_out,), optional

    Returns
    -------
    array, shape (n, ..., c_out)

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision.
    ValueError
        If the shapes do not fit.

    Notes
    -----
    The pullback returns dx = dy W^T, dweight = x^T dy and dbias = the sum of dy over its rows (Goodfellow, Bengio and
    Courville, "Deep Learning" (2016), section 6.5.6).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.dense(np.array([[1, 2]], np.float32), np.eye(2, dtype=np.float32), np.array([10, 20], np.float32))
    array([[11., 22.]], dtype=float32)
    """
    x, weight = _check(x, weight)
    return conv1d(*_as_signal(x, weight), bias).reshape(*x.shape[:-1], weight.shape[1])


@dense.define_vjp
def _dense_vjp(x, weight, bias=None):
    x, weight = _check(x, weight)
    given = () if bias is None else (bias,)
    y, backward = conv1d.vjp(*_as_signal(x, weight), *given)

    def pullback(dy, wrt):
        dx, dweight, *dbias = backward(dy.reshape(y.shape), wrt=wrt[: 2 + len(given)])
        dx = None if dx is None else dx.reshape(x.shape)
        dweight = None if dweight is None else dweight.reshape(weight.shape)
        return dx, dweight, *(dbias or [None])

    return y.reshape(*x.shape[:-1], weight.shape[1]), pullback
