"""Convolution with binary weights, and with binary inputs as well (XNOR-Net), channels last."""

import math

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import on_device
from neurojit.core.memory import empty
from neurojit.core.popcount import BINARY_COLUMNS
from neurojit.functional import device_binary
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.conv import conv2d
from neurojit.functional.correlation import data_gradient, forward, weight_gradient
from neurojit.functional.geometry import geometry_of, hashable
from neurojit.functional.op import op
from neurojit.kernels.cpu import binary_conv as kernels


def _check(x, weight, bias, binary_input, stride, padding, dilation):
    """Canonical arrays and their geometry."""
    if not isinstance(binary_input, bool):
        raise TypeError(f"binary_input: got {binary_input!r}, wanted True or False")
    x = canonical(x, "x", ndim=4)
    weight = canonical(weight, "weight", dtype=x.dtype, ndim=4)
    if bias is not None:
        bias = canonical(bias, "bias", dtype=x.dtype, shape=(weight.shape[-1],))
    options = (hashable(option) for option in (stride, padding, dilation))
    return x, weight, bias, geometry_of(x.shape, weight.shape, *options, 1)


def signs(x):
    """+1 where x >= 0, else -1 (NaN, too, counts as +1)."""
    return np.where(x < 0, x.dtype.type(-1), x.dtype.type(1))


def filter_scales(weight):
    """alpha of each filter: the mean of its weights' magnitudes (equation 6)."""
    return np.abs(weight).mean(axis=(0, 1, 2), dtype=weight.dtype)


