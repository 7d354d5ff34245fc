"""Convolution layers."""

import math

import numpy as np

from neurojit.core.shapes import integers, output_size, paddings
from neurojit.functional import conv as F
from neurojit.functional.op import Op
from neurojit.layers.affine import absorb_affine
from neurojit.layers.base import Layer, Parameter
from neurojit.layers.initializers import he_normal


class _Conv(Layer):
    """A convolution over `rank` spatial axes; the weights start at He's normal draws, the bias at zero."""

    rank: int
    function: Op

    def __init__(self, filters, kernel_size, *, stride=1, padding=0, dilation=1, groups=1, use_bias=True):
        (self.filters,) = integers(filters, "filters", 1)
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.use_bias = use_bias
        self.weight = self.bias = None
        self._window = integers(kernel_size, "kernel_size", self.rank)

    def build(self, input_shape, key, dtype=np.float32):
        self.output_shape(input_shape)
        c_in = input_shape[-1] // self.groups
        shape = (*self._window, c_in, self.filters)
        self.weight = Parameter(he_normal(shape, c_in * math.prod(self._window), key, dtype))
        self.bias = Parameter(np.zeros(self.filters, dtype)) if self.use_bias else None

    def operation(self, mode):
        options = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": self.groups}
        return type(self).function, (self.weight, self.bias), options

    def absorb(self, scale, shift):
        return absorb_affine(self, scale, shift)

    def output_shape(self, input_shape):
        if len(input_shape) != self.rank + 1:
            raise ValueError(
                f"{type(self).__name__}: got inputs of shape {tuple(input_shape)} after the batch axis,"
                f" wanted {self.rank} spatial axes and the channels"
            )
        *spatial, c_in = input_shape
        if c_in % self.groups or self.filters % self.groups:
            raise ValueError(
                f"groups: got {self.groups}, wanted a divisor of {c_in} input channels and {self.filters} filters"
            )
        stride = integers(self.stride, "stride", self.rank)
        dilation = integers(self.dilation, "dilation", self.rank)
        padding = paddings(self.padding, tuple(spatial), self._window, stride, dilation)
        axes = zip(spatial, self._window, stride, padding, dilation, strict=True)
        return (*(output_size(*axis) for axis in axes), self.filters)


class Conv2d(_Conv):
    """Convolution over images.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int or (int, int)
        Height and width of the window.
    stride, padding, dilation, groups
        As in `neurojit.functional.conv2d`.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (kernel_height, kernel_width, c_in / groups, filters)
    bias : Parameter, shape (filters,), or None

    See Also
    --------
    neurojit.functional.conv2d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Conv2d
    >>> Conv2d(8, 3, padding="same")(np.ones((2, 6, 6, 1), np.float32)).shape
    (2, 6, 6, 8)
    """

    rank = 2
    function = F.conv2d


class Conv1d(_Conv):
    """Convolution over signals.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int
        Length of the window.
    stride, padding, dilation, groups
        As in `neurojit.functional.conv1d`.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (kernel_size, c_in / groups, filters)
    bias : Parameter, shape (filters,), or None

    See Also
    --------
    neurojit.functional.conv1d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Conv1d
    >>> Conv1d(8, 3, padding="causal", dilation=2)(np.ones((2, 10, 1), np.float32)).shape
    (2, 10, 8)
    """

    rank = 1
    function = F.conv1d


class Conv3d(_Conv):
    """Convolution over volumes, or clips of video.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int or (int, int, int)
        Depth, height and width of the window.
    stride, padding, dilation, groups
        As in `neurojit.functional.conv3d`.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (kernel_depth, kernel_height, kernel_width, c_in / groups, filters)
    bias : Parameter, shape (filters,), or None

    See Also
    --------
    neurojit.functional.conv3d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Conv3d
    >>> Conv3d(8, 3, padding="same")(np.ones((2, 4, 6, 6, 1), np.float32)).shape
    (2, 4, 6, 6, 8)
    """

    rank = 3
    function = F.conv3d
