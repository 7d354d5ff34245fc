"""Softmax over the last axis."""

from neurojit.core.arrays import canonical
from neurojit.core.memory import empty_like
from neurojit.functional.op import op
from neurojit.kernels.cpu import softmax as kernels


def _rows(array):
    return array.reshape(-1, array.shape[-1])


def _apply(kernel, *arrays):
    """What a kernel makes of its arrays as rows, in a new array like the first."""
    result = empty_like(arrays[0])
    kernel(*(_rows(a) for a in arrays), _rows(result))
    return result


def _check(x):
    x = canonical(x, "x")
    if x.ndim < 1 or x.shape[-1] < 1:
        raise ValueError(f"x: got shape {x.shape}, wanted (..., classes) with at least one class")
    return x


@op("x")
def softmax(x):
    """Probabilities from logits along the last axis, y_j = exp(x_j) / sum_k exp(x_k).

    Parameters
    ----------
    x : array, shape (..., classes)
        float32 or float64; -inf is a class that cannot be.

    Returns
    -------
    array, shape of `x`
        Sums to 1 along the last axis; NaN where a row is all -inf or holds +inf or NaN.

    Raises
    ------
    TypeError
        If `x` is not of real numbers.
    ValueError
        If there is no class.

    Notes
    -----
    The pullback gives dx = y (dy - sum_k dy_k y_k) (Bridle 1990, equation 13). It looks at y, which must therefore
    be left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.softmax(np.array([[0.0, 0.0], [1000.0, -np.inf]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return _apply(kernels.softmax_forward, _check(x))


@softmax.define_vjp
def _softmax_vjp(x):
    y = softmax(x)
    return y, lambda dy, wrt: (_apply(kernels.softmax_backward, dy, y) if wrt[0] else None,)


@op("x")
def log_softmax(x):
    """Logarithms of `softmax`, y_j = x_j - log sum_k exp(x_k), without its underflow.

    Parameters
    ----------
    x : array, shape (..., classes)
        float32 or float64.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers.
    ValueError
        If there is no class.

    Notes
    -----
    The pullback gives dx = dy - exp(y) sum_k dy_k (Goodfellow, Bengio and Courville, "Deep Learning" (2016),
    equation 6.30). It looks at y, which must therefore be left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.log_softmax(np.array([[0.0, 1000.0]]))
    array([[-1000.,     0.]])
    """
    return _apply(kernels.log_softmax_forward, _check(x))


@log_softmax.define_vjp
def _log_softmax_vjp(x):
    y = log_softmax(x)
    return y, lambda dy, wrt: (_apply(kernels.log_softmax_backward, dy, y) if wrt[0] else None,)
