"""Transposed convolution over signals, images and volumes: what the gradient of a convolution does, as a function."""

import dataclasses

from neurojit.core.arrays import canonical
from neurojit.core.shapes import integers, paddings, window_extent
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.correlation import data_gradient, forward, weight_gradient
from neurojit.functional.geometry import Geometry, geometry_of, hashable
from neurojit.functional.op import op


@dataclasses.dataclass(frozen=True)
class Transposed:
    """The output's size, and the geometry of the convolution that takes it to the input's."""

    size: tuple
    geometry: Geometry

    @classmethod
    def of(cls, x_shape, weight_shape, stride, padding, output_padding, dilation, groups):
        """The transposed convolution of x (n, ..., c_in) with weights (..., c_out / groups, c_in).

        Raises
        ------
        TypeError
            If an option is not an integer.
        ValueError
            If shapes, channels and groups do not fit, or no output is left.
        """
        rank, channels = len(x_shape) - 2, x_shape[-1]
        (groups,) = integers(groups, "groups", 1)
        if channels % groups:
            raise ValueError(f"groups: got {groups}, wanted a divisor of {channels} input channels")
        if weight_shape[-1] != channels:
            raise ValueError(
                f"weight: got shape {weight_shape}, wanted {channels} in its last axis, as x has {channels} channels"
            )
        if min(weight_shape) < 1 or min(x_shape[1:]) < 1:
            name, shape = ("weight", weight_shape) if min(weight_shape) < 1 else ("x", x_shape)
            raise ValueError(f"{name}: got shape {shape}, wanted no empty axis")
        window = weight_shape[:rank]
        size, padding = output_size(x_shape[1:-1], window, stride, padding, output_padding, dilation)
        conv_shape = (x_shape[0], *size, weight_shape[-2] * groups)
        options = (hashable(option) for option in (stride, padding, dilation, groups))
        return cls(size, geometry_of(conv_shape, weight_shape, *options))


def output_size(spatial, window, stride, padding, output_padding, dilation):
    """Lengths of the output's spatial axes, and the padding as pairs.

    Raises
    ------
    TypeError, ValueError
        If an option has the wrong form, or no output is left.
    """
    rank = len(spatial)
    stride, dilation = integers(stride, "stride", rank), integers(dilation, "dilation", rank)
    extra = integers(output_padding, "output_padding", rank, least=0)
    if any(e >= s for e, s in zip(extra, stride, strict=True)):
        raise ValueError(f"output_padding: got {output_padding!r}, wanted less than the stride {stride}")
    stretched = tuple(n * s for n, s in zip(spatial, stride, strict=True))
    pairs = paddings(padding, stretched, window, stride, dilation)
    if padding == "same" and any(extra):
        raise ValueError(f"output_padding: got {output_padding!r}, wanted 0 where padding='same' sets the size")
    if padding == "same":
        return stretched, pairs
    axes = zip(spatial, window, stride, pairs, extra, dilation, strict=True)
    size = tuple((n - 1) * s + window_extent(k, d) - sum(p) + e for n, k, s, p, e, d in axes)
    if min(size) < 1:
        raise ValueError(f"padding: got {padding!r}, which leaves an output of {size}, wanted at least one position")
    return size, pairs


def _check(x, weight, bias, stride, padding, output_padding, dilation, groups, rank):
    """Canonical arrays and what they are transposed by."""
    x = canonical(x, "x", ndim=rank + 2)
    weight = canonical(weight, "weight", dtype=x.dtype, ndim=rank + 2)
    transposed = Transposed.of(x.shape, weight.shape, stride, padding, output_padding, dilation, groups)
    if bias is not None:
        bias = canonical(bias, "bias", dtype=x.dtype, shape=(transposed.geometry.c_in,))
    return x, weight, bias, transposed


def _transpose(x, weight, bias, transposed):
    geometry = transposed.geometry
    y = data_gradient(x.reshape(len(x), *geometry.output, x.shape[-1]), weight, geometry, bias)
    return y.reshape(len(x), *transposed.size, geometry.c_in)


