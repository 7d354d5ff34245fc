"""Local response normalization: channels divided by what their neighbours are."""

from neurojit.core.arrays import canonical
from neurojit.core.memory import empty_like
from neurojit.core.shapes import integers
from neurojit.functional.devices import kernel_for
from neurojit.functional.op import op
from neurojit.kernels.cpu import response_norm as kernels


class _Response:
    """One call's arrays as pixels, and its numbers in their precision."""

    def __init__(self, x, size, alpha, beta, k):
        self.x = canonical(x, "x")
        if self.x.ndim < 2 or self.x.shape[-1] < 1:
            raise ValueError(f"x: got shape {self.x.shape}, wanted (n, ..., channels) with at least one channel")
        (size,) = integers(size, "size", 1)
        if not k > 0:
            raise ValueError(f"k: got {k!r}, wanted a number > 0")
        if not alpha >= 0:
            raise ValueError(f"alpha: got {alpha!r}, wanted a number >= 0")
        kind = self.x.dtype.type
        self.window = size // 2, (size - 1) // 2
        self.alpha, self.beta, self.k = kind(alpha / size), kind(beta), kind(k)
        self.pixels = self.x.reshape(-1, self.x.shape[-1])
        self.base, self.factor = empty_like(self.pixels), empty_like(self.pixels)

    def forward(self):
        y = empty_like(self.pixels)
        numbers = self.alpha, self.beta, self.k
        run = kernel_for(kernels.local_response, y)
        run(self.pixels, *self.window, *numbers, self.base, self.factor, y)
        return y.reshape(self.x.shape)

    def backward(self, dy, wrt):
        if not wrt[0]:
            return (None,)
        dx = empty_like(self.pixels)
        by_sum = self.x.dtype.type(2) * self.alpha * self.beta
        run = kernel_for(kernels.local_response_backward, dx)
        run(dy.reshape(dx.shape), self.pixels, *self.window, by_sum, self.base, self.factor, dx)
        return (dx.reshape(self.x.shape),)


@op("x")
def local_response_norm(x, *, size=5, alpha=1e-4, beta=0.75, k=1.0):
    r"""Divide every channel by a power of the squares of its neighbours.

    .. math::

        y[\ldots, c] = x[\ldots, c] \Big/ \Big(k + \frac{\alpha}{s}
        \sum_{j = c - \lfloor s / 2 \rfloor}^{c + \lfloor (s - 1) / 2 \rfloor} x[\ldots, j]^2\Big)^\beta

    (Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks" (NIPS 2012),
    section 3.3, whose alpha is not divided by s; here it is, as in PyTorch and ONNX.)

    Parameters
    ----------
    x : array, shape (n, ..., channels)
        float32 or float64.
    size : int, default=5
        Channels s in a window; fewer at the first and last ones.
    alpha : float, default=1e-4
        How much the squares count.
    beta : float, default=0.75
        The power.
    k : float, default=1.0
        What is added, above 0.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers or `size` not an integer.
    ValueError
        If there is no channel, `size` is below 1, `alpha` below 0 or `k` not above it.

    Notes
    -----
    With b the sum in brackets, the pullback gives, over the channels j whose windows hold c,

        dx[c] = dy[c] / b[c]^beta - 2 (alpha / s) beta x[c] sum_j dy[j] y[j] / b[j]

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.local_response_norm(np.array([[1.0, 1.0, 1.0]]), size=3, alpha=3.0, beta=1.0)
    array([[0.33333333, 0.25      , 0.33333333]])
    """
    return _Response(x, size, alpha, beta, k).forward()


@local_response_norm.define_vjp
def _local_response_norm_vjp(x, *, size=5, alpha=1e-4, beta=0.75, k=1.0):
    response = _Response(x, size, alpha, beta, k)
    return response.forward(), response.backward
