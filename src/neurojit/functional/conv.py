"""Convolution over signals, images and volumes, channels last."""

from neurojit.core.arrays import canonical
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.correlation import algorithm, data_gradient, forward, weight_gradient
from neurojit.functional.geometry import geometry_of, hashable
from neurojit.functional.op import op


def _check(x, weight, bias, stride, padding, dilation, groups, rank):
    """Canonical arrays and their geometry."""
    x = canonical(x, "x", ndim=rank + 2)
    weight = canonical(weight, "weight", dtype=x.dtype, ndim=rank + 2)
    if bias is not None:
        bias = canonical(bias, "bias", dtype=x.dtype, shape=(weight.shape[-1],))
    options = (hashable(option) for option in (stride, padding, dilation, groups))
    return x, weight, bias, geometry_of(x.shape, weight.shape, *options)


def _conv(x, weight, bias, stride, padding, dilation, groups, rank):
    x, weight, bias, geometry = _check(x, weight, bias, stride, padding, dilation, groups, rank)
    y = forward(geometry.spread(x), weight, bias, geometry)
    return y.reshape(len(x), *geometry.output[-rank:], weight.shape[-1])


def _conv_algorithm(x, weight, bias, stride, padding, dilation, groups, rank):
    x, weight, bias, geometry = _check(x, weight, bias, stride, padding, dilation, groups, rank)
    return algorithm(geometry, len(x), weight.shape[-1])


def _conv_vjp(x, weight, bias, stride, padding, dilation, groups, rank):
    x, weight, bias, geometry = _check(x, weight, bias, stride, padding, dilation, groups, rank)
    y = forward(geometry.spread(x), weight, bias, geometry)

    def pullback(dy, wrt):
        dy = dy.reshape(y.shape)
        dx = data_gradient(dy, weight, geometry).reshape(x.shape) if wrt[0] else None
        dweight = weight_gradient(geometry.spread(x), dy, weight.shape, geometry) if wrt[1] else None
        return dx, dweight, sum_over_rows(dy) if wrt[2] else None

    return y.reshape(len(x), *geometry.output[-rank:], weight.shape[-1]), pullback


@op("x", "weight", "bias")
def conv2d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    r"""Convolve images with a bank of filters (cross-correlation, as deep learning calls convolution).

    .. math::

        y[n, i, j, o] = b[o] + \sum_{u, v, c} x[n, s i + d u - p, s j + d v - p, c]\, w[u, v, c, o]

    Parameters
    ----------
    x : array, shape (n, height, width, c_in)
        Images, channels last; float32 or float64.
    weight : array, shape (kernel_height, kernel_width, c_in / groups, c_out)
        Filters, of the precision of `x`.
    bias : array, shape (c_out,), optional
        Added to every position.
    stride : int or (int, int), default=1
        Step from one window to the next.
    padding : int, (int, int), ((before, after), (before, after)), "same" or "valid", default=0
        Zeros around the image. ``"same"`` makes output = ceil(input / stride), with the extra zero on the far side.
    dilation : int or (int, int), default=1
        Step from one tap of the window to the next.
    groups : int, default=1
        Parts the channels are divided into; each output channel sees the inputs of its part alone.

    Returns
    -------
    array, shape (n, out_height, out_width, c_out)
        With out = floor((in + before + after - dilation (kernel - 1) - 1) / stride) + 1.

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or an option is not an integer.
    ValueError
        If shapes, channels and groups do not fit, or the window is larger than the padded image.

    Notes
    -----
    The pullback returns dx, dweight and dbias. Equations: Dumoulin and Visin, "A guide to convolution arithmetic for
    deep learning" (2016), relationship 6 (sizes) and section 4 (gradients as transposed convolutions). The kernel is
    the indirect product of Dukhan, "The indirect convolution algorithm" (2019), section 3.

    Windows of 2 x 2, 3 x 3 and 5 x 5 with stride 1 (or as many strides long) and at least 16 channels in and out go by
    Winograd's minimal filtering (Lavin and Gray, "Fast algorithms for convolutional neural networks" (CVPR 2016),
    equation 8), unless ``neurojit.set_options(winograd=False)``. Its rounding error is at most
    32 eps times the largest value of \|x\| convolved with \|w\| (eps: 1.2e-7 in float32), mostly 1e-5 of the largest
    output or less. A NaN or infinity then reaches all outputs of its tile. ``conv2d.algorithm(x, weight, ...)`` says
    which way a call would take.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    >>> box = np.ones((3, 3, 1, 1), np.float32)
    >>> F.conv2d(image, box)[0, :, :, 0]
    array([[45., 54.],
           [81., 90.]], dtype=float32)
    >>> y, backward = F.conv2d.vjp(image, box, stride=2, padding="same")
    >>> dx, dweight = backward(np.ones_like(y))
    >>> dx.shape, dweight.shape
    ((1, 4, 4, 1), (3, 3, 1, 1))
    >>> F.conv2d.algorithm(np.ones((1, 16, 16, 32)), np.ones((3, 3, 32, 64)), padding=1)
    'Winograd F(4x4, 3x3)'
    """
    return _conv(x, weight, bias, stride, padding, dilation, groups, rank=2)


