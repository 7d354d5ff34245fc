"""Normalization of rows: over the features of each position, by mean and variance or by the root mean square."""

import math

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import on_device
from neurojit.core.memory import empty
from neurojit.functional.device_normalization import DeviceRows
from neurojit.functional.normalization import check_eps
from neurojit.functional.op import op
from neurojit.kernels.cpu import row_norm as kernels
from neurojit.kernels.cpu.chunks import CHUNK


def _axes(axis, x):
    """The axes to normalize over, counted from the first."""
    axes = (axis,) if isinstance(axis, int) else axis
    if not isinstance(axes, tuple | list) or not axes or not all(isinstance(a, int) for a in axes):
        raise TypeError(f"axis: got {axis!r}, wanted an int or a tuple of ints")
    counted = tuple(a + x.ndim if a < 0 else a for a in axes)
    if not all(0 <= a < x.ndim for a in counted) or len(set(counted)) != len(counted):
        raise ValueError(f"axis: got {axis!r}, wanted different axes of an array of shape {x.shape}")
    return counted


class _Rows:
    """One call's arrays: x with its normalized axes last, as rows."""

    def __init__(self, x, gamma, beta, axis, eps, centered):
        x = canonical(x, "x")
        check_eps(eps)
        axes = _axes(axis, x)
        shape = tuple(x.shape[a] for a in axes)
        if 0 in shape:
            raise ValueError(f"x: got shape {x.shape}, wanted at least one value along axis {axis}")
        self.features, self.dtype = math.prod(shape), x.dtype
        self.order = (*(a for a in range(x.ndim) if a not in axes), *axes)
        moved = x.transpose(self.order)
        self.shape, self.x = moved.shape, np.ascontiguousarray(moved).reshape(-1)
        self.gamma = self._weights(gamma, "gamma", shape, 1)
        self.beta = self._weights(beta, "beta", shape, 0)
        self.eps, self.centered, self.affine_shape = float(eps), centered, shape
        self.mean, self.inverse = np.empty((2, self.x.size // self.features), x.dtype)

    def _weights(self, array, name, shape, default):
        if array is None:
            return np.full(self.features, default, self.dtype)
        return canonical(array, name, dtype=self.dtype, shape=shape).reshape(-1)

    def _unmoved(self, flat):
        """A result with its axes where those of x were."""
        moved = flat.reshape(self.shape)
        return np.ascontiguousarray(moved.transpose(np.argsort(self.order)))

    def forward(self):
        y = empty(self.x.shape, self.dtype)
        moments = self.mean, self.inverse
        kernels.normalize_rows(self.x, self.gamma, self.beta, self.eps, self.centered, *moments, y)
        return self._unmoved(y)

    def backward(self, dy, wrt):
        dy = np.ascontiguousarray(dy.transpose(self.order)).reshape(-1)
        step = max(1, CHUNK // self.features)
        dgamma, dbeta = empty((2, -(-len(self.mean) // step), self.features), self.dtype)
        dx = empty(self.x.size if wrt[0] else 0, self.dtype)
        moments = self.mean, self.inverse
        kernels.rows_backward(dy, self.x, self.gamma, step, self.centered, *moments, dgamma, dbeta, dx)
        sums = (
            s.sum(axis=0, dtype=np.float64).astype(self.dtype).reshape(self.affine_shape) if wanted else None
            for s, wanted in zip((dgamma, dbeta)[: len(wrt) - 1], wrt[1:], strict=True)
        )
        return self._unmoved(dx) if wrt[0] else None, *sums


def _rows(x, gamma, beta, axis, eps, centered):
    """One call's arrays, where they are."""
    return (_device_rows if on_device(x) else _Rows)(x, gamma, beta, axis, eps, centered)


def _device_rows(x, gamma, beta, axis, eps, centered):
    x = canonical(x, "x")
    check_eps(eps)
    axes = _axes(axis, x)
    shape = tuple(x.shape[a] for a in axes)
    if 0 in shape:
        raise ValueError(f"x: got shape {x.shape}, wanted at least one value along axis {axis}")
    gamma, beta = (
        None if a is None else canonical(a, name, dtype=x.dtype, shape=shape)
        for name, a in (("gamma", gamma), ("beta", beta))
    )
    return DeviceRows(x, gamma, beta, axes, eps, centered)


@op("x", "gamma", "beta")
def layer_norm(x, gamma=None, beta=None, *, axis=-1, eps=1e-5):
    r"""Normalize the features of every position to mean 0 and variance 1, then scale and shift each.

    .. math::

        y = \gamma \, (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta

    with moments over `axis` (Ba, Kiros and Hinton, arXiv:1607.06450, equation 4).

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    gamma, beta : array, shape of `x` along `axis`, optional
        Scale (1 where not given) and shift (0 where not given).
    axis : int or tuple of int, default=-1
        The axes normalized over, ``(1, 2, 3)`` for whole images; others than the last ones cost a copy.
    eps : float, default=1e-5
        Keeps the divisor from zero.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or `axis` is no int.
    ValueError
        If shapes do not fit, an axis does not exist or is empty, or `eps` is not above 0.

    Notes
    -----
    The pullback returns dx, dgamma and dbeta; with means over `axis`,

        dx = (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat)) / sigma

    Moments are taken in two passes, of deviations from the first value: a mean that is large beside the deviation does
    no harm.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), eps=1e-12)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    return _rows(x, gamma, beta, axis, eps, centered=True).forward()


@layer_norm.define_vjp
def _layer_norm_vjp(x, gamma=None, beta=None, *, axis=-1, eps=1e-5):
    rows = _rows(x, gamma, beta, axis, eps, centered=True)
    return rows.forward(), rows.backward


@op("x", "gamma")
def rms_norm(x, gamma=None, *, axis=-1, eps=1e-5):
    """Divide the features of every position by their root mean square, then scale each.

    y = gamma x / sqrt(mean(x^2) + eps), the mean being over `axis` (Zhang and Sennrich, "Root mean square layer
    normalization" (NeurIPS 2019), equation 4).

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    gamma : array, shape of `x` along `axis`, optional
        Scale; 1 where not given.
    axis : int or tuple of int, default=-1
        The axes normalized over; others than the last ones cost a copy.
    eps : float, default=1e-5
        Keeps the divisor from zero.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError, ValueError
        As `layer_norm`.

    Notes
    -----
    The pullback returns dx and dgamma; with xhat = x / rms and means over `axis`,
    dx = (gamma dy - xhat mean(gamma dy xhat)) / rms.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.rms_norm(np.array([[3.0, 3.0, -3.0]]), eps=1e-12)
    array([[ 1.,  1., -1.]])
    """
    return _rows(x, gamma, None, axis, eps, centered=False).forward()


@rms_norm.define_vjp
def _rms_norm_vjp(x, gamma=None, *, axis=-1, eps=1e-5):
    rows = _rows(x, gamma, None, axis, eps, centered=False)
    return rows.forward(), rows.backward
