"""Transposed convolution layers."""

import math

import numpy as np

from neurojit.core.shapes import integers
from neurojit.functional import conv_transpose as F
from neurojit.functional.op import Op
from neurojit.layers.base import Layer, Parameter
from neurojit.layers.initializers import he_normal


class _ConvTranspose(Layer):
    """A transposed convolution over `rank` spatial axes; the weights start at He's normal draws, the bias at zero."""

    rank: int
    function: Op

    def __init__(
        self, filters, kernel_size, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1, use_bias=True
    ):
        (self.filters,) = integers(filters, "filters", 1)
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.output_padding = output_padding
        self.dilation = dilation
        (self.groups,) = integers(groups, "groups", 1)
        self.use_bias = use_bias
        self.weight = self.bias = None
        self._window = integers(kernel_size, "kernel_size", self.rank)

    def build(self, input_shape, key, dtype=np.float32):
        self.output_shape(input_shape)
        shape = (*self._window, self.filters // self.groups, input_shape[-1])
        # Windows that lie a stride apart overlap in so many taps, from each of which an output takes its inputs.
        overlap = math.prod(self._window) / math.prod(integers(self.stride, "stride", self.rank))
        fan_in = max(1, round(input_shape[-1] // self.groups * overlap))
        self.weight = Parameter(he_normal(shape, fan_in, key, dtype))
        self.bias = Parameter(np.zeros(self.filters, dtype)) if self.use_bias else None

    def absorb(self, scale, shift):
        """As `absorb_affine`, for weights whose last axis but one is that of the outputs of a group."""
        weight, dtype = self.weight.value, self.weight.value.dtype
        group_in = weight.shape[-1] // self.groups  # the last axis holds the inputs of one group after another
        by_weight = np.repeat(scale.reshape(self.groups, -1).T, group_in, axis=1)
        bias = np.zeros_like(scale) if self.bias is None else self.bias.value
        trainable = self.weight.trainable
        self.weight = Parameter((weight * by_weight).astype(dtype), trainable)
        self.bias = Parameter((bias * scale + shift).astype(dtype), trainable)
        self.use_bias = True
        return True

    def operation(self, mode):
        names = ("stride", "padding", "output_padding", "dilation", "groups")
        return type(self).function, (self.weight, self.bias), {name: getattr(self, name) for name in names}

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
        options = (self.stride, self.padding, self.output_padding, self.dilation)
        size, _ = F.output_size(tuple(spatial), self._window, *options)
        return (*size, self.filters)


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution over images.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int or (int, int)
        Height and width of the window.
    stride, padding, output_padding, dilation, groups
        As in `neurojit.functional.conv_transpose2d`.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (kernel_height, kernel_width, filters / groups, c_in)
    bias : Parameter, shape (filters,), or None

    See Also
    --------
    neurojit.functional.conv_transpose2d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import ConvTranspose2d
    >>> ConvTranspose2d(8, 4, stride=2, padding=1)(np.ones((2, 6, 6, 4), np.float32)).shape
    (2, 12, 12, 8)
    """

    rank = 2
    function = F.conv_transpose2d


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution over signals.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int
        Length of the window.
    stride, padding, output_padding, dilation, groups
        As in `neurojit.functional.conv_transpose1d`.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (kernel_size, filters / groups, c_in)
    bias : Parameter, shape (filters,), or None

    See Also
    --------
    neurojit.functional.conv_transpose1d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import ConvTranspose1d
    >>> ConvTranspose1d(8, 4, stride=2, padding=1)(np.ones((2, 10, 1), np.float32)).shape
    (2, 20, 8)
    """

    rank = 1
    function = F.conv_transpose1d


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution over volumes.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int or (int, int, int)
        Depth, height and width of the window.
    stride, padding, output_padding, dilation, groups
        As in `neurojit.functional.conv_transpose3d`.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (kernel_depth, kernel_height, kernel_width, filters / groups, c_in)
    bias : Parameter, shape (filters,), or None

    See Also
    --------
    neurojit.functional.conv_transpose3d : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import ConvTranspose3d
    >>> ConvTranspose3d(8, 4, stride=2, padding=1)(np.ones((2, 3, 4, 4, 2), np.float32)).shape
    (2, 6, 8, 8, 8)
    """

    rank = 3
    function = F.conv_transpose3d
