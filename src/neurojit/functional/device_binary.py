"""Binary convolution on the device: what its host's namesakes in `functional.binary_conv` do."""

import math

import numpy as np

from neurojit.core.cuda import device_empty, device_empty_like, device_zeros
from neurojit.functional.arithmetic import scale_rows
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.conv import conv2d
from neurojit.functional.correlation import data_gradient, forward, weight_gradient
from neurojit.functional.devices import constant
from neurojit.functional.elementwise import apply
from neurojit.kernels.cuda import binary_conv as kernels
from neurojit.kernels.cuda import powers


def _filter_scales(weight):
    """alpha of each filter: the mean of its weights' magnitudes (equation 6)."""
    return sum_over_rows(apply(powers.power, weight, 1.0)) * (1 / math.prod(weight.shape[:-1]))


def _signed(weight, alpha):
    """alpha sign(weight), filter by filter."""
    result = device_empty_like(weight)
    kernels.sign_columns(weight.reshape(-1, alpha.size), alpha, result.reshape(-1, alpha.size))
    return result


def binary(x, weight, bias, binary_input, geometry):
    """The result and, where the input is binary, K."""
    if not binary_input:
        return forward(geometry.spread(x), _signed(weight, _filter_scales(weight)), bias, geometry), None
    taps, channels, c_out = len(geometry.taps), geometry.c_in, weight.shape[-1]
    words, scale = _input_words(x, geometry)
    filters = device_empty(taps * _per_tap(channels) * c_out, np.uint32)
    plain, magnitude = device_empty(taps * c_out, np.int32), device_empty((taps, c_out), x.dtype)
    kernels.pack_taps(weight.reshape(-1), taps, channels, filters, plain, magnitude.reshape(-1))
    alpha = sum_over_rows(magnitude) * (1 / (taps * channels))
    bias = device_zeros(c_out, x.dtype) if bias is None else bias
    y = device_empty((len(x), *geometry.output, c_out), x.dtype)
    table = constant(geometry.displacement.astype(np.int32).reshape(-1))
    flat = words, filters, channels, plain, alpha, scale, bias, y.reshape(-1)
    kernels.xnor(*flat, table, geometry.size, geometry.output, geometry.stride)
    return y, scale


def _per_tap(channels):
    return -(-channels // 32)


def _input_words(x, geometry):
    """The signs of the images, packed 32 to a word, and K: the mean magnitude in each window (section 3.2)."""
    pixels = x.reshape(-1, geometry.c_in)
    words = device_empty(len(pixels) * _per_tap(geometry.c_in), np.uint32)
    magnitude = device_empty((*x.shape[:-1], 1), x.dtype)
    kernels.pack_rows(pixels, words, magnitude.reshape(-1))
    window = geometry.window[1:]
    box = constant(np.full((*window, 1, 1), 1 / math.prod(window), x.dtype))
    options = {"stride": geometry.stride[1:], "padding": geometry.padding[1:], "dilation": geometry.dilation[1:]}
    return words, conv2d(magnitude, box, **options).reshape(-1)


def backward(dy, x, weight, scale, geometry, wrt):
    """dx and dweight, straight through the signs; `scale` is K where the input is binary, else None."""
    alpha, dx, dweight = _filter_scales(weight), None, None
    if scale is not None:
        dy = scale_rows(dy.reshape(-1, weight.shape[-1]), scale).reshape(dy.shape)
    if wrt[0]:
        dx = data_gradient(dy, _signed(weight, alpha), geometry).reshape(x.shape)
        dx = dx if scale is None else apply(kernels.straight_through, dx, x)
    if wrt[1]:
        seen = x if scale is None else apply(kernels.sign, x)
        dbinary = weight_gradient(geometry.spread(seen), dy, weight.shape, geometry)
        dweight = device_empty_like(weight)
        rows = (array.reshape(-1, alpha.size) for array in (dbinary, weight))
        share = 1 / math.prod(weight.shape[:3])
        kernels.binary_backward(*rows, alpha, share, dweight.reshape(-1, alpha.size))
    return dx, dweight