@conv2d.define_algorithm
def _conv2d_algorithm(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    return _conv_algorithm(x, weight, bias, stride, padding, dilation, groups, rank=2)


@conv2d.define_vjp
def _conv2d_vjp(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    return _conv_vjp(x, weight, bias, stride, padding, dilation, groups, rank=2)


@op("x", "weight", "bias")
def conv1d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    r"""Convolve signals with a bank of filters.

    .. math::

        y[n, i, o] = b[o] + \sum_{u, c} x[n, s i + d u - p, c]\, w[u, c, o]

    Parameters
    ----------
    x : array, shape (n, length, c_in)
        Signals, channels last; float32 or float64.
    weight : array, shape (kernel, c_in / groups, c_out)
        Filters, of the precision of `x`.
    bias : array, shape (c_out,), optional
        Added to every position.
    stride, dilation, groups : int, default=1
        As in `conv2d`.
    padding : int, ((before, after),), "same", "valid" or "causal", default=0
        Zeros around the signal. ``"causal"`` puts dilation (kernel - 1) of them before it, so that no output sees
        later inputs.

    Returns
    -------
    array, shape (n, out_length, c_out)

    Raises
    ------
    TypeError, ValueError
        As `conv2d`.

    Notes
    -----
    The pullback returns dx, dweight and dbias. The equations are those of `conv2d` with one spatial axis.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> signal = np.array([1, 2, 3, 4], np.float32).reshape(1, 4, 1)
    >>> difference = np.array([-1, 1], np.float32).reshape(2, 1, 1)
    >>> F.conv1d(signal, difference, padding="causal").ravel()
    array([1., 1., 1., 1.], dtype=float32)
    """
    return _conv(x, weight, bias, stride, padding, dilation, groups, rank=1)


@conv1d.define_algorithm
def _conv1d_algorithm(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    return _conv_algorithm(x, weight, bias, stride, padding, dilation, groups, rank=1)


@conv1d.define_vjp
def _conv1d_vjp(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    return _conv_vjp(x, weight, bias, stride, padding, dilation, groups, rank=1)


@op("x", "weight", "bias")
def conv3d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    r"""Convolve volumes, or clips of video, with a bank of filters.

    .. math::

        y[n, h, i, j, o] = b[o]
            + \sum_{t, u, v, c} x[n, s h + d t - p, s i + d u - p, s j + d v - p, c]\, w[t, u, v, c, o]

    Parameters
    ----------
    x : array, shape (n, depth, height, width, c_in)
        Volumes, channels last; float32 or float64.
    weight : array, shape (kernel_depth, kernel_height, kernel_width, c_in / groups, c_out)
        Filters, of the precision of `x`.
    bias : array, shape (c_out,), optional
        Added to every position.
    stride, dilation, groups : int or (for the first two) three ints, default=1
        As in `conv2d`.
    padding : int, three ints, three pairs (before, after), "same" or "valid", default=0
        Zeros around the volume, as in `conv2d`.

    Returns
    -------
    array, shape (n, out_depth, out_height, out_width, c_out)

    Raises
    ------
    TypeError, ValueError
        As `conv2d`.

    Notes
    -----
    The pullback returns dx, dweight and dbias. The equations are those of `conv2d` with one more spatial axis; Tran et
    al., "Learning spatiotemporal features with 3D convolutional networks" (ICCV 2015), section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> volume = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2, 1)
    >>> F.conv3d(volume, np.ones((2, 2, 2, 1, 1), np.float32)).ravel()
    array([28.], dtype=float32)
    """
    return _conv(x, weight, bias, stride, padding, dilation, groups, rank=3)


@conv3d.define_algorithm
def _conv3d_algorithm(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    return _conv_algorithm(x, weight, bias, stride, padding, dilation, groups, rank=3)


@conv3d.define_vjp
def _conv3d_vjp(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    return _conv_vjp(x, weight, bias, stride, padding, dilation, groups, rank=3)