def _input_words(x, geometry):
    """The signs of the images, packed 64 to a word, and K: the mean magnitude in each window (section 3.2)."""
    words = np.empty((*x.shape[:-1], -(-geometry.c_in // 64)), np.uint64)
    magnitude = np.empty((*x.shape[:-1], 1), x.dtype)
    kernels.pack_inputs(x.reshape(-1, geometry.c_in), words.reshape(-1, words.shape[-1]), magnitude.reshape(-1))
    window = geometry.window[1:]
    box = np.full((*window, 1, 1), 1 / math.prod(window), x.dtype)
    options = {"stride": geometry.stride[1:], "padding": geometry.padding[1:], "dilation": geometry.dilation[1:]}
    return words[:, None], conv2d(magnitude, box, **options).reshape(-1)


def _filter_words(weight, taps, c_in):
    """The signs of the filters as the tile reads them, what each tap of theirs sums to, and alpha (equation 6)."""
    c_out, per_tap = weight.shape[-1], -(-c_in // 64)
    panels = -(-c_out // BINARY_COLUMNS)
    words = np.zeros((taps, per_tap, panels * BINARY_COLUMNS), np.uint64)
    magnitude = np.empty((taps, per_tap, c_out), weight.dtype)
    kernels.pack_filters(weight.reshape(taps, c_in, c_out), words, magnitude)
    plain = (c_in - 2 * np.bitwise_count(words).sum(axis=1, dtype=np.int64)).astype(weight.dtype)
    packed = np.ascontiguousarray(words.reshape(-1, panels, BINARY_COLUMNS).transpose(1, 0, 2))
    return packed, plain, magnitude.sum(axis=(0, 1)) / weight.dtype.type(taps * c_in)


def _xnor(x, weight, bias, geometry):
    """The binary convolution by counting bits, and K."""
    taps, c_in, c_out = len(geometry.taps), geometry.c_in, weight.shape[-1]
    packed, plain, alpha = _filter_words(weight, taps, c_in)
    words, scale = _input_words(x, geometry)
    y = empty((len(x), *geometry.output, c_out), x.dtype)
    bias = np.zeros(c_out, x.dtype) if bias is None else bias
    numbers = geometry.output, geometry.stride, geometry.displacement
    kernels.binary_conv(words, packed, c_in, plain, alpha, scale, bias, y, *numbers)
    return y, scale


@op("x", "weight", "bias")
def binary_conv2d(x, weight, bias=None, *, binary_input=True, stride=1, padding=0, dilation=1):
    r"""Convolve images with the signs of filters, by default with the signs of the images as well.

    .. math::

        y = b + \alpha_o\, K\, (\operatorname{sign}(x) * \operatorname{sign}(w)), \quad
        \alpha_o = \operatorname{mean}_{u, v, c} |w[u, v, c, o]|, \quad
        K = \operatorname{mean}_c |x| * \frac{1}{k_h k_w} \mathbf{1}

    where sign(0) is +1 and what lies past the border counts as nothing. With ``binary_input=False`` only the weights
    are binary (BWN): :math:`y = b + x * (\alpha \operatorname{sign}(w))`.

    Parameters
    ----------
    x : array, shape (n, height, width, c_in)
        Images, channels last; float32 or float64.
    weight : array, shape (kernel_height, kernel_width, c_in, c_out)
        Filters before their signs are taken, of the precision of `x`.
    bias : array, shape (c_out,), optional
        Added to every position, as it is.
    binary_input : bool, default=True
        Whether the signs of the images are taken: products are then made 64 at a time from single bits.
    stride, padding, dilation
        As in `conv2d`.

    Returns
    -------
    array, shape (n, out_height, out_width, c_out)

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or an option has the wrong type.
    ValueError
        If shapes and channels do not fit, or the window is larger than the padded image.

    Notes
    -----
    The pullback returns dx, dweight and dbias, straight through the signs: as if sign(v) had the derivative 1 where
    abs(v) <= 1, and 0 elsewhere, and K were constant; to the weights, with size many of them in a filter,

    .. math::  dw = d\tilde w\, (1 / \mathrm{size} + \alpha\, 1_{|w| \le 1}),

    where :math:`\tilde w = \alpha \operatorname{sign}(w)`. Rastegari, Ordonez, Redmon and Farhadi, "XNOR-Net: ImageNet
    classification using binary convolutional neural networks" (ECCV 2016), equations 6, 7 and 11 and section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> image = np.array([[1, -2], [3, -4]], np.float32).reshape(1, 2, 2, 1)
    >>> weight = np.array([[0.5, 0.5], [-0.5, -0.5]], np.float32).reshape(2, 2, 1, 1)
    >>> F.binary_conv2d(image, -weight).ravel()
    array([0.], dtype=float32)
    >>> F.binary_conv2d(image, np.array([[1, -1], [1, -1]], np.float32).reshape(2, 2, 1, 1)).ravel()
    array([10.], dtype=float32)
    >>> F.binary_conv2d(image, weight, binary_input=False).ravel()
    array([0.], dtype=float32)
    """
    x, weight, bias, geometry = _check(x, weight, bias, binary_input, stride, padding, dilation)
    return _binary(x, weight, bias, binary_input, geometry)[0].reshape(len(x), *geometry.output[1:], weight.shape[-1])


def _binary(x, weight, bias, binary_input, geometry):
    """The result and, where the input is binary, K."""
    if on_device(x):
        return device_binary.binary(x, weight, bias, binary_input, geometry)
    if binary_input:
        return _xnor(x, weight, bias, geometry)
    return forward(geometry.spread(x), filter_scales(weight) * signs(weight), bias, geometry), None


@binary_conv2d.define_vjp
def _binary_conv2d_vjp(x, weight, bias=None, *, binary_input=True, stride=1, padding=0, dilation=1):
    x, weight, bias, geometry = _check(x, weight, bias, binary_input, stride, padding, dilation)
    y, scale = _binary(x, weight, bias, binary_input, geometry)
    shape = (len(x), *geometry.output[1:], weight.shape[-1])

    def pullback(dy, wrt):
        dbias = sum_over_rows(dy) if wrt[2] else None
        dy = dy.reshape(y.shape)
        if on_device(dy):
            return *device_binary.backward(dy, x, weight, scale, geometry, wrt), dbias
        if binary_input:
            dy = dy * scale.reshape(*y.shape[:-1], 1)
        alpha, dx, dweight = filter_scales(weight), None, None
        if wrt[0]:
            dx = data_gradient(dy, alpha * signs(weight), geometry).reshape(x.shape)
            dx = np.where(np.abs(x) <= 1, dx, x.dtype.type(0)) if binary_input else dx
        if wrt[1]:
            seen = signs(x) if binary_input else x
            dbinary = weight_gradient(geometry.spread(seen), dy, weight.shape, geometry)
            dweight = dbinary * (1 / math.prod(weight.shape[:3]) + alpha * (np.abs(weight) <= 1))
            dweight = dweight.astype(x.dtype, copy=False)
        return dx, dweight, dbias

    return y.reshape(shape), pullback
