"""Activations: functions of every number alone."""

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.memory import empty_like
from neurojit.functional.op import op
from neurojit.kernels.cpu import activation as kernels


def _apply(kernel, *arguments):
    """What a kernel makes of flat views of its arrays, in a new array like the first."""
    result = empty_like(arguments[0])
    flat = (a.reshape(-1) if isinstance(a, np.ndarray) else a for a in arguments)
    kernel(*flat, result.reshape(-1))
    return result


def _pullback(kernel, *kept):
    """The pullback of a function of one array, from its backward kernel and what that needs besides dy."""
    return lambda dy, wrt: (_apply(kernel, dy, *kept) if wrt[0] else None,)


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
    return _apply(kernels.relu_forward, canonical(x, "x"))


@relu.define_vjp
def _relu_vjp(x):
    y = relu(x)
    return y, _pullback(kernels.relu_backward, y)


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
    return _apply(kernels.leaky_relu_forward, canonical(x, "x"), float(slope))


@leaky_relu.define_vjp
def _leaky_relu_vjp(x, slope=0.01):
    x = canonical(x, "x")
    return leaky_relu(x, slope), _pullback(kernels.leaky_relu_backward, x, float(slope))


@op("x")
def elu(x, alpha=1.0):
    """Exponential linear unit, y = x where x > 0, else alpha (exp(x) - 1).

    Clevert, Unterthiner and Hochreiter (ICLR 2016), equation 15.

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    alpha : float, default=1.0
        -alpha is the limit far below zero.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers.

    Notes
    -----
    The pullback gives dx = dy where x > 0, else dy alpha exp(x).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.elu(np.array([-np.inf, 2.0]))
    array([-1.,  2.])
    """
    return _apply(kernels.elu_forward, canonical(x, "x"), float(alpha))


@elu.define_vjp
def _elu_vjp(x, alpha=1.0):
    x = canonical(x, "x")
    return elu(x, alpha), _pullback(kernels.elu_backward, x, float(alpha))


@op("x")
def gelu(x, approximate=False):
    """Gaussian error linear unit, y = x Phi(x), Phi the standard normal distribution function.

    Hendrycks and Gimpel (arXiv:1606.08415), section 2.

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    approximate : bool, default=False
        Whether to take the paper's y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 instead.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers.

    Notes
    -----
    The pullback gives dx = dy (Phi(x) + x phi(x)), phi the normal density, or the derivative of the approximation.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    return _apply(kernels.gelu_tanh_forward if approximate else kernels.gelu_forward, canonical(x, "x"))


@gelu.define_vjp
def _gelu_vjp(x, approximate=False):
    x = canonical(x, "x")
    return gelu(x, approximate), _pullback(kernels.gelu_tanh_backward if approximate else kernels.gelu_backward, x)


@op("x")
def silu(x):
    """Sigmoid linear unit or swish, y = x / (1 + exp(-x)) (Elfwing, Uchibe and Doya 2018, equation 8).

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
    With s = 1 / (1 + exp(-x)) the pullback gives dx = dy s (1 + x (1 - s)).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.silu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    return _apply(kernels.silu_forward, canonical(x, "x"))


@silu.define_vjp
def _silu_vjp(x):
    x = canonical(x, "x")
    return silu(x), _pullback(kernels.silu_backward, x)


@op("x")
def sigmoid(x):
    """Logistic function, y = 1 / (1 + exp(-x)).

    Parameters
    ----------
    x : array, any shape
        float32 or float64.

    Returns
    -------
    array, shape of `x`
        In float32 within 1e-7 and 4 units in the last place of the exact value, and monotone; below -88.7 it is 0.

    Raises
    ------
    TypeError
        If `x` is not of real numbers.

    Notes
    -----
    The pullback gives dx = dy y (1 - y) (Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 3.10). It
    looks at y, which must therefore be left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.sigmoid(np.array([-np.inf, 0.0, np.inf]))
    array([0. , 0.5, 1. ])
    """
    return _apply(kernels.sigmoid_forward, canonical(x, "x"))


@sigmoid.define_vjp
def _sigmoid_vjp(x):
    y = sigmoid(x)
    return y, _pullback(kernels.sigmoid_backward, y)


@op("x")
def tanh(x):
    """Hyperbolic tangent, y = tanh(x).

    Parameters
    ----------
    x : array, any shape
        float32 or float64.

    Returns
    -------
    array, shape of `x`
        In float32 within 1e-7 and 4 units in the last place of the exact value, and monotone.

    Raises
    ------
    TypeError
        If `x` is not of real numbers.

    Notes
    -----
    The pullback gives dx = dy (1 - y^2) (LeCun, Bottou, Orr and Müller, "Efficient BackProp" (1998), section 4.4). It
    looks at y, which must therefore be left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.tanh(np.array([-np.inf, 0.0, np.inf]))
    array([-1.,  0.,  1.])
    """
    return _apply(kernels.tanh_forward, canonical(x, "x"))


@tanh.define_vjp
def _tanh_vjp(x):
    y = tanh(x)
    return y, _pullback(kernels.tanh_backward, y)


@op("x")
def softplus(x):
    """Smooth rectifier, y = log(1 + exp(x)) (Dugas, Bengio, Bélisle, Nadeau and Garcia, NIPS 2000, equation 2).

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
    The pullback gives dx = dy / (1 + exp(-x)).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.softplus(np.array([-np.inf, 0.0, 50.0])).round(4)
    array([ 0.    ,  0.6931, 50.    ])
    """
    return _apply(kernels.softplus_forward, canonical(x, "x"))


@softplus.define_vjp
def _softplus_vjp(x):
    x = canonical(x, "x")
    return softplus(x), _pullback(kernels.softplus_backward, x)
