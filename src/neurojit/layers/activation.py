"""Layers of smooth activations, softmax among them."""

from neurojit import functional as F
from neurojit.layers.base import Layer


class ELU(Layer):
    """Exponential linear unit.

    Parameters
    ----------
    alpha : float, default=1.0
        -alpha is the limit far below zero.

    See Also
    --------
    neurojit.functional.elu : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import ELU
    >>> ELU()(np.array([[-np.inf, 2.0]]))
    array([[-1.,  2.]])
    """

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def operation(self, mode):
        return F.elu, (), {"alpha": self.alpha}


class GELU(Layer):
    """Gaussian error linear unit.

    Parameters
    ----------
    approximate : bool, default=False
        Whether to take the approximation by tanh.

    See Also
    --------
    neurojit.functional.gelu : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import GELU
    >>> GELU()(np.array([[0.0, 1.0]])).round(4)
    array([[0.    , 0.8413]])
    """

    def __init__(self, approximate=False):
        self.approximate = approximate

    def operation(self, mode):
        return F.gelu, (), {"approximate": self.approximate}


class SiLU(Layer):
    """Sigmoid linear unit, also called swish.

    See Also
    --------
    neurojit.functional.silu : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import SiLU
    >>> SiLU()(np.array([[0.0, 1.0]])).round(4)
    array([[0.    , 0.7311]])
    """

    def operation(self, mode):
        return F.silu, (), {}


class Sigmoid(Layer):
    """Logistic function.

    See Also
    --------
    neurojit.functional.sigmoid : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Sigmoid
    >>> Sigmoid()(np.array([[0.0, np.inf]]))
    array([[0.5, 1. ]])
    """

    def operation(self, mode):
        return F.sigmoid, (), {}


class Tanh(Layer):
    """Hyperbolic tangent.

    See Also
    --------
    neurojit.functional.tanh : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Tanh
    >>> Tanh()(np.array([[0.0, np.inf]]))
    array([[0., 1.]])
    """

    def operation(self, mode):
        return F.tanh, (), {}


class Softplus(Layer):
    """Smooth rectifier, log(1 + exp(x)).

    See Also
    --------
    neurojit.functional.softplus : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Softplus
    >>> Softplus()(np.array([[0.0, np.inf]])).round(4)
    array([[0.6931,    inf]])
    """

    def operation(self, mode):
        return F.softplus, (), {}


class CELU(Layer):
    """Continuously differentiable exponential linear unit.

    Parameters
    ----------
    alpha : float, default=1.0
        -alpha is the limit far below zero.

    See Also
    --------
    neurojit.functional.celu : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import CELU
    >>> CELU()(np.array([[-np.inf, 2.0]]))
    array([[-1.,  2.]])
    """

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def operation(self, mode):
        return F.celu, (), {"alpha": self.alpha}


class SELU(Layer):
    """Scaled exponential linear unit.

    See Also
    --------
    neurojit.functional.selu : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import SELU
    >>> SELU()(np.array([[0.0, 1.0]])).round(4)
    array([[0.    , 1.0507]])
    """

    def operation(self, mode):
        return F.selu, (), {}


class Mish(Layer):
    """Mish, x tanh(log(1 + exp(x))).

    See Also
    --------
    neurojit.functional.mish : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Mish
    >>> Mish()(np.array([[0.0, 1.0]])).round(4)
    array([[0.    , 0.8651]])
    """

    def operation(self, mode):
        return F.mish, (), {}


class Softmax(Layer):
    """Probabilities from logits along an axis.

    Parameters
    ----------
    axis : int, default=-1
        The axis of the classes.

    See Also
    --------
    neurojit.functional.softmax : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Softmax
    >>> Softmax()(np.array([[1.0, 1.0]]))
    array([[0.5, 0.5]])
    """

    def __init__(self, axis=-1):
        self.axis = axis

    def operation(self, mode):
        return F.softmax, (), {"axis": self.axis}


class LogSoftmax(Layer):
    """Logarithms of probabilities from logits along an axis.

    Parameters
    ----------
    axis : int, default=-1
        The axis of the classes.

    See Also
    --------
    neurojit.functional.log_softmax : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LogSoftmax
    >>> LogSoftmax()(np.array([[0.0, 1000.0]]))
    array([[-1000.,     0.]])
    """

    def __init__(self, axis=-1):
        self.axis = axis

    def operation(self, mode):
        return F.log_softmax, (), {"axis": self.axis}
