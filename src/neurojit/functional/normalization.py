"""Normalization of channels: over a batch, and over samples too large to be worked on whole."""

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import on_device
from neurojit.core.device import thread_count
from neurojit.core.memory import empty, empty_like
from neurojit.functional.columns import block_count, block_width, tile_width
from neurojit.functional.device_normalization import DeviceNormalization
from neurojit.functional.op import op
from neurojit.kernels.cpu import norm as kernels
from neurojit.kernels.cuda import norm as device_kernels

TILE = 64  # about as much as the kernels take in one step, so that they walk through memory in order


def check_eps(eps):
    """Raise ValueError unless `eps` is above 0."""
    if not eps > 0:
        raise ValueError(f"eps: got {eps!r}, wanted a number > 0")


def check_channels(x, eps, **of_channels):
    """Canonical x and what belongs to its channels."""
    x = canonical(x, "x")
    if x.ndim < 2 or x.shape[-1] < 1:
        raise ValueError(f"x: got shape {x.shape}, wanted (n, ..., channels) with at least one channel")
    check_eps(eps)
    shape = (x.shape[-1],)
    return x, *(
        None if a is None else canonical(a, name, dtype=x.dtype, shape=shape) for name, a in of_channels.items()
    )


class Normalization:
    """One call's arrays: x as images that have moments of their own, and what belongs to each of their channels.

    Parameters
    ----------
    x, gamma, beta : canonical arrays
    images : int
        1 for moments of the whole batch, else the number of samples.
    groups : int
        Into how many parts the channels fall that share their moments; as many as channels where each has its own.
    eps : float
    moments : (mean, var) or None
        Constants of each channel to normalize with; None takes those of `x`.
    """

    def __init__(self, x, gamma, beta, images, groups, eps, moments=None):
        self.x, self.gamma, self.beta, self.groups = x, gamma, beta, groups
        self.channels = x.shape[-1]
        self.width = tile_width(self.channels, TILE)
        self.images = x.reshape(images, x.size // max(images, 1))
        self.rows = self.images.shape[1] // self.channels  # in each image
        self.blocks = block_count(self.images.shape[1], self.width)
        self.through_moments = moments is None
        self.mean, self.var = self._moments() if moments is None else (a[np.newaxis] for a in moments)
        self.inverse = (1.0 / np.sqrt(self.var.astype(np.float64) + eps)).astype(x.dtype)
        self.scale = self.inverse if gamma is None else self.inverse * gamma

    def _tiles(self, values):
        """What belongs to each channel, (images or 1, channels), repeated along a tile."""
        values = np.ascontiguousarray(values, self.x.dtype)
        return values if self.width == self.channels else np.tile(values, (1, self.width // self.channels))

    def _partial(self):
        """Room for one partial result a block."""
        return empty((len(self.images), self.blocks, self.width), self.x.dtype)

    def _joined(self, partial):
        """The blocks' results added up in order, in float64: (images, channels)."""
        total = np.empty((len(self.images), self.channels))
        kernels.join_sums(partial, self.channels, total)
        return total

    def _over_groups(self, values):
        """The mean of `values` (images, channels) over the channels of a group, for each of these channels."""
        if self.groups == self.channels:
            return values
        parts = values.reshape(len(values), self.groups, -1)
        return np.repeat(parts.mean(axis=2), parts.shape[2], axis=1)

    def _moments(self):
        """Mean and biased variance of each channel of each image, or of the group it is in: (images, channels)."""
        mean, square = np.empty((2, len(self.images), self.channels))
        if self.rows == 0:
            return np.zeros(mean.shape, self.x.dtype), np.ones(mean.shape, self.x.dtype)
        means, squares = self._partial(), self._partial()
        kernels.moments(self.images, self.channels, means, squares)
        block_rows = block_width(self.width) // self.channels
        kernels.join_moments(means, squares, self.channels, self.rows, block_rows, mean, square)
        shared = self._over_groups(mean)
        var = self._over_groups(square / self.rows + (mean - shared) ** 2)
        return shared.astype(self.x.dtype), var.astype(self.x.dtype)

    def forward(self):
        y = empty_like(self.x)
        beta = np.zeros((1, self.channels)) if self.beta is None else self.beta[np.newaxis]
        beta = np.broadcast_to(beta, self.scale.shape)
        tiles = [self._tiles(values) for values in (self.mean, self.scale, beta)]
        kernels.normalize(self.images, self.blocks, thread_count(), *tiles, y.reshape(self.images.shape))
        return y

    def backward(self, dy, wrt):
        dy = dy.reshape(self.images.shape)
        dy_sums = product_sums = None
        if self.through_moments or wrt[1] or wrt[2]:
            dy_sums, product_sums = self._partial(), self._partial()
            kernels.gradient_sums(dy, self.images, self.channels, self._tiles(self.mean), dy_sums, product_sums)
            dy_sums, product_sums = self._joined(dy_sums), self._joined(product_sums) * self.inverse
        dx = self._data_gradient(dy, dy_sums, product_sums) if wrt[0] else None
        dtype = self.x.dtype
        dgamma = product_sums.sum(axis=0).astype(dtype) if wrt[1] else None
        return dx, dgamma, dy_sums.sum(axis=0).astype(dtype) if wrt[2] else None

    def _data_gradient(self, dy, dy_sums, product_sums):
        """dx = scale dy - inverse (mean of gamma dy + xhat times mean of gamma dy xhat), or only the first term."""
        dx = empty_like(self.x)
        flat = dx.reshape(self.images.shape)
        if self.through_moments:
            gamma = 1.0 if self.gamma is None else self.gamma.astype(np.float64)
            by_mean, by_xhat = (self._over_groups(gamma * s) / max(self.rows, 1) for s in (dy_sums, product_sums))
            factors = self.mean, self.scale, -(self.inverse**2) * by_xhat, -self.inverse * by_mean
            tiles = [self._tiles(values) for values in factors]
            kernels.normalize_backward(dy, self.images, self.blocks, thread_count(), *tiles, flat)
        else:
            zero = self._tiles(np.zeros_like(self.mean))
            kernels.normalize(dy, self.blocks, thread_count(), zero, self._tiles(self.scale), zero, flat)
        return dx


def follow(running, batch, momentum):
    """Move a running average towards a batch's, in place: running += momentum (batch - running)."""
    if on_device(running):
        device_kernels.blend(running, batch, momentum)
    else:
        running += momentum * (batch - running)


def _batch(x, gamma, beta, mean, var, eps, observe):
    if (mean is None) != (var is None):
        raise ValueError("mean, var: got one of them, wanted both (inference) or neither (training)")
    x, gamma, beta, mean, var = check_channels(x, eps, gamma=gamma, beta=beta, mean=mean, var=var)
    moments = None if mean is None else (mean, var)
    kind = DeviceNormalization if on_device(x) else Normalization
    normalization = kind(x, gamma, beta, 1, x.shape[-1], eps, moments)
    if observe is not None and moments is None and normalization.rows:
        shape = (x.shape[-1],)
        observe(normalization.mean.reshape(shape), normalization.var.reshape(shape), normalization.rows)
    return normalization


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
    return _batch(x, gamma, beta, mean, var, eps, observe).forward()


@batch_norm.define_vjp
def _batch_norm_vjp(x, gamma=None, beta=None, *, mean=None, var=None, eps=1e-5, observe=None):
    normalization = _batch(x, gamma, beta, mean, var, eps, observe)
    return normalization.forward(), normalization.backward
