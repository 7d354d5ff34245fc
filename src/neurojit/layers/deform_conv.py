"""The deformable convolution layer, which predicts where its taps look."""

import math

import numpy as np

from neurojit.core.shapes import integers
from neurojit.functional.activation import sigmoid
from neurojit.functional.conv import conv2d
from neurojit.functional.deform_conv import deform_conv2d
from neurojit.functional.layout import joined, parted
from neurojit.layers.base import INFERENCE, Layer, Parameter
from neurojit.layers.conv import Conv2d
from neurojit.layers.initializers import he_normal


class DeformConv2d(Layer):
    """Convolution over images whose taps look where a second convolution of the same images says.

    The second one starts at zero, so that the layer starts as a plain convolution (with `modulated`, as half of one).

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int or (int, int)
        Height and width of the window, of both convolutions.
    modulated : bool, default=False
        Whether each tap's value is also multiplied by a predicted number between 0 and 1 (v2).
    stride, padding, dilation
        Of both convolutions, as in `neurojit.functional.conv2d`.
    groups, offset_groups : int, default=1
        As in `neurojit.functional.deform_conv2d`.
    use_bias : bool, default=True
        Whether a bias is added.

    Attributes
    ----------
    weight : Parameter, shape (kernel_height, kernel_width, c_in / groups, filters)
    bias : Parameter, shape (filters,), or None
    place_weight : Parameter, shape (kernel_height, kernel_width, c_in, places)
        With places = 2 * offset_groups * taps, or 3 * offset_groups * taps with `modulated`.
    place_bias : Parameter, shape (places,)

    See Also
    --------
    neurojit.functional.deform_conv2d : the equation.

    Notes
    -----
    Dai et al., "Deformable convolutional networks" (ICCV 2017), section 2.1; Zhu, Hu, Lin and Dai, "Deformable ConvNets
    v2" (CVPR 2019), section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import DeformConv2d
    >>> DeformConv2d(8, 3, padding="same")(np.ones((2, 6, 6, 4), np.float32)).shape
    (2, 6, 6, 8)
    """

    def __init__(
        self,
        filters,
        kernel_size,
        *,
        modulated=False,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        offset_groups=1,
        use_bias=True,
    ):
        (self.filters,) = integers(filters, "filters", 1)
        self.kernel_size = kernel_size
        self.modulated = modulated
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        (self.groups,) = integers(groups, "groups", 1)
        (self.offset_groups,) = integers(offset_groups, "offset_groups", 1)
        self.use_bias = use_bias
        self.weight = self.bias = self.place_weight = self.place_bias = None
        self._window = integers(kernel_size, "kernel_size", 2)

    def build(self, input_shape, key, dtype=np.float32):
        self.output_shape(input_shape)
        c_in, taps = input_shape[-1], math.prod(self._window)
        shape = (*self._window, c_in // self.groups, self.filters)
        self.weight = Parameter(he_normal(shape, math.prod(shape[:3]), key, dtype))
        self.bias = Parameter(np.zeros(self.filters, dtype)) if self.use_bias else None
        places = (3 if self.modulated else 2) * self.offset_groups * taps
        self.place_weight = Parameter(np.zeros((*self._window, c_in, places), dtype))
        self.place_bias = Parameter(np.zeros(places, dtype))

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        offset, logits = self._split(
            conv2d(x, self.place_weight.value, self.place_bias.value, **self._window_options())
        )
        mask = sigmoid(logits) if self.modulated else None
        return deform_conv2d(x, offset, *self._given(), mask=mask, **self._window_options(), **self._group_options())

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        place, place_backward = conv2d.vjp(x, self.place_weight.value, self.place_bias.value, **self._window_options())
        offset, logits = self._split(place)
        mask, mask_backward = sigmoid.vjp(logits) if self.modulated else (None, None)
        options = self._window_options() | self._group_options()
        y, y_backward = deform_conv2d.vjp(x, offset, *self._given(), mask=mask, **options)
        own = [self.weight, self.bias] if self.use_bias else [self.weight]

        def backward(dy, need_dx=True):
            need_places = need_dx or self.place_weight.trainable or self.place_bias.trainable
            wrt = (need_dx, need_places, *(p.trainable for p in own), *([need_places] if self.modulated else []))
            if not any(wrt):
                return None, {}
            dx, doffset, *found = y_backward(dy, wrt)
            gradients = {p: g for p, g in zip(own, found, strict=False) if p.trainable}
            if need_places:
                parts = [doffset] + ([mask_backward(found[-1])] if self.modulated else [])
                places = (self.place_weight, self.place_bias)
                more_dx, *found = place_backward(joined(parts), (need_dx, *(p.trainable for p in places)))
                gradients |= {p: g for p, g in zip(places, found, strict=True) if p.trainable}
                dx = dx + more_dx if need_dx else None
            return dx, gradients

        return y, backward

    def _given(self):
        return (self.weight.value, self.bias.value) if self.use_bias else (self.weight.value,)

    def _window_options(self):
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    def _group_options(self):
        return {"groups": self.groups, "offset_groups": self.offset_groups}

    def _split(self, places):
        """The offsets, and what the mask is the sigmoid of."""
        offsets = 2 * self.offset_groups * math.prod(self._window)
        return parted(places, (offsets, places.shape[-1] - offsets))

    def output_shape(self, input_shape):
        options = self._window_options() | {"groups": self.groups}
        return Conv2d(self.filters, self.kernel_size, **options).output_shape(input_shape)
