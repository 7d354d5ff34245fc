"""Convolution over signals and images, channels last."""

import dataclasses
import itertools
import math

import numpy as np

from neurojit.core import simd
from neurojit.core.arrays import canonical
from neurojit.core.shapes import integers, output_size, paddings
from neurojit.functional.op import op
from neurojit.kernels.cpu import conv as kernels

# Below this many channels a window row of the (then padded) input is multiplied as one run.
_FEW_CHANNELS = 16


@dataclasses.dataclass(frozen=True)
class Geometry:
    """A convolution's numbers, always for three spatial axes (depth and height are 1 where there are fewer)."""

    size: tuple
    window: tuple
    stride: tuple
    padding: tuple  # ((before, after), ...)
    dilation: tuple
    groups: int

    @property
    def output(self):
        """Lengths of the output's three spatial axes."""
        axes = zip(self.size, self.window, self.stride, self.padding, self.dilation, strict=True)
        return tuple(output_size(*axis) for axis in axes)

    @property
    def before(self):
        return tuple(pair[0] for pair in self.padding)

    def taps(self):
        """Every tap of the window, in the order of the weights."""
        return itertools.product(*(range(k) for k in self.window))


def _check(x, weight, bias, stride, padding, dilation, groups, rank):
    """Canonical arrays with three spatial axes, the geometry, and the shape of the result."""
    x = canonical(x, "x", ndim=rank + 2)
    weight = canonical(weight, "weight", dtype=x.dtype, ndim=rank + 2)
    (groups,) = integers(groups, "groups", 1)
    c_in, c_out = x.shape[-1], weight.shape[-1]
    if c_in % groups or c_out % groups:
        raise ValueError(f"groups: got {groups}, wanted a divisor of {c_in} input and {c_out} output channels")
    if weight.shape[-2] * groups != c_in:
        raise ValueError(
            f"weight: got shape {weight.shape}, for {weight.shape[-2] * groups} input channels in {groups} groups;"
            f" wanted {c_in // groups} in its last axis but one, as x has {c_in} channels"
        )
    if bias is not None:
        bias = canonical(bias, "bias", dtype=x.dtype, shape=(c_out,))
    window, spatial = weight.shape[:rank], x.shape[1:-1]
    if min(weight.shape) < 1:
        raise ValueError(f"weight: got shape {weight.shape}, wanted no empty axis")
    stride = integers(stride, "stride", rank)
    dilation = integers(dilation, "dilation", rank)
    padding = paddings(padding, spatial, window, stride, dilation)
    fill = 3 - rank
    ones = (1,) * fill
    geometry = Geometry(
        ones + spatial, ones + window, ones + stride, ((0, 0),) * fill + padding, ones + dilation, groups
    )
    x = x.reshape(x.shape[0], *geometry.size, c_in)
    weight = weight.reshape(*geometry.window, *weight.shape[-2:])
    return x, weight, bias, geometry, (x.shape[0], *geometry.output[fill:], c_out)


# From this many bytes on, rows of weights one below the other fall into too few sets of the cache: pack them.
_LONG_ROW = 2048


