"""The dense layer."""

import numpy as np

from neurojit.core.shapes import integers
from neurojit.functional.dense import dense
from neurojit.layers.affine import absorb_affine
from neurojit.layers.base import Layer, Parameter
from neurojit.layers.initializers import he_normal


class Dense(Layer):
    """Affine map of the last axis, y = x W + b.

    Parameters
    ----------
    units : int
        Outputs.
    use_bias : bool, default=True
        Whether b is there; it starts at zero.
    gain : float, default=1.0
        W starts at He's normal draws times this. With 0.1 in the last layer of a classifier all classes start about
        equally likely, and nothing has to be unlearnt first.

    Attributes
    ----------
    weight : Parameter, shape (c_in, units)
    bias : Parameter, shape (units,), or None

    See Also
    --------
    neurojit.functional.dense : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Dense
    >>> Dense(3)(np.ones((2, 5), np.float32)).shape
    (2, 3)
    """

    def __init__(self, units, use_bias=True, gain=1.0):
        (self.units,) = integers(units, "units", 1)
        if not 0 <= gain < np.inf:
            raise ValueError(f"gain: got {gain!r}, wanted a finite number >= 0")
        self.use_bias = use_bias
        self.gain = gain
        self.weight = self.bias = None

    def build(self, input_shape, key, dtype=np.float32):
        c_in = input_shape[-1]
        self.weight = Parameter(self.gain * he_normal((c_in, self.units), c_in, key, dtype))
        self.bias = Parameter(np.zeros(self.units, dtype)) if self.use_bias else None

    def operation(self, mode):
        return dense, (self.weight, self.bias), {}

    def absorb(self, scale, shift):
        return absorb_affine(self, scale, shift)

    def output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)
