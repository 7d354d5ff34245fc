"""What a convolution asks of the engine: its geometry, how the input is seen, and the three products."""

import dataclasses
import itertools
import math

import numpy as np

from neurojit.core import simd
from neurojit.core.arrays import canonical
from neurojit.core.shapes import integers, output_size, paddings
from neurojit.functional.normalization import block_count, tile_width
from neurojit.kernels.cpu import conv as kernels
from neurojit.kernels.cpu.columns import channel_sums
from neurojit.kernels.cpu.packing import pack_panels, pack_transposed, pad

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


def check(x, weight, bias, stride, padding, dilation, groups, rank):
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
_LONG_ROW = 1024


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
    pack_panels(weight.reshape(taps * run, groups, columns), packed)
    return packed.reshape(-1), (panels * taps * run * full, taps * run * full, full)


def _packed_transposed(weight, taps, groups):
    """Chosen taps of weights (all taps, c_in, groups * columns), inputs and outputs exchanged, with their layout."""
    _, c_in, c_out = weight.shape
    full, panels = _panels(c_in, weight.dtype)
    rows = len(taps) * (c_out // groups)
    packed = np.empty((groups, panels, rows, full), weight.dtype)
    pack_transposed(weight.reshape(-1, c_in, groups, c_out // groups), np.array(taps, np.int64), packed)
    return packed.reshape(-1), (panels * rows * full, rows * full, full)


def _start(bias, columns, groups, dtype):
    """The row every sum starts from, bias or zeros, for whole panels of `columns` columns in each group."""
    full, panels = _panels(columns, dtype)
    start = np.zeros((groups, panels * full), dtype)
    if bias is not None:
        start[:, :columns] = bias.reshape(groups, columns)
    return start


@dataclasses.dataclass(frozen=True)
class View:
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
    spatial = (size + before + after for size, (before, after) in zip(geometry.size, geometry.padding, strict=True))
    padded = np.empty((x.shape[0], *spatial, x.shape[-1]), x.dtype)
    pad(x, geometry.before, padded)
    return padded


def forward(view, weight, bias, geometry):
    """The convolution itself, shape (n, *geometry.output, c_out)."""
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


def data_gradient(dy, weight, geometry):
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
            kernels.correlate(dy, packed, layout, run, start, dx, grid, (1, 1, 1), displacement, phase, geometry.stride)
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


def weight_gradient(view, dy, weight_shape, geometry):
    """Gradient to the weights, of their shape: for every tap, the inputs it saw times dy."""
    c_out, groups = weight_shape[-1], geometry.groups
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
    return max(1, min(8, 2 * data_bytes // weight_bytes))


def _total(partial):
    if len(partial) == 1:
        return partial[0]
    total = np.empty(partial.shape[1], partial.dtype)
    kernels.sum_partials(partial, total)
    return total


def bias_gradient(dy):
    """Sum of dy over all axes but the last, shape (c_out,)."""
    channels = dy.shape[-1]
    width = tile_width(channels)
    partial = np.empty((block_count(dy.size, width), width), dy.dtype)
    channel_sums(dy.reshape(-1), channels, partial)
    return partial[:, :channels].sum(axis=0)
