"""Weights as lengths and directions."""

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import on_device
from neurojit.functional.op import op


@op("direction", "gain")
def weight_norm(direction, gain):
    r"""Weights whose norm and direction are apart.

    .. math::

        w_j = g_j \frac{v_j}{\|v_j\|} \quad \text{for each output } j

    (Salimans and Kingma, "Weight normalization: a simple reparameterization to accelerate training of deep neural
    networks" (NIPS 2016), equation 2.)

    Parameters
    ----------
    direction : array, shape (..., outputs)
        v, float32 or float64; only the direction of each output's weights counts.
    gain : array, shape (outputs,)
        g, their norms, or the negative of them.

    Returns
    -------
    array, shape of `direction`
        NaN for an output whose direction is 0.

    Raises
    ------
    TypeError
        If the arrays are not of real numbers or differ in precision.
    ValueError
        If shapes do not fit.

    Notes
    -----
    The pullback gives, by equation 3,

    .. math::

        dg_j = dw_j \cdot \frac{v_j}{\|v_j\|}, \qquad
        dv_j = \frac{g_j}{\|v_j\|} \left( dw_j - dg_j \frac{v_j}{\|v_j\|} \right)

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.weight_norm(np.array([[3.0, 0.0], [4.0, 0.1]]), np.array([5.0, 2.0]))
    array([[3., 0.],
           [4., 2.]])
    """
    direction, gain = _check(direction, gain)
    return direction * (gain / _norms(direction))


@weight_norm.define_vjp
def _weight_norm_vjp(direction, gain):
    direction, gain = _check(direction, gain)
    norms = _norms(direction)
    scale = gain / norms

    def pullback(dy, wrt):
        unit = direction / norms
        dgain = _products(dy, unit)
        return scale * (dy - dgain * unit) if wrt[0] else None, dgain if wrt[1] else None

    return direction * scale, pullback


def _check(direction, gain):
    if on_device(direction) or on_device(gain):
        raise NotImplementedError("weight_norm has no CUDA kernel yet: use arrays on the host")
    direction = canonical(direction, "direction")
    if direction.ndim < 2:
        raise ValueError(f"direction: got shape {direction.shape}, wanted (..., outputs) with at least two axes")
    return direction, canonical(gain, "gain", dtype=direction.dtype, shape=direction.shape[-1:])


def _products(a, b):
    """Scalar products of two arrays, one for each output."""
    return (a * b).sum(axis=tuple(range(a.ndim - 1)))


def _norms(direction):
    """|v_j|, NaN where it is 0."""
    norms = np.sqrt(_products(direction, direction))
    return np.where(norms > 0, norms, direction.dtype.type(np.nan))
