"""The dense layer's product with binary weights: a binary convolution whose window is one position."""

from neurojit.core.arrays import canonical
from neurojit.functional.binary_conv import binary_conv2d
from neurojit.functional.op import op


def _check(x, weight):
    """Rows as images of one pixel, weights as a window of one tap."""
    x = canonical(x, "x", ndim=2)
    weight = canonical(weight, "weight", dtype=x.dtype, ndim=2)
    if x.shape[1] != weight.shape[0]:
        raise ValueError(f"weight: got shape {weight.shape}, wanted ({x.shape[1]}, c_out), as x has shape {x.shape}")
    return x.reshape(len(x), 1, 1, x.shape[1]), weight.reshape(1, 1, *weight.shape)


@op("x", "weight", "bias")
def binary_dense(x, weight, bias=None, *, binary_input=True):
    r"""Affine map by the signs of its weights, by default of the signs of its inputs as well.

    .. math:: y = b + \alpha_o\, K\, (\operatorname{sign}(x) \operatorname{sign}(W)), \quad
        \alpha_o = \operatorname{mean}_c |W[c, o]|, \quad K = \operatorname{mean}_c |x[c]|

    Parameters
    ----------
    x : array, shape (n, c_in)
        float32 or float64.
    weight : array, shape (c_in, c_out)
        Weights before their signs are taken, of the precision of `x`.
    bias : array, shape (c_out,), optional
    binary_input : bool, default=True
        Whether the signs of the inputs are taken.

    Returns
    -------
    array, shape (n, c_out)

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or an option has the wrong type.
    ValueError
        If the shapes do not fit.

    Notes
    -----
    `binary_conv2d` with a window as large as its image, which has the pullback and the source.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.binary_dense(np.array([[1, -2, 3]], np.float32), np.array([[1], [-1], [4]], np.float32))
    array([[12.]], dtype=float32)
    """
    pixels, window = _check(x, weight)
    return binary_conv2d(pixels, window, bias, binary_input=binary_input).reshape(len(pixels), window.shape[-1])


@binary_dense.define_vjp
def _binary_dense_vjp(x, weight, bias=None, *, binary_input=True):
    pixels, window = _check(x, weight)
    given = (window,) if bias is None else (window, bias)
    y, backward = binary_conv2d.vjp(pixels, *given, binary_input=binary_input)

    def pullback(dy, wrt):
        dx, dweight, *dbias = backward(dy.reshape(y.shape), wrt=wrt[: 1 + len(given)])
        dx = None if dx is None else dx.reshape(len(dx), dx.shape[-1])
        dweight = None if dweight is None else dweight.reshape(dweight.shape[2:])
        return dx, dweight, *(dbias or [None])

    return y.reshape(len(y), y.shape[-1]), pullback
