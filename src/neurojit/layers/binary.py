"""Layers with binary weights, and binary inputs."""

import math

import numpy as np

from neurojit.core.shapes import integers
from neurojit.functional.binary_conv import binary_conv2d
from neurojit.functional.binary_dense import binary_dense
from neurojit.layers.base import Layer, Parameter
from neurojit.layers.conv import Conv2d
from neurojit.layers.initializers import he_normal


class BinaryConv2d(Layer):
    """Convolution over images with the signs of its weights, and of its inputs.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int or (int, int)
        Height and width of the window.
    binary_input : bool, default=True
        Whether the signs of the inputs are taken as well (XNOR-Net); with False the weights alone are binary (BWN).
    stride, padding, dilation
        As in `neurojit.functional.binary_conv2d`.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (kernel_height, kernel_width, c_in, filters)
        The weights before their signs are taken, which are what is trained.
    bias : Parameter, shape (filters,), or None

    See Also
    --------
    neurojit.functional.binary_conv2d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import BinaryConv2d
    >>> BinaryConv2d(8, 3, padding="same")(np.ones((2, 6, 6, 4), np.float32)).shape
    (2, 6, 6, 8)
    """

    def __init__(self, filters, kernel_size, *, binary_input=True, stride=1, padding=0, dilation=1, use_bias=True):
        (self.filters,) = integers(filters, "filters", 1)
        self.kernel_size = kernel_size
        self.binary_input = binary_input
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.use_bias = use_bias
        self.weight = self.bias = None
        self._window = integers(kernel_size, "kernel_size", 2)

    def build(self, input_shape, key, dtype=np.float32):
        self.output_shape(input_shape)
        shape = (*self._window, input_shape[-1], self.filters)
        self.weight = Parameter(he_normal(shape, math.prod(shape[:3]), key, dtype))
        self.bias = Parameter(np.zeros(self.filters, dtype)) if self.use_bias else None

    def operation(self, mode):
        names = ("binary_input", "stride", "padding", "dilation")
        return binary_conv2d, (self.weight, self.bias), {name: getattr(self, name) for name in names}

    def output_shape(self, input_shape):
        options = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        return Conv2d(self.filters, self.kernel_size, **options).output_shape(input_shape)


class BinaryDense(Layer):
    """Affine map of feature vectors by the signs of its weights, and of its inputs.

    Parameters
    ----------
    units : int
        Outputs.
    binary_input : bool, default=True
        Whether the signs of the inputs are taken as well.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (c_in, units)
        The weights before their signs are taken, which are what is trained.
    bias : Parameter, shape (units,), or None

    See Also
    --------
    neurojit.functional.binary_dense : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import BinaryDense
    >>> BinaryDense(3)(np.ones((2, 5), np.float32)).shape
    (2, 3)
    """

    def __init__(self, units, binary_input=True, use_bias=True):
        (self.units,) = integers(units, "units", 1)
        self.binary_input = binary_input
        self.use_bias = use_bias
        self.weight = self.bias = None

    def build(self, input_shape, key, dtype=np.float32):
        (c_in,) = input_shape
        self.weight = Parameter(he_normal((c_in, self.units), c_in, key, dtype))
        self.bias = Parameter(np.zeros(self.units, dtype)) if self.use_bias else None

    def operation(self, mode):
        return binary_dense, (self.weight, self.bias), {"binary_input": self.binary_input}

    def output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)
