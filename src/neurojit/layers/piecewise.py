"""Layers of activations made of straight lines."""

import numpy as np

from neurojit import functional as F
from neurojit.layers.base import Layer, Parameter


class ReLU(Layer):
    """Rectifier, max(0, x).

    See Also
    --------
    neurojit.functional.relu : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import ReLU
    >>> ReLU()(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    def operation(self, mode):
        return F.relu, (), {}


class LeakyReLU(Layer):
    """Rectifier with a slope below zero.

    Parameters
    ----------
    slope : float, default=0.01

    See Also
    --------
    neurojit.functional.leaky_relu : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LeakyReLU
    >>> LeakyReLU(0.5)(np.array([[-1.0, 2.0]]))
    array([[-0.5,  2. ]])
    """

    def __init__(self, slope=0.01):
        self.slope = slope

    def operation(self, mode):
        return F.leaky_relu, (), {"slope": self.slope}


class PReLU(Layer):
    """Rectifier with a learned slope below zero for each channel (He, Zhang, Ren and Sun, ICCV 2015).

    Parameters
    ----------
    start : float, default=0.25
        The slopes at first.

    Attributes
    ----------
    slope : Parameter, shape (channels,)

    See Also
    --------
    neurojit.functional.prelu : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import PReLU
    >>> PReLU()(np.array([[-1.0, 2.0]]))
    array([[-0.25,  2.  ]])
    """

    def __init__(self, start=0.25):
        self.start = start
        self.slope = None

    def build(self, input_shape, key, dtype=np.float32):
        self.slope = Parameter(np.full(input_shape[-1], self.start, dtype))

    def operation(self, mode):
        return F.prelu, (self.slope,), {}


class HardSigmoid(Layer):
    """Sigmoid of straight lines.

    Parameters
    ----------
    slope : float, default=1/6
    offset : float, default=0.5

    See Also
    --------
    neurojit.functional.hard_sigmoid : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import HardSigmoid
    >>> HardSigmoid()(np.array([[-4.0, 0.0, 4.0]]))
    array([[0. , 0.5, 1. ]])
    """

    def __init__(self, slope=1 / 6, offset=0.5):
        self.slope = slope
        self.offset = offset

    def operation(self, mode):
        return F.hard_sigmoid, (), {"slope": self.slope, "offset": self.offset}


class HardSwish(Layer):
    """Swish with a sigmoid of straight lines.

    See Also
    --------
    neurojit.functional.hard_swish : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import HardSwish
    >>> HardSwish()(np.array([[-4.0, 0.0, 4.0]]))
    array([[0., 0., 4.]])
    """

    def operation(self, mode):
        return F.hard_swish, (), {}


class ThresholdedReLU(Layer):
    """Rectifier that lets pass what is above a threshold.

    Parameters
    ----------
    threshold : float, default=1.0

    See Also
    --------
    neurojit.functional.thresholded_relu : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import ThresholdedReLU
    >>> ThresholdedReLU()(np.array([[0.5, 2.0]]))
    array([[0., 2.]])
    """

    def __init__(self, threshold=1.0):
        self.threshold = threshold

    def operation(self, mode):
        return F.thresholded_relu, (), {"threshold": self.threshold}
