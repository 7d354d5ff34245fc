"""Vectors of tokens."""

import numpy as np

from neurojit.core.arrays import canonical, canonical_integers
from neurojit.core.cuda import on_device, to_host
from neurojit.functional.device_rows import summed_rows, taken_rows
from neurojit.functional.op import op
from neurojit.kernels.cpu.embedding import scatter_rows


def _check(tokens, weight):
    tokens = canonical_integers(to_host(tokens), "tokens")
    weight = canonical(weight, "weight", ndim=2)
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < len(weight):
        wrong = tokens.min() if tokens.min() < 0 else tokens.max()
        raise ValueError(f"tokens: got {wrong}, wanted 0 to {len(weight) - 1}, a row of weight each")
    return tokens, weight


def _rows(tokens, weight):
    return taken_rows(weight, tokens) if on_device(weight) else weight[tokens]


@op("weight")
def embedding(tokens, weight):
    """The row of a table for every token, y[...] = weight[tokens[...]].

    Parameters
    ----------
    tokens : integers, any shape
        Numbers of rows, 0 to size - 1.
    weight : array, shape (size, units)
        float32 or float64.

    Returns
    -------
    array, shape (..., units)

    Raises
    ------
    TypeError
        If `tokens` are not integers or `weight` is not of real numbers.
    ValueError
        If a token has no row, or `weight` is no table.

    Notes
    -----
    A product with one-hot vectors, without making them (Bengio, Ducharme, Vincent and Jauvin, "A neural probabilistic
    language model" (JMLR 2003), section 2). The pullback returns dweight: each row sums the gradients of its tokens, in
    their order.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> table = np.array([[0, 0], [1, 10], [2, 20]], np.float32)
    >>> y, backward = F.embedding.vjp([1, 2, 1], table)
    >>> y
    array([[ 1., 10.],
           [ 2., 20.],
           [ 1., 10.]], dtype=float32)
    >>> backward(np.ones_like(y))
    array([[0., 0.],
           [2., 2.],
           [1., 1.]], dtype=float32)
    """
    return _rows(*_check(tokens, weight))


@embedding.define_vjp
def _embedding_vjp(tokens, weight):
    tokens, weight = _check(tokens, weight)

    def pullback(dy, wrt):
        if not wrt[0]:
            return (None,)
        if on_device(weight):
            return (summed_rows(tokens, dy, len(weight)),)
        dweight = np.zeros_like(weight)
        scatter_rows(tokens.reshape(-1), dy.reshape(-1, weight.shape[1]), dweight)
        return (dweight,)

    return _rows(tokens, weight), pullback
