"""Batch normalization."""

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.memory import empty, empty_like
from neurojit.functional.columns import block_count, block_width, tile_width
from neurojit.functional.op import op
from neurojit.kernels.cpu import norm as kernels


def _check(x, gamma, beta, mean, var, eps):
    x = canonical(x, "x")
    if x.ndim < 2 or x.shape[-1] < 1:
        raise ValueError(f"x: got shape {x.shape}, wanted (n, ..., channels) with at least one channel")
    if not eps > 0:
        raise ValueError(f"eps: got {eps!r}, wanted a number > 0")
    if (mean is None) != (var is None):
        raise ValueError("mean, var: got one of them, wanted both (inference) or neither (training)")
    given = [(gamma, "gamma"), (beta, "beta"), (mean, "mean"), (var, "var")]
    shape = (x.shape[-1],)
    return x, *(None if a is None else canonical(a, name, dtype=x.dtype, shape=shape) for a, name in given)


class _Normalization:
    """One call's arrays: x flat, and what belongs to each channel."""

    def __init__(self, x, gamma, beta, mean, var, eps):
        self.x, self.gamma, self.beta, self.mean, self.var = _check(x, gamma, beta, mean, var, eps)
        self.channels = self.x.shape[-1]
        self.width = tile_width(self.channels)
        self.flat = self.x.reshape(-1)
        self.training = mean is None
        if self.training:
            self.mean, self.var = self.batch_moments()
        self.inverse = (1.0 / np.sqrt(self.var.astype(np.float64) + eps)).astype(self.x.dtype)
        self.scale = self.inverse if self.gamma is None else self.inverse * self.gamma

    @property
    def rows(self):
        return self.flat.size // self.channels

    def tile(self, values):
        """What belongs to each channel, repeated along a tile."""
        return np.tile(values, self.width // self.channels)

    def partial(self):
        """Room for one partial result a block."""
        return empty((block_count(self.flat.size, self.width), self.width), self.x.dtype)

    def total(self, partial):
        """The blocks' results added up in order, in float64."""
        return partial[:, : self.channels].sum(axis=0, dtype=np.float64)

    def batch_moments(self):
        """Mean and variance (over rows, biased) of the batch.

        Blocks' means and squared deviations are joined as in Chan, Golub and LeVeque (1983), equations 2.1.
        """
        if self.flat.size == 0:
            return np.zeros(self.channels, self.x.dtype), np.ones(self.channels, self.x.dtype)
        means, squares = self.partial(), self.partial()
        kernels.moments(self.flat, self.channels, means, squares)
        block_rows = block_width(self.width) // self.channels
        counts = np.full((len(means), 1), block_rows, np.float64)
        counts[-1] = self.rows - block_rows * (len(means) - 1)
        means = means[:, : self.channels].astype(np.float64)
        mean = (counts * means).sum(axis=0) / self.rows
        square = self.total(squares) + (counts * (means - mean) ** 2).sum(axis=0)
        return mean.astype(self.x.dtype), (square / self.rows).astype(self.x.dtype)

    def forward(self):
        y = empty_like(self.x)
        beta = np.zeros_like(self.mean) if self.beta is None else self.beta
        tiles = [self.tile(values) for values in (self.mean, self.scale, beta)]
        kernels.normalize(self.flat, *tiles, y.reshape(-1))
        return y

    def backward(self, dy, wrt):
        dy = dy.reshape(-1)
        dbeta = dgamma = None
        if self.training or wrt[1] or wrt[2]:
            dy_sums, product_sums = self.partial(), self.partial()
            kernels.gradient_sums(dy, self.flat, self.channels, self.tile(self.mean), dy_sums, product_sums)
            dbeta, dgamma = self.total(dy_sums), self.total(product_sums) * self.inverse
        dx = self.data_gradient(dy, dgamma, dbeta) if wrt[0] else None
        dtype = self.x.dtype
        return dx, dgamma.astype(dtype) if wrt[1] else None, dbeta.astype(dtype) if wrt[2] else None

    def data_gradient(self, dy, dgamma, dbeta):
        """dx = scale (dy - (dbeta + xhat dgamma) / rows) in training, scale dy in inference."""
        dx = empty_like(self.x)
        if self.training:
            rows = max(self.rows, 1)
            factors = (self.mean, self.scale, -self.scale * self.inverse * dgamma / rows, -self.scale * dbeta / rows)
            tiles = [self.tile(values.astype(self.x.dtype)) for values in factors]
            kernels.normalize_backward(dy, self.flat, *tiles, dx.reshape(-1))
        else:
            zero = self.tile(np.zeros_like(self.mean))
            kernels.normalize(dy, zero, self.tile(self.scale), zero, dx.reshape(-1))
        return dx


def _observe(normalization, observe):
    if observe is not None and normalization.training and normalization.rows:
        observe(normalization.mean, normalization.var, normalization.rows)


@op("x", "gamma", "beta")
def batch_norm(x, gamma=None, beta=None, *, mean=None, var=None, eps=1e-5, observe=None):
    r"""Normalize every channel to mean 0 and variance 1, then scale and shift it.

    .. math::

        y = \gamma \, (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta

    (Ioffe and Szegedy, "Batch normalization" (ICML 2015), algorithm 1.) Without `mean` and `var` the moments are those
    of the batch, over all axes but the last, and gradients flow through them: training. With them they are
    constants: inference.

    Parameters
    ----------
    x : array, shape (n, ..., channels)
        float32 or float64.
    gamma, beta : array, shape (channels,), optional
        Scale (1 where not given) and shift (0 where not given).
    mean, var : array, shape (channels,), optional
        Moments to normalize with, constants without a gradient; both or neither.
    eps : float, default=1e-5
        Keeps the divisor from zero.
    observe : callable, optional
        Called in training with the batch's mean, its biased variance and the number of values in each channel: how a
        layer keeps running averages.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision.
    ValueError
        If shapes do not fit, one of `mean` and `var` is missing, or `eps` is not above 0.

    Notes
    -----
    The pullback returns dx, dgamma and dbeta, with

        dbeta = sum(dy), dgamma = sum(dy xhat), dx = gamma / sigma (dy - (dbeta + xhat dgamma) / rows)

    in training (the paper's section 3) and dx = gamma / sigma dy in inference. Moments are taken in two passes over
    blocks that are joined in float64, so a mean that is large beside the deviation does no harm. A channel with one
    value has variance 0 and becomes beta.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.batch_norm(np.array([[1.0], [3.0]]), eps=1e-12).ravel()
    array([-1.,  1.])
    """
    normalization = _Normalization(x, gamma, beta, mean, var, eps)
    _observe(normalization, observe)
    return normalization.forward()


@batch_norm.define_vjp
def _batch_norm_vjp(x, gamma=None, beta=None, *, mean=None, var=None, eps=1e-5, observe=None):
    normalization = _Normalization(x, gamma, beta, mean, var, eps)
    _observe(normalization, observe)
    return normalization.forward(), normalization.backward
