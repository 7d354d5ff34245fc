"""Normalization on the device: the classes of the host's, with the device's kernels."""

import math

import numpy as np

from neurojit.core.cuda import device_empty, device_empty_like, to_device
from neurojit.functional.columns import over_parts
from neurojit.functional.layout import with_axes_last, with_last_axes_at
from neurojit.kernels.cuda import norm, row_norm

_BLOCKS = 264  # so many keep the largest GPUs busy
_LEAST_ROWS = 64
_MOST_PARTS = 128


class DeviceNormalization:
    """One call's arrays: x as images that have moments of their own; see `Normalization` for the arguments."""

    def __init__(self, x, gamma, beta, images, groups, eps, moments=None):
        self.x, self.groups, self.images, self.channels = x, groups, images, x.shape[-1]
        none = device_empty(0, x.dtype)
        self.gamma, self.beta = none if gamma is None else gamma, none if beta is None else beta
        self.rows = x.size // max(1, images * self.channels)
        blocks = -(-_BLOCKS // max(1, images * -(-self.channels // norm.LANES)))
        self.block_rows = max(_LEAST_ROWS, -(-self.rows // blocks))
        self.through_moments = moments is None
        shape = images * self.channels
        self.inverse = device_empty(shape, x.dtype)
        if moments is not None:
            self.mean, self.var = moments
            norm.invert_deviation(self.var, float(eps), self.inverse)
        elif self.rows == 0:
            self.mean = to_device(np.zeros(shape, x.dtype))
            self.var = self.inverse = to_device(np.ones(shape, x.dtype))
        else:
            self.mean, self.var = device_empty(shape, x.dtype), device_empty(shape, x.dtype)
            means, squares = self._partial(), self._partial()
            norm.block_moments(x.reshape(-1), images, self.rows, self.channels, self.block_rows, means, squares)
            numbers = self.rows, self.block_rows, self.channels, groups, float(eps)
            norm.join_moments(means, squares, *numbers, self.mean, self.var, self.inverse)

    def _partial(self):
        """Room for one number a channel of a block."""
        return device_empty(self.images * -(-self.rows // self.block_rows) * self.channels, self.x.dtype)

    def forward(self):
        y = device_empty_like(self.x)
        known = self.mean, self.inverse, self.gamma, self.beta
        norm.normalize(self.x.reshape(-1), *known, self.rows, self.channels, y.reshape(-1))
        return y

    def backward(self, dy, wrt):
        dy, x = dy.reshape(-1), self.x.reshape(-1)
        dbeta, dgamma, by_mean, by_xhat = (device_empty_like(self.inverse) for _ in range(4))
        if self.rows == 0:
            dbeta.assign(np.zeros(dbeta.shape))
            dgamma.assign(np.zeros(dgamma.shape))
        elif self.through_moments or wrt[1] or wrt[2]:
            sums = self._partial(), self._partial()
            norm.gradient_sums(dy, x, self.mean, self.images, self.rows, self.channels, self.block_rows, *sums)
            numbers = self.rows, self.block_rows, self.channels, self.groups
            norm.join_gradients(*sums, self.inverse, self.gamma, *numbers, dbeta, dgamma, by_mean, by_xhat)
        dx = None
        if wrt[0]:
            dx = device_empty_like(self.x)
            if not self.through_moments:
                by_mean = by_xhat = device_empty(0, self.x.dtype)
            known = self.mean, self.inverse, self.gamma, by_mean, by_xhat
            norm.normalize_backward(dy, x, *known, self.rows, self.channels, dx.reshape(-1))
        dgamma, dbeta = (
            over_parts(values.reshape(self.images, self.channels)) if wanted else None
            for values, wanted in ((dgamma, wrt[1]), (dbeta, wrt[2]))
        )
        return dx, dgamma, dbeta


class DeviceRows:
    """One call's arrays: x as rows, its normalized axes behind all others.

    Parameters
    ----------
    x : DeviceArray
    gamma, beta : DeviceArray, shape of x along `axes`, or None
    axes : tuple of int
    eps : float
    centered : bool
    """

    def __init__(self, x, gamma, beta, axes, eps, centered):
        self.axes, self.eps, self.centered = axes, float(eps), int(centered)
        self.affine_shape = tuple(x.shape[axis] for axis in axes)
        self.features = features = math.prod(self.affine_shape)
        self.x = with_axes_last(x, axes)
        self.gamma = to_device(np.ones(features, x.dtype)) if gamma is None else gamma.reshape(-1)
        self.beta = to_device(np.zeros(features, x.dtype)) if beta is None else beta.reshape(-1)
        self.mean, self.inverse = (device_empty(x.size // features, x.dtype) for _ in range(2))

    def forward(self):
        y = device_empty_like(self.x)
        numbers = self.gamma, self.beta, self.eps, self.centered, self.mean, self.inverse
        row_norm.normalize_rows(self.x.reshape(-1), *numbers, y.reshape(-1))
        return with_last_axes_at(y, self.axes)

    def backward(self, dy, wrt):
        flat = with_axes_last(dy, self.axes).reshape(-1), self.x.reshape(-1)
        moments = self.mean, self.inverse
        dx = None
        if wrt[0]:
            dx = device_empty_like(self.x)
            row_norm.rows_data_gradient(*flat, self.gamma, self.centered, *moments, dx.reshape(-1))
            dx = with_last_axes_at(dx, self.axes)
        if not any(wrt[1:]):
            return (dx, *[None] * (len(wrt) - 1))
        parts = max(1, min(_MOST_PARTS, self.mean.size // _LEAST_ROWS))
        dgamma, dbeta = (device_empty((parts, self.features), dy.dtype) for _ in range(2))
        row_norm.rows_weight_gradient(*flat, *moments, dgamma, dbeta)
        sums = zip((dgamma, dbeta), wrt[1:], strict=False)
        return (dx, *(over_parts(s).reshape(self.affine_shape) if wanted else None for s, wanted in sums))
