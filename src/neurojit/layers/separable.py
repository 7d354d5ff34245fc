"""Separable convolution layers: depthwise, depthwise then pointwise, columns then rows."""

import math

import numpy as np

from neurojit.core.shapes import integers
from neurojit.functional.conv import conv2d
from neurojit.layers.base import INFERENCE, Layer, Parameter
from neurojit.layers.combinators import Sequential
from neurojit.layers.conv import Conv2d
from neurojit.layers.initializers import he_normal


class DepthwiseConv2d(Layer):
    """Convolution of every channel of an image by itself.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of the window.
    multiplier : int, default=1
        Filters of each channel; output channel c * multiplier + r is filter r of channel c.
    stride, padding, dilation
        As in `neurojit.functional.conv2d`.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (kernel_height, kernel_width, 1, c_in * multiplier)
    bias : Parameter, shape (c_in * multiplier,), or None

    See Also
    --------
    neurojit.functional.conv2d : the equation, with as many groups as channels.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import DepthwiseConv2d
    >>> DepthwiseConv2d(3, multiplier=2, padding="same")(np.ones((2, 6, 6, 4), np.float32)).shape
    (2, 6, 6, 8)
    """

    def __init__(self, kernel_size, multiplier=1, *, stride=1, padding=0, dilation=1, use_bias=True):
        self.kernel_size = kernel_size
        (self.multiplier,) = integers(multiplier, "multiplier", 1)
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.use_bias = use_bias
        self.weight = self.bias = None
        self._window = integers(kernel_size, "kernel_size", 2)

    def build(self, input_shape, key, dtype=np.float32):
        *_, channels = self.output_shape(input_shape)
        self.weight = Parameter(he_normal((*self._window, 1, channels), math.prod(self._window), key, dtype))
        self.bias = Parameter(np.zeros(channels, dtype)) if self.use_bias else None

    def operation(self, mode):
        groups = self.weight.value.shape[-1] // self.multiplier
        options = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": groups}
        return conv2d, (self.weight, self.bias), options

    def output_shape(self, input_shape):
        filters = input_shape[-1] * self.multiplier
        options = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        return Conv2d(filters, self.kernel_size, **options).output_shape(input_shape)


class _TwoSteps(Layer):
    """Two layers in sequence that are one to those who use it; a subclass makes them by name in `_steps`."""

    _steps: dict

    def children(self):
        return self._steps

    def build(self, input_shape, key, dtype=np.float32):
        for i, step in enumerate(self._steps.values()):
            step.make(input_shape, key.child(i), dtype)
            input_shape = step.output_shape(input_shape)

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return Sequential(*self._steps.values()).forward(x, mode)

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return Sequential(*self._steps.values()).vjp(x, mode)

    def output_shape(self, input_shape):
        return Sequential(*self._steps.values()).output_shape(input_shape)


class SeparableConv2d(_TwoSteps):
    """Convolution of every channel by itself, then of each pixel across channels.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int or (int, int)
        Height and width of the window.
    multiplier : int, default=1
        Filters of each channel in the first step.
    stride, padding, dilation
        Of the first step, as in `neurojit.functional.conv2d`.
    use_bias : bool, default=True
        Whether a bias is added, at the end.

    Notes
    -----
    Its parameters are ``depthwise.weight`` and ``pointwise.weight`` (and ``pointwise.bias``). Chollet, "Xception: deep
    learning with depthwise separable convolutions" (CVPR 2017), section 1; with no activation in between, as there.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import SeparableConv2d
    >>> layer = SeparableConv2d(8, 3, padding="same")
    >>> layer(np.ones((2, 6, 6, 4), np.float32)).shape
    (2, 6, 6, 8)
    >>> {name: parameter.value.shape for name, parameter in layer.named_parameters().items()}
    {'depthwise.weight': (3, 3, 1, 4), 'pointwise.weight': (1, 1, 4, 8), 'pointwise.bias': (8,)}
    """

    def __init__(self, filters, kernel_size, multiplier=1, *, stride=1, padding=0, dilation=1, use_bias=True):
        (self.filters,) = integers(filters, "filters", 1)
        self.kernel_size = kernel_size
        (self.multiplier,) = integers(multiplier, "multiplier", 1)
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.use_bias = use_bias
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        self._steps = {
            "depthwise": DepthwiseConv2d(kernel_size, multiplier, use_bias=False, **options),
            "pointwise": Conv2d(filters, 1, use_bias=use_bias),
        }


class SpatialSeparableConv2d(_TwoSteps):
    """Convolution with columns, then with rows.

    Parameters
    ----------
    filters : int
        Output channels of both steps.
    kernel_size : int or (int, int)
        Height of the columns and width of the rows.
    stride, padding, dilation
        As in `neurojit.functional.conv2d`; each step takes those of its axis.
    use_bias : bool, default=True
        Whether a bias is added, at the end.

    See Also
    --------
    neurojit.functional.separate_kernel : factors of a kernel there is already.

    Notes
    -----
    Its parameters are ``column.weight`` and ``row.weight`` (and ``row.bias``). Szegedy et al., "Rethinking the
    Inception architecture" (CVPR 2016), section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import SpatialSeparableConv2d
    >>> layer = SpatialSeparableConv2d(8, 7, padding="same")
    >>> layer(np.ones((2, 9, 9, 4), np.float32)).shape
    (2, 9, 9, 8)
    >>> {name: parameter.value.shape for name, parameter in layer.named_parameters().items()}
    {'column.weight': (7, 1, 4, 8), 'row.weight': (1, 7, 8, 8), 'row.bias': (8,)}
    """

    def __init__(self, filters, kernel_size, *, stride=1, padding=0, dilation=1, use_bias=True):
        (self.filters,) = integers(filters, "filters", 1)
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.use_bias = use_bias
        height, width = integers(kernel_size, "kernel_size", 2)
        down, across = integers(stride, "stride", 2)
        down_dilation, across_dilation = integers(dilation, "dilation", 2)
        above, beside = _by_axis(padding)
        columns = {"stride": (down, 1), "padding": above, "dilation": (down_dilation, 1)}
        rows = {"stride": (1, across), "padding": beside, "dilation": (1, across_dilation)}
        self._steps = {
            "column": Conv2d(filters, (height, 1), use_bias=False, **columns),
            "row": Conv2d(filters, (1, width), use_bias=use_bias, **rows),
        }


def _by_axis(padding):
    """The padding of the columns and that of the rows."""
    if isinstance(padding, str):
        return padding, padding
    if isinstance(padding, tuple | list) and len(padding) == 2 and all(isinstance(p, tuple | list) for p in padding):
        return (padding[0], (0, 0)), ((0, 0), padding[1])
    above, beside = integers(padding, "padding", 2, least=0)
    return (above, 0), (0, beside)
