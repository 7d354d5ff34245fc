"""Smooth activations: functions of every number alone."""

from neurojit.core.arrays import canonical
from neurojit.functional.elementwise import apply, pullback_of
from neurojit.functional.op import op
from neurojit.kernels.cpu import activation as kernels


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
    return apply(kernels.elu_forward, canonical(x, "x"), float(alpha), 1.0, 1.0)


@elu.define_vjp
def _elu_vjp(x, alpha=1.0):
    x = canonical(x, "x")
    return elu(x, alpha), pullback_of(kernels.elu_backward, x, float(alpha), 1.0, 1.0)


@op("x")
def celu(x, alpha=1.0):
    """Continuously differentiable exponential linear unit, y = x where x > 0, else alpha (exp(x / alpha) - 1).

    Barron (arXiv:1704.07483), equation 2.

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    alpha : float, default=1.0
        Above 0; -alpha is the limit far below zero.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers.
    ValueError
        If `alpha` is not above 0.

    Notes
    -----
    The pullback gives dx = dy where x > 0, else dy exp(x / alpha).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.celu(np.array([-np.inf, 2.0]), 0.5)
    array([-0.5,  2. ])
    """
    return apply(kernels.elu_forward, canonical(x, "x"), *_celu_numbers(alpha))


def _celu_numbers(alpha):
    if not alpha > 0:
        raise ValueError(f"alpha: got {alpha!r}, wanted a number > 0")
    return float(alpha), 1.0 / alpha, 1.0


@celu.define_vjp
def _celu_vjp(x, alpha=1.0):
    x = canonical(x, "x")
    return celu(x, alpha), pullback_of(kernels.elu_backward, x, *_celu_numbers(alpha))


# The fixed point at which activations of mean 0 and variance 1 stay so (Klambauer et al. 2017, equation 14).
_SELU_ALPHA, _SELU_GAIN = 1.6732632423543772, 1.0507009873554805
_SELU = (_SELU_GAIN * _SELU_ALPHA, 1.0, _SELU_GAIN)


@op("x")
def selu(x):
    """Scaled exponential linear unit, y = g x where x > 0, else g alpha (exp(x) - 1), g = 1.0507, alpha = 1.6733.

    Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks" (NIPS 2017), equation 2.

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
    The pullback gives dx = g dy where x > 0, else g alpha dy exp(x).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.selu(np.array([-np.inf, 1.0])).round(4)
    array([-1.7581,  1.0507])
    """
    return apply(kernels.elu_forward, canonical(x, "x"), *_SELU)


@selu.define_vjp
def _selu_vjp(x):
    x = canonical(x, "x")
    return selu(x), pullback_of(kernels.elu_backward, x, *_SELU)


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
    return apply(kernels.gelu_tanh_forward if approximate else kernels.gelu_forward, canonical(x, "x"))


@gelu.define_vjp
def _gelu_vjp(x, approximate=False):
    x = canonical(x, "x")
    return gelu(x, approximate), pullback_of(kernels.gelu_tanh_backward if approximate else kernels.gelu_backward, x)


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
    return apply(kernels.silu_forward, canonical(x, "x"))


@silu.define_vjp
def _silu_vjp(x):
    x = canonical(x, "x")
    return silu(x), pullback_of(kernels.silu_backward, x)


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
    return apply(kernels.sigmoid_forward, canonical(x, "x"))


@sigmoid.define_vjp
def _sigmoid_vjp(x):
    y = sigmoid(x)
    return y, pullback_of(kernels.sigmoid_backward, y)


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
    return apply(kernels.tanh_forward, canonical(x, "x"))


@tanh.define_vjp
def _tanh_vjp(x):
    y = tanh(x)
    return y, pullback_of(kernels.tanh_backward, y)


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
    return apply(kernels.softplus_forward, canonical(x, "x"))


@softplus.define_vjp
def _softplus_vjp(x):
    x = canonical(x, "x")
    return softplus(x), pullback_of(kernels.softplus_backward, x)


@op("x")
def mish(x):
    """Mish, y = x tanh(log(1 + exp(x))) (Misra, BMVC 2020, equation 1).

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
    With w = tanh(log(1 + exp(x))) the pullback gives dx = dy (w + x (1 - w^2) / (1 + exp(-x))).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.mish(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.3034,  0.    ,  0.8651])
    """
    return apply(kernels.mish_forward, canonical(x, "x"))


@mish.define_vjp
def _mish_vjp(x):
    x = canonical(x, "x")
    return mish(x), pullback_of(kernels.mish_backward, x)
