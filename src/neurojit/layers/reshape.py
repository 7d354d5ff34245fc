"""Layers that give samples another shape."""

import math

from neurojit import functional as F
from neurojit.core.shapes import integers
from neurojit.functional.reshape import filled_shape
from neurojit.layers.base import Layer


class Flatten(Layer):
    """Make every sample one row.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Flatten
    >>> Flatten()(np.ones((2, 3, 3, 4), np.float32)).shape
    (2, 36)
    """

    def operation(self, mode):
        return F.flatten, (), {}

    def output_shape(self, input_shape):
        return (math.prod(input_shape),)


class Reshape(Layer):
    """Give every sample another shape.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of one sample; one length may be -1 and is then what remains.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Reshape
    >>> Reshape((-1, 2))(np.ones((5, 6), np.float32)).shape
    (5, 3, 2)
    """

    def __init__(self, shape):
        integers(shape, "shape", len(shape) if isinstance(shape, tuple | list) else 1, least=-1)
        self.shape = shape

    def operation(self, mode):
        return F.reshape, (), {"shape": self.shape}

    def output_shape(self, input_shape):
        return filled_shape(self.shape, math.prod(input_shape))