def _panels(columns, dtype):
    """The width of the register tile, and how many it takes for a number of columns."""
    full = simd.VECTORS * simd.lanes(dtype)
    return full, -(-columns // full)


def _packed(weight, groups):
    """Weights (taps, run, groups * columns) as the kernels read them: a flat array and its layout."""
    taps, run, c_out = weight.shape
    columns = c_out // groups
    full, panels = _panels(columns, weight.dtype)
    if columns % simd.lanes(weight.dtype) == 0 and weight.strides[1] < _LONG_ROW:
        return weight.reshape(-1), (columns, full, c_out)
    packed = np.empty((groups, panels, taps * run, full), weight.dtype)
    kernels.pack_panels(weight.reshape(taps, run, groups, columns), packed)
    return packed.reshape(-1), (panels * taps * run * full, taps * run * full, full)


def _packed_transposed(weight, taps, groups):
    """The chosen taps of weights (all taps, c_in, groups * columns), inputs and outputs exchanged, with their layout."""
    _, c_in, c_out = weight.shape
    full, panels = _panels(c_in, weight.dtype)
    rows = len(taps) * (c_out // groups)
    packed = np.empty((groups, panels, rows, full), weight.dtype)
    kernels.pack_transposed(weight.reshape(-1, c_in, groups, c_out // groups), np.array(taps, np.int64), packed)
    return packed.reshape(-1), (panels * rows * full, rows * full, full)


def _start(bias, columns, groups, dtype):
    """The row every sum starts from, bias or zeros, for whole panels of `columns` columns in each group."""
    full, panels = _panels(columns, dtype)
    start = np.zeros((groups, panels * full), dtype)
    if bias is not None:
        start[:, :columns] = bias.reshape(groups, columns)
    return start


@dataclasses.dataclass(frozen=True)
class _View:
    """How the kernels look at the input: as it is, tap by tap; or padded, a whole row of the window at a time."""

    source: np.ndarray
    displacement: np.ndarray  # (taps or window rows, 3)
    run: int

    @classmethod
    def of(cls, x, geometry):
        c_in = x.shape[-1]
        if geometry.groups == 1 and c_in < _FEW_CHANNELS and geometry.dilation[2] == 1:
            source = _padded(x, geometry)
            rows = itertools.product(*(range(k) for k in geometry.window[:2]), [0])
            displacement = [[d * k for d, k in zip(geometry.dilation, row, strict=True)] for row in rows]
            return cls(source, np.array(displacement, np.int64), geometry.window[2] * c_in)
        displacement = [
            [d * k - p for d, k, p in zip(geometry.dilation, tap, geometry.before, strict=True)]
            for tap in geometry.taps()
        ]
        return cls(x, np.array(displacement, np.int64), c_in // geometry.groups)


def _padded(x, geometry):
    """`x` with its zeros around it."""
    if not any(after or before for before, after in geometry.padding):
        return x
    return np.pad(x, ((0, 0), *geometry.padding, (0, 0)))


def _forward(view, weight, bias, geometry):
    c_out, groups = weight.shape[-1], geometry.groups
    out = np.empty((view.source.shape[0], *geometry.output, c_out), weight.dtype)
    packed, layout = _packed(weight.reshape(len(view.displacement), view.run, c_out), groups)
    start = _start(bias, c_out // groups, groups, weight.dtype)
    kernels.correlate(
        view.source,
        packed,
        layout,
        view.run,
        start,
        out,
        geometry.output,
        geometry.stride,
        view.displacement,
        (0, 0, 0),
        (1, 1, 1),
    )
    return out


def _data_gradient(dy, weight, geometry):
    """Gradient to x: for every phase of the stride, a correlation of dy with the taps that phase sees."""
    *_, c_in, c_out = weight.shape
    groups = geometry.groups
    weight = weight.reshape(-1, c_in, c_out)
    dx = np.empty((dy.shape[0], *geometry.size, c_in * groups), dy.dtype)
    start = _start(None, c_in, groups, dy.dtype)
    for phase in itertools.product(*(range(s) for s in geometry.stride)):
        grid = tuple(max(0, -(-(n - r) // s)) for n, r, s in zip(geometry.size, phase, geometry.stride, strict=True))
        taps, displacement = _phase_taps(phase, geometry)
        if not taps:
            d, h, w = (slice(r, None, s) for r, s in zip(phase, geometry.stride, strict=True))
            dx[:, d, h, w] = 0
        elif min(grid) > 0:
            packed, layout = _packed_transposed(weight, taps, groups)
            run = c_out // groups
            kernels.correlate(
                dy, packed, layout, run, start, dx, grid, (1, 1, 1), displacement, phase, geometry.stride
            )
    return dx


def _phase_taps(phase, geometry):
    """The taps that reach inputs of one phase, and from where in dy: o = (i + padding - dilation k) / stride."""
    taps, displacement = [], []
    for index, tap in enumerate(geometry.taps()):
        axes = zip(phase, geometry.before, geometry.dilation, tap, geometry.stride, strict=True)
        divided = [divmod(r + p - d * k, s) for r, p, d, k, s in axes]
        if not any(remainder for _, remainder in divided):
            taps.append(index)
            displacement.append([quotient for quotient, _ in divided])
    return taps, np.array(displacement, np.int64)


def _weight_gradient(view, dy, weight_shape, geometry):
    *_, c_in, c_out = weight_shape
    groups = geometry.groups
    taps, run = view.displacement.shape[0], view.run
    offset = np.arange(run, dtype=np.int64) * dy.itemsize
    splits = _splits(view.source.nbytes + dy.nbytes, math.prod(weight_shape) * dy.itemsize)
    partial = np.empty((splits, groups, taps, run, c_out // groups), dy.dtype)
    kernels.correlate_weight_gradient(
        view.source, dy, partial, geometry.output, geometry.stride, view.displacement, offset
    )
    total = _total(partial.reshape(splits, -1)).reshape(groups, taps * run, c_out // groups)
    return total.transpose(1, 0, 2).reshape(weight_shape)


def _splits(data_bytes, weight_bytes):
    """Parts of the batch that sum weight gradients of their own: many only while those are light beside the data."""
    return max(1, min(8, data_bytes // (4 * weight_bytes)))


def _total(partial):
    if len(partial) == 1:
        return partial[0]
    total = np.empty(partial.shape[1], partial.dtype)
    kernels.sum_partials(partial, total)
    return total


def bias_gradient(dy):
    """Sum of dy over all axes but the last."""
    rows = dy.reshape(-1, dy.shape[-1])
    partial = np.empty((max(1, min(8, rows.size >> 14)), rows.shape[1]), dy.dtype)
    kernels.column_sums(rows, partial)
    return _total(partial)


def _conv(x, weight, bias, stride, padding, dilation, groups, rank):
    x, weight, bias, geometry, shape = _check(x, weight, bias, stride, padding, dilation, groups, rank)
    return _forward(_View.of(x, geometry), weight, bias, geometry).reshape(shape)


def _conv_vjp(x, weight, bias, stride, padding, dilation, groups, rank):
    given_x_shape, given_weight_shape = np.shape(x), np.shape(weight)
    x, weight, bias, geometry, shape = _check(x, weight, bias, stride, padding, dilation, groups, rank)
    view = _View.of(x, geometry)
    y = _forward(view, weight, bias, geometry).reshape(shape)

    def pullback(dy, wrt):
        dy = dy.reshape(dy.shape[0], *geometry.output, dy.shape[-1])
        dx = _data_gradient(dy, weight, geometry).reshape(given_x_shape) if wrt[0] else None
        dweight = _weight_gradient(view, dy, weight.shape, geometry).reshape(given_weight_shape) if wrt[1] else None
        return dx, dweight, bias_gradient(dy) if wrt[2] else None

    return y, pullback


@op("x", "weight", "bias")
def conv2d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Convolve images with a bank of filters (cross-correlation, as deep learning calls convolution).

    .. math::

        y[n, i, j, o] = b[o] + \\sum_{u, v, c} x[n, s i + d u - p, s j + d v - p, c]\\, w[u, v, c, o]

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
    The pullback returns dx, dweight and dbias. Equations: Dumoulin and Visin, "A guide to convolution arithmetic for deep
    learning" (2016), relationship 6 (sizes) and section 4 (gradients as transposed convolutions). The kernel is the
    indirect product of Dukhan, "The indirect convolution algorithm" (2019), section 3.

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
    """
    return _conv(x, weight, bias, stride, padding, dilation, groups, rank=2)


@conv2d.define_vjp
def _conv2d_vjp(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    return _conv_vjp(x, weight, bias, stride, padding, dilation, groups, rank=2)


@op("x", "weight", "bias")
def conv1d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Convolve signals with a bank of filters.

    .. math::

        y[n, i, o] = b[o] + \\sum_{u, c} x[n, s i + d u - p, c]\\, w[u, c, o]

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
        Zeros around the signal. ``"causal"`` puts dilation (kernel - 1) of them before it, so that no output sees later
        inputs.

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


@conv1d.define_vjp
def _conv1d_vjp(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    return _conv_vjp(x, weight, bias, stride, padding, dilation, groups, rank=1)
