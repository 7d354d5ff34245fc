"""Normalization of each sample by its own moments: channel by channel, or in groups of channels."""

import numpy as np

from neurojit.core.cuda import on_device
from neurojit.core.memory import empty, empty_like
from neurojit.core.shapes import integers
from neurojit.functional.columns import tile_width
from neurojit.functional.device_normalization import DeviceNormalization
from neurojit.functional.normalization import TILE, Normalization, check_channels
from neurojit.functional.op import op
from neurojit.kernels.cpu import sample_norm as kernels

# So few elements that a sample, with its gradient, stays in a core's second-level cache; so many samples that each core
# has some. Others are cut into blocks.
_MOST_ELEMENTS, _LEAST_SAMPLES = 1 << 18, 4


def _samples(x, gamma, beta, groups, eps):
    """Normalization by moments of each sample; `groups` None is as many as channels."""
    x, gamma, beta = check_channels(x, eps, gamma=gamma, beta=beta)
    channels = x.shape[-1]
    (groups,) = (channels,) if groups is None else integers(groups, "groups", 1)
    if channels % groups:
        raise ValueError(f"groups: got {groups}, wanted a divisor of the {channels} channels")
    if on_device(x):
        return DeviceNormalization(x, gamma, beta, len(x), groups, eps)
    if len(x) >= _LEAST_SAMPLES and 0 < x[0].size <= _MOST_ELEMENTS:
        return _WholeSamples(x, gamma, beta, groups, eps)
    return Normalization(x, gamma, beta, len(x), groups, eps)


class _WholeSamples:
    """One call's arrays, where a task takes a whole sample."""

    def __init__(self, x, gamma, beta, groups, eps):
        self.x, self.flat = x, x.reshape(len(x), -1)
        self.channels, self.groups, self.eps = x.shape[-1], groups, float(eps)
        width = tile_width(self.channels, TILE)
        repeats = width // self.channels
        one, zero = np.ones(width, x.dtype), np.zeros(width, x.dtype)
        self.gamma = one if gamma is None else np.tile(gamma, repeats)
        self.beta = zero if beta is None else np.tile(beta, repeats)
        self.mean, self.inverse, self.scale = empty((3, len(x), width), x.dtype)

    def forward(self):
        y = empty_like(self.x)
        numbers = self.channels, self.groups, self.gamma, self.beta, self.eps
        kernels.normalize_samples(self.flat, *numbers, self.mean, self.inverse, self.scale, y.reshape(self.flat.shape))
        return y

    def backward(self, dy, wrt):
        dx = empty(self.x.shape if wrt[0] else (len(self.x), 0), dy.dtype)
        dy_sum, product_sum, *factors = empty((4, *self.mean.shape), dy.dtype)
        flat = dy.reshape(self.flat.shape), self.flat
        moments = self.gamma, self.mean, self.inverse, self.scale
        sums = dy_sum, product_sum, *factors
        kernels.samples_backward(*flat, self.channels, self.groups, *moments, *sums, dx.reshape(len(dx), -1))
        dbeta, dgamma = (s[:, : self.channels].sum(axis=0, dtype=np.float64).astype(dy.dtype) for s in sums[:2])
        return dx if wrt[0] else None, dgamma if wrt[1] else None, dbeta if wrt[2] else None


@op("x", "gamma", "beta")
def instance_norm(x, gamma=None, beta=None, *, eps=1e-5):
    """Normalize every channel of every sample by its own moments, then scale and shift it.

    y[n, ..., c] = gamma[c] (x[n, ..., c] - mean) / sqrt(var + eps) + beta[c], with moments over the positions of sample
    n (Ulyanov, Vedaldi and Lempitsky, arXiv:1607.08022, equation 4).

    Parameters
    ----------
    x : array, shape (n, ..., channels)
        float32 or float64.
    gamma, beta : array, shape (channels,), optional
        Scale (1 where not given) and shift (0 where not given).
    eps : float, default=1e-5
        Keeps the divisor from zero.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision.
    ValueError
        If shapes do not fit or `eps` is not above 0.

    Notes
    -----
    The pullback returns dx, dgamma and dbeta: those of `batch_norm` in training, each sample being a batch.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.instance_norm(np.array([[1.0, 3.0], [10.0, 30.0]])[..., np.newaxis], eps=1e-12)[..., 0]
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    return _samples(x, gamma, beta, None, eps).forward()


@instance_norm.define_vjp
def _instance_norm_vjp(x, gamma=None, beta=None, *, eps=1e-5):
    normalization = _samples(x, gamma, beta, None, eps)
    return normalization.forward(), normalization.backward


@op("x", "gamma", "beta")
def group_norm(x, gamma=None, beta=None, *, groups, eps=1e-5):
    """Normalize groups of channels of every sample by their own moments, then scale and shift each channel.

    Moments are over the positions and the channels / groups neighbouring channels of a group (Wu and He, "Group
    normalization" (ECCV 2018), equation 7).

    Parameters
    ----------
    x : array, shape (n, ..., channels)
        float32 or float64.
    gamma, beta : array, shape (channels,), optional
        Scale (1 where not given) and shift (0 where not given).
    groups : int
        A divisor of the channels.
    eps : float, default=1e-5
        Keeps the divisor from zero.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or `groups` is not an integer.
    ValueError
        If shapes do not fit, `groups` does not divide the channels, or `eps` is not above 0.

    Notes
    -----
    The pullback returns dx, dgamma and dbeta. With the means of gamma dy and of gamma dy xhat over a group,

        dx = (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat)) / sigma

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), groups=2, eps=1e-12)
    array([[-1.,  1., -1.,  1.]])
    """
    return _samples(x, gamma, beta, groups, eps).forward()


@group_norm.define_vjp
def _group_norm_vjp(x, gamma=None, beta=None, *, groups, eps=1e-5):
    normalization = _samples(x, gamma, beta, groups, eps)
    return normalization.forward(), normalization.backward
