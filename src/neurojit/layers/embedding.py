"""Vectors of tokens."""

import numpy as np

from neurojit.core.shapes import integers
from neurojit.functional.embedding import embedding
from neurojit.layers.base import INFERENCE, Layer, Parameter


class Embedding(Layer):
    """A vector for every token: the layer under a network that reads words or characters.

    Parameters
    ----------
    size : int
        Different tokens, 0 to size - 1.
    units : int
        Length of the vectors, which start as standard normal draws.

    Attributes
    ----------
    weight : Parameter, shape (size, units)

    See Also
    --------
    neurojit.functional.embedding : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Embedding
    >>> Embedding(10, 4)(np.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    def __init__(self, size, units):
        (self.size,) = integers(size, "size", 1)
        (self.units,) = integers(units, "units", 1)
        self.weight = None

    def build(self, input_shape, key, dtype=np.float32):
        self.weight = Parameter(key.normal((self.size, self.units), dtype=dtype))

    def output_shape(self, input_shape):
        return (*input_shape, self.units)

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return embedding(x, self.weight.value)

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        y, pullback = embedding.vjp(x, self.weight.value)

        def backward(dy, need_dx=True):
            return None, {self.weight: pullback(dy)} if self.weight.trainable else {}

        return y, backward