def _conv_transpose(x, weight, bias, stride, padding, output_padding, dilation, groups, rank):
    return _transpose(*_check(x, weight, bias, stride, padding, output_padding, dilation, groups, rank))


def _conv_transpose_vjp(x, weight, bias, stride, padding, output_padding, dilation, groups, rank):
    x, weight, bias, transposed = _check(x, weight, bias, stride, padding, output_padding, dilation, groups, rank)
    geometry = transposed.geometry
    y = _transpose(x, weight, bias, transposed)

    def pullback(dy, wrt):
        source = geometry.spread(dy) if wrt[0] or wrt[1] else None
        dx = forward(source, weight, None, geometry).reshape(x.shape) if wrt[0] else None
        seen = x.reshape(len(x), *geometry.output, x.shape[-1])
        dweight = weight_gradient(source, seen, weight.shape, geometry) if wrt[1] else None
        return dx, dweight, sum_over_rows(dy) if wrt[2] else None

    return y, pullback


@op("x", "weight", "bias")
def conv_transpose2d(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    r"""Transposed convolution over images: each input lays a scaled window down, windows overlap and add.

    .. math::

        y[n, i, j, o] = b[o] + \sum_{k, l, u, v, c} x[n, k, l, c]\, w[u, v, o, c],
        \qquad i = s k + d u - p,\; j = s l + d v - p

    Parameters
    ----------
    x : array, shape (n, height, width, c_in)
        float32 or float64.
    weight : array, shape (kernel_height, kernel_width, c_out / groups, c_in)
        That of the convolution this one transposes, which takes c_out channels to c_in; of the precision of `x`.
    bias : array, shape (c_out,), optional
        Added to every position.
    stride : int or (int, int), default=1
        Step from one window to the next in the output.
    padding : int, (int, int), ((before, after), (before, after)), "same" or "valid", default=0
        Positions cut from each side of the output: the zeros around the input of the convolution transposed.
        ``"same"`` makes output = input * stride.
    output_padding : int or (int, int), default=0
        Positions added at the far side, fewer than the stride: which of the sizes that the convolution takes to this
        input's is meant.
    dilation : int or (int, int), default=1
        Step from one tap of the window to the next.
    groups : int, default=1
        Parts the channels are divided into.

    Returns
    -------
    array, shape (n, out_height, out_width, c_out)
        With out = (in - 1) stride + dilation (kernel - 1) + 1 - before - after + output_padding.

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or an option is not an integer.
    ValueError
        If shapes, channels and groups do not fit, the output padding is not less than the stride, or no output is left.

    See Also
    --------
    conv2d : the convolution transposed.

    Notes
    -----
    The pullback returns dx, dweight and dbias. The function is the gradient of `conv2d` with regard to its input, and
    its own gradient is `conv2d`: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016),
    relationship 14 (sizes) and section 4; Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional networks" (CVPR 2010).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> image = np.array([[1, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1)
    >>> F.conv_transpose2d(image, np.ones((2, 2, 1, 1), np.float32), stride=2)[0, :, :, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.],
           [3., 3., 4., 4.],
           [3., 3., 4., 4.]], dtype=float32)
    """
    return _conv_transpose(x, weight, bias, stride, padding, output_padding, dilation, groups, rank=2)


@conv_transpose2d.define_vjp
def _conv_transpose2d_vjp(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    return _conv_transpose_vjp(x, weight, bias, stride, padding, output_padding, dilation, groups, rank=2)


@op("x", "weight", "bias")
def conv_transpose1d(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    r"""Transposed convolution over signals: each input lays a scaled window down, windows overlap and add.

    .. math::

        y[n, i, o] = b[o] + \sum_{k, u, c} x[n, k, c]\, w[u, o, c],
        \qquad i = s k + d u - p

    Parameters
    ----------
    x : array, shape (n, length, c_in)
        float32 or float64.
    weight : array, shape (kernel, c_out / groups, c_in)
        That of the convolution this one transposes, which takes c_out channels to c_in; of the precision of `x`.
    bias : array, shape (c_out,), optional
        Added to every position.
    stride : int or (int,), default=1
        Step from one window to the next in the output.
    padding : int, ((before, after),), "same", "valid" or "causal", default=0
        Positions cut from each side of the output: the zeros around the input of the convolution transposed.
        ``"same"`` makes output = input * stride.
    output_padding : int or (int,), default=0
        Positions added at the far side, fewer than the stride: which of the sizes that the convolution takes to this
        input's is meant.
    dilation : int or (int,), default=1
        Step from one tap of the window to the next.
    groups : int, default=1
        Parts the channels are divided into.

    Returns
    -------
    array, shape (n, out_length, c_out)
        With out = (in - 1) stride + dilation (kernel - 1) + 1 - before - after + output_padding.

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or an option is not an integer.
    ValueError
        If shapes, channels and groups do not fit, the output padding is not less than the stride, or no output is left.

    See Also
    --------
    conv1d : the convolution transposed.

    Notes
    -----
    The pullback returns dx, dweight and dbias; see `conv_transpose2d`.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> impulses = np.array([1, 2], np.float32).reshape(1, 2, 1)
    >>> F.conv_transpose1d(impulses, np.array([1, 2, 1], np.float32).reshape(3, 1, 1), stride=2).ravel()
    array([1., 2., 3., 4., 2.], dtype=float32)
    """
    return _conv_transpose(x, weight, bias, stride, padding, output_padding, dilation, groups, rank=1)


@conv_transpose1d.define_vjp
def _conv_transpose1d_vjp(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    return _conv_transpose_vjp(x, weight, bias, stride, padding, output_padding, dilation, groups, rank=1)


@op("x", "weight", "bias")
def conv_transpose3d(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    r"""Transposed convolution over volumes: each input lays a scaled window down, windows overlap and add.

    .. math::

        y[n, h, i, j, o] = b[o] + \sum_{m, k, l, t, u, v, c} x[n, m, k, l, c]\, w[t, u, v, o, c],
        \qquad h = s m + d t - p,\; i = s k + d u - p,\; j = s l + d v - p

    Parameters
    ----------
    x : array, shape (n, depth, height, width, c_in)
        float32 or float64.
    weight : array, shape (kernel_depth, kernel_height, kernel_width, c_out / groups, c_in)
        That of the convolution this one transposes, which takes c_out channels to c_in; of the precision of `x`.
    bias : array, shape (c_out,), optional
        Added to every position.
    stride : int or (int, int, int), default=1
        Step from one window to the next in the output.
    padding : int, three ints, three pairs (before, after), "same" or "valid", default=0
        Positions cut from each side of the output: the zeros around the input of the convolution transposed.
        ``"same"`` makes output = input * stride.
    output_padding : int or (int, int, int), default=0
        Positions added at the far side, fewer than the stride: which of the sizes that the convolution takes to this
        input's is meant.
    dilation : int or (int, int, int), default=1
        Step from one tap of the window to the next.
    groups : int, default=1
        Parts the channels are divided into.

    Returns
    -------
    array, shape (n, out_depth, out_height, out_width, c_out)
        With out = (in - 1) stride + dilation (kernel - 1) + 1 - before - after + output_padding.

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or an option is not an integer.
    ValueError
        If shapes, channels and groups do not fit, the output padding is not less than the stride, or no output is left.

    See Also
    --------
    conv3d : the convolution transposed.

    Notes
    -----
    The pullback returns dx, dweight and dbias; see `conv_transpose2d`.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> volume = np.ones((1, 2, 2, 2, 4), np.float32)
    >>> F.conv_transpose3d(volume, np.ones((2, 2, 2, 3, 4), np.float32), stride=2).shape
    (1, 4, 4, 4, 3)
    """
    return _conv_transpose(x, weight, bias, stride, padding, output_padding, dilation, groups, rank=3)


@conv_transpose3d.define_vjp
def _conv_transpose3d_vjp(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    return _conv_transpose_vjp(x, weight, bias, stride, padding, output_padding, dilation, groups, rank=3)
