"""Deformable convolution over images, channels last."""

import dataclasses

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import device_empty_like, device_zeros, on_device
from neurojit.core.memory import empty, empty_like
from neurojit.core.shapes import integers
from neurojit.functional.conv import conv2d
from neurojit.functional.devices import empty_for
from neurojit.functional.geometry import Geometry, geometry_of, hashable
from neurojit.functional.op import op
from neurojit.kernels.cpu import deform_conv as kernels
from neurojit.kernels.cpu.packing import pad
from neurojit.kernels.cuda import deform_conv as device_kernels


@dataclasses.dataclass(frozen=True)
class Sampling:
    """The geometry of the convolution that the offsets deform, and what the kernels take of it."""

    geometry: Geometry
    offset_groups: int

    @property
    def plane(self):
        """Height and width of the images with their border."""
        return tuple(size + 2 * kernels.BORDER for size in self.geometry.size[1:])

    @property
    def numbers(self):
        """The pairs of numbers the kernels take, one after another."""
        return self._numbers(self.plane)

    @property
    def device_numbers(self):
        """The same for images without a border, as kernels of the device take them."""
        return self._numbers(self.geometry.size[1:])

    def _numbers(self, plane):
        g = self.geometry
        before = tuple(pair[0] for pair in g.padding[1:])
        return *plane, *g.output[1:], *g.window[1:], *g.stride[1:], *before, *g.dilation[1:]

    @property
    def parts(self):
        return self.geometry.c_in, self.geometry.groups, self.offset_groups


def _check(x, offset, weight, bias, mask, stride, padding, dilation, groups, offset_groups):
    """Canonical arrays (a missing mask of no length) and the sampling."""
    x = canonical(x, "x", ndim=4)
    weight = canonical(weight, "weight", dtype=x.dtype, ndim=4)
    options = (hashable(option) for option in (stride, padding, dilation, groups))
    geometry = geometry_of(x.shape, weight.shape, *options)
    (offset_groups,) = integers(offset_groups, "offset_groups", 1)
    if geometry.c_in % offset_groups:
        raise ValueError(f"offset_groups: got {offset_groups}, wanted a divisor of {geometry.c_in} input channels")
    places = offset_groups * len(geometry.taps)
    offset = canonical(offset, "offset", dtype=x.dtype, shape=(len(x), *geometry.output[1:], 2 * places))
    if bias is not None:
        bias = canonical(bias, "bias", dtype=x.dtype, shape=(weight.shape[-1],))
    if mask is None:
        mask = empty_for(x, 0, x.dtype)
    else:
        mask = canonical(mask, "mask", dtype=x.dtype, shape=(len(x), *geometry.output[1:], places))
    return x, offset, weight, bias, mask, Sampling(geometry, offset_groups)


def _bordered(x, sampling):
    """The images flat, with zeros round them; on the device none are needed."""
    if on_device(x):
        return x.reshape(-1)
    padded = empty((len(x), 1, *sampling.plane, x.shape[-1]), x.dtype)
    pad(x[:, None], (0, kernels.BORDER, kernels.BORDER), padded)
    return padded.reshape(-1)


def _columns(x, offset, mask, weight, sampling):
    """What the taps see, as images for a 1 x 1 convolution, and that convolution's weights."""
    taps, c_in, c_out = len(sampling.geometry.taps), sampling.geometry.c_in, weight.shape[-1]
    columns = empty_for(x, (len(offset), *sampling.geometry.output[1:], taps * c_in), offset.dtype)
    if on_device(x):
        flat = offset.reshape(-1), mask.reshape(-1), columns.reshape(-1)
        device_kernels.gather_columns(x, *flat, sampling.device_numbers, sampling.parts)
        return columns, weight.reshape(1, 1, -1, c_out)
    numbers = sampling.numbers, sampling.parts, len(offset)
    kernels.sample(x, offset.reshape(-1), mask.reshape(-1), columns.reshape(-1), *numbers)
    return columns, weight.reshape(1, 1, -1, c_out)


