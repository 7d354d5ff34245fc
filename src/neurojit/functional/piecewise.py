"""Activations made of straight lines."""

import math

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import on_device
from neurojit.core.memory import empty_like
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.devices import kernel_for
from neurojit.functional.elementwise import apply, pullback_of
from neurojit.functional.op import op
from neurojit.kernels.cpu import piecewise as kernels


@op("x")
def relu(x):
    """Rectifier, y = max(0, x) (Nair and Hinton, ICML 2010, section 2).

    Parameters
    ----------
    x : array, any shape
        float32 or float64.

    Returns
    -------
    array, shape of `x`
        A NaN stays a NaN.

    Raises
    ------
    TypeError
        If `x` is not of real numbers.

    Notes
    -----
    The pullback gives dx = dy where y > 0, else 0. It looks at y, which must therefore be left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return apply(kernels.relu_forward, canonical(x, "x"))


@relu.define_vjp
def _relu_vjp(x):
    y = relu(x)
    return y, pullback_of(kernels.relu_backward, y)


@op("x")
def leaky_relu(x, slope=0.01):
    """Rectifier with a slope below zero, y = x where x > 0, else slope x (Maas, Hannun and Ng 2013, equation 2).

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    slope : float, default=0.01

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers.

    Notes
    -----
    The pullback gives dx = dy where x > 0, else slope dy.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.leaky_relu(np.array([-1.0, 2.0]), 0.1)
    array([-0.1,  2. ])
    """
    return apply(kernels.leaky_relu_forward, canonical(x, "x"), float(slope))


@leaky_relu.define_vjp
def _leaky_relu_vjp(x, slope=0.01):
    x = canonical(x, "x")
    return leaky_relu(x, slope), pullback_of(kernels.leaky_relu_backward, x, float(slope))


def _slopes(x, slope):
    """Canonical x and slope, and the slopes of the columns of x when its rows are as long as they are many."""
    x = canonical(x, "x")
    slope = canonical(slope, "slope", dtype=x.dtype)
    try:
        fits = np.broadcast_shapes(x.shape, slope.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"slope: got shape {slope.shape}, wanted one that broadcasts to x's {x.shape}")
    own = slope.shape[next((i for i, n in enumerate(slope.shape) if n != 1), slope.ndim) :]
    if x.shape[x.ndim - len(own) :] == own:
        return x, slope, slope.reshape(-1)
    if on_device(x):
        raise NotImplementedError(
            f"slope: got shape {slope.shape} on the device, wanted the last axes of x's {x.shape}, or ones before them"
        )
    return x, slope, np.ascontiguousarray(np.broadcast_to(slope, x.shape)).reshape(-1)


def _prelu_rows(x, columns):
    """Arrays like x as rows; one slope for all is spread along the last axis, so that rows are not single numbers."""
    if columns.size == 1 and not on_device(x) and x.ndim and x.shape[-1] > 1:
        columns = np.full(x.shape[-1], columns[0], columns.dtype)
    return columns, (x.size // max(1, columns.size), columns.size)


@op("x", "slope")
def prelu(x, slope):
    """Rectifier with learned slopes below zero, y = x where x > 0, else slope x.

    He, Zhang, Ren and Sun, "Delving deep into rectifiers" (ICCV 2015), equation 1.

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    slope : array
        Broadcasts to the shape of `x`: one number, or one for each channel with shape (channels,).

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision.
    ValueError
        If `slope` does not broadcast to `x`.

    Notes
    -----
    The pullback gives dx = dy where x > 0, else slope dy, and dslope = the sum of dy x where x <= 0 over all places
    that share a slope (the paper's equation 3).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.prelu(np.array([[-1.0, -1.0], [2.0, 2.0]]), np.array([0.1, 0.5]))
    array([[-0.1, -0.5],
           [ 2. ,  2. ]])
    """
    x, _, columns = _slopes(x, slope)
    columns, rows = _prelu_rows(x, columns)
    y = empty_like(x)
    kernel_for(kernels.prelu_forward, x)(x.reshape(rows), columns, y.reshape(rows))
    return y


@prelu.define_vjp
def _prelu_vjp(x, slope):
    x, slope, columns = _slopes(x, slope)
    columns, rows = _prelu_rows(x, columns)
    y = prelu(x, slope)

    def pullback(dy, wrt):
        dx, product = empty_like(x), empty_like(x)
        run = kernel_for(kernels.prelu_backward, x)
        run(dy.reshape(rows), x.reshape(rows), columns, dx.reshape(rows), product.reshape(rows))
        return dx if wrt[0] else None, _sum_to(product, slope.shape) if wrt[1] else None

    return y, pullback


def _sum_to(product, shape):
    """The sum of `product` over the axes along which an array of `shape` was spread."""
    if on_device(product):
        return sum_over_rows(product.reshape(-1, math.prod(shape))).reshape(shape)
    if shape and shape == product.shape[-1:]:
        return sum_over_rows(product)
    lacking = product.ndim - len(shape)
    spread = tuple(i for i, n in enumerate(product.shape) if i < lacking or (shape[i - lacking] == 1 and n != 1))
    return product.sum(axis=spread, dtype=np.float64).reshape(shape).astype(product.dtype)


@op("x")
def hard_sigmoid(x, slope=1 / 6, offset=0.5):
    """Sigmoid of straight lines, y = slope x + offset, held between 0 and 1.

    Courbariaux, Bengio and David, "BinaryConnect" (NIPS 2015), equation 3, with slope 1/2; the default is PyTorch's.

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    slope : float, default=1/6
    offset : float, default=0.5

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers.

    Notes
    -----
    The pullback gives dx = slope dy where 0 < slope x + offset < 1, else 0.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.hard_sigmoid(np.array([-4.0, 0.0, 3.0]))
    array([0. , 0.5, 1. ])
    """
    return apply(kernels.hard_sigmoid_forward, canonical(x, "x"), float(slope), float(offset))


@hard_sigmoid.define_vjp
def _hard_sigmoid_vjp(x, slope=1 / 6, offset=0.5):
    x = canonical(x, "x")
    return hard_sigmoid(x, slope, offset), pullback_of(kernels.hard_sigmoid_backward, x, float(slope), float(offset))


@op("x")
def hard_swish(x):
    """Swish with a `hard_sigmoid`, y = x min(1, max(0, x / 6 + 1 / 2)).

    Howard et al., "Searching for MobileNetV3" (ICCV 2019), section 5.2.

    Parameters
    ----------
    x : array, any shape
        float32 or float64.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers.

    Notes
    -----
    The pullback gives dx = 0 where x <= -3, dy where x >= 3, else dy (x / 3 + 1 / 2).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.hard_swish(np.array([-4.0, 1.0, 4.0])).round(4)
    array([0.    , 0.6667, 4.    ])
    """
    return apply(kernels.hard_swish_forward, canonical(x, "x"))


@hard_swish.define_vjp
def _hard_swish_vjp(x):
    x = canonical(x, "x")
    return hard_swish(x), pullback_of(kernels.hard_swish_backward, x)


@op("x")
def thresholded_relu(x, threshold=1.0):
    """Rectifier that lets pass what is above a threshold, y = x where x > threshold, else 0.

    Konda, Memisevic and Krueger (arXiv:1402.3337), section 3.

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    threshold : float, default=1.0

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers.

    Notes
    -----
    The pullback gives dx = dy where x > threshold, else 0.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.thresholded_relu(np.array([-1.0, 0.5, 2.0]))
    array([0., 0., 2.])
    """
    return apply(kernels.thresholded_relu_forward, canonical(x, "x"), float(threshold))


@thresholded_relu.define_vjp
def _thresholded_relu_vjp(x, threshold=1.0):
    x = canonical(x, "x")
    return thresholded_relu(x, threshold), pullback_of(kernels.thresholded_relu_backward, x, float(threshold))