@op("x", "offset", "weight", "bias", "mask")
def deform_conv2d(
    x, offset, weight, bias=None, *, mask=None, stride=1, padding=0, dilation=1, groups=1, offset_groups=1
):
    r"""Convolve images with filters whose taps look beside their places.

    .. math::

        y[n, p, o] = b[o] + \sum_{t, c} m[n, p, t]\, x(n, s p - \mathrm{pad} + d t + \Delta[n, p, t], c)\, w[t, c, o]

    where x between pixels is bilinear, and zero outside the image.

    Parameters
    ----------
    x : array, shape (n, height, width, c_in)
        Images, channels last; float32 or float64.
    offset : array, shape (n, out_height, out_width, offset_groups * kernel_height * kernel_width * 2)
        How far beside its place each tap looks, in pixels, in the order (group, row, column, (dy, dx)).
    weight : array, shape (kernel_height, kernel_width, c_in / groups, c_out)
        Filters, of the precision of `x`.
    bias : array, shape (c_out,), optional
        Added to every position.
    mask : array, shape (n, out_height, out_width, offset_groups * kernel_height * kernel_width), optional
        What each tap's value is multiplied by; all ones where not given.
    stride, padding, dilation, groups
        As in `conv2d`.
    offset_groups : int, default=1
        Parts the input channels are divided into, each with offsets (and a mask) of its own.

    Returns
    -------
    array, shape (n, out_height, out_width, c_out)

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or an option is not an integer.
    ValueError
        If shapes, channels and groups do not fit, or the window is larger than the padded image.

    Notes
    -----
    The pullback returns dx, doffset, dweight, dbias and dmask. The interpolation has a kink at whole pixels; there the
    gradient to the offset is that of the side below and to the right. Equations: Dai et al., "Deformable convolutional
    networks" (ICCV 2017), equations 2 to 4 and appendix A; the mask: Zhu, Hu, Lin and Dai, "Deformable ConvNets v2"
    (CVPR 2019), equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> image = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    >>> half_a_pixel = np.zeros((1, 3, 3, 2), np.float32) + np.array([0, 0.5], np.float32)
    >>> F.deform_conv2d(image, half_a_pixel, np.ones((1, 1, 1, 1), np.float32))[0, :, :, 0]
    array([[0.5, 1.5, 1. ],
           [3.5, 4.5, 2.5],
           [6.5, 7.5, 4. ]], dtype=float32)
    """
    checked = _check(x, offset, weight, bias, mask, stride, padding, dilation, groups, offset_groups)
    x, offset, weight, bias, mask, sampling = checked
    columns, flat_weight = _columns(_bordered(x, sampling), offset, mask, weight, sampling)
    return conv2d(columns, flat_weight, bias, groups=sampling.geometry.groups)


@deform_conv2d.define_vjp
def _deform_conv2d_vjp(
    x, offset, weight, bias=None, *, mask=None, stride=1, padding=0, dilation=1, groups=1, offset_groups=1
):
    checked = _check(x, offset, weight, bias, mask, stride, padding, dilation, groups, offset_groups)
    x, offset, weight, bias, mask, sampling = checked
    bordered = _bordered(x, sampling)
    columns, flat_weight = _columns(bordered, offset, mask, weight, sampling)
    given = (flat_weight,) if bias is None else (flat_weight, bias)
    y, product = conv2d.vjp(columns, *given, groups=sampling.geometry.groups)

    def pullback(dy, wrt):
        need_dx, need_doffset, need_dweight, need_dbias, need_dmask = wrt
        need_columns = need_dx or need_doffset or need_dmask
        dcolumns, dweight, *dbias = product(dy, (need_columns, need_dweight, need_dbias)[: 1 + len(given)])
        dweight = None if dweight is None else dweight.reshape(weight.shape)
        dx = _to_x(dcolumns, x.shape, offset, mask, sampling) if need_dx else None
        doffset = dmask = None
        if need_doffset or need_dmask:
            doffset, dmask = _to_places(dcolumns, bordered, offset, mask, sampling)
        dbias = dbias[0] if dbias else None
        return dx, doffset if need_doffset else None, dweight, dbias, dmask if need_dmask else None

    return y, pullback


def _to_x(dcolumns, shape, offset, mask, sampling):
    """The gradient to the images, without the border."""
    if on_device(dcolumns):
        dx = device_zeros(shape, dcolumns.dtype)
        flat = (array.reshape(-1) for array in (offset, mask, dcolumns, dx))
        device_kernels.scatter_columns(*flat, sampling.device_numbers, sampling.parts)
        return dx
    border = kernels.BORDER
    dx = empty((shape[0], *sampling.plane, shape[-1]), dcolumns.dtype)
    numbers = sampling.numbers, sampling.parts, shape[0]
    kernels.sample_backward(offset.reshape(-1), mask.reshape(-1), dcolumns.reshape(-1), dx.reshape(-1), *numbers)
    return np.ascontiguousarray(dx[:, border:-border, border:-border])


def _to_places(dcolumns, bordered, offset, mask, sampling):
    """The gradients to the offsets and the mask."""
    if on_device(dcolumns):
        doffset, dmask = device_empty_like(offset), device_empty_like(mask)
        flat = (array.reshape(-1) for array in (offset, mask, dcolumns, doffset, dmask))
        device_kernels.place_gradients(bordered, *flat, sampling.device_numbers, sampling.parts)
        return doffset, dmask
    doffset, dmask = empty_like(offset), empty_like(mask)
    numbers = sampling.numbers, sampling.parts, len(offset)
    arrays = [a.reshape(-1) for a in (offset, mask, dcolumns, doffset, dmask)]
    kernels.sample_backward_places(bordered, *arrays, *numbers)
    return doffset, dmask
