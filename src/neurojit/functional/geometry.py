"""A convolution's numbers: checked once for each kind of call, and in the form the engine takes them."""

import dataclasses
import functools
import itertools
import math

import numpy as np

from neurojit.core.shapes import integers, output_size, paddings

# Below this many channels the values of a window are read by their offsets (kernels/cpu/few_channels.py).
_FEW_CHANNELS = 16


@dataclasses.dataclass(frozen=True)
class Phase:
    """Inputs `stride` apart, reached by the same taps, from these places in dy: (i + padding - dilation k) / stride."""

    origin: tuple
    grid: tuple
    window: tuple  # taps along each axis
    dilation: tuple
    taps: np.ndarray  # which taps of the convolution's window
    displacement: np.ndarray  # (len(taps), 3)
    multiplications: int  # of one image for each pair of channels: how often a tap sees something of dy


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Shapes and options, always for three spatial axes (depth and height are 1 where there are fewer)."""

    size: tuple
    window: tuple
    stride: tuple
    padding: tuple  # ((before, after), ...)
    dilation: tuple
    groups: int
    c_in: int
    output: tuple

    @functools.cached_property
    def taps(self):
        """Every tap of the window, in the order of the weights."""
        return list(itertools.product(*(range(k) for k in self.window)))

    def spread(self, x):
        """x (n, ..., c_in) with three spatial axes."""
        return x.reshape(len(x), *self.size, self.c_in)

    @property
    def has_few_channels(self):
        """Whether runs of channels are too short for the register tile, and a window's rows are runs without gaps."""
        is_window = any(k > 1 for k in self.window)
        return is_window and self.groups == 1 and self.c_in < _FEW_CHANNELS and self.dilation[2] == 1

    @functools.cached_property
    def multiplications(self):
        """Of one image for each pair of channels: how often the tap of a window sees something."""
        axes = zip(self.size, self.output, self.window, self.stride, self.padding, self.dilation, strict=True)
        return math.prod(
            sum(0 <= s * i + d * k - before < n for i in range(out) for k in range(taps))
            for n, out, taps, s, (before, _), d in axes
        )

    @functools.cached_property
    def over_cells(self):
        """The same convolution of images with stride 1, over cells of stride x stride pixels, or None if it is none."""
        stride, window = self.stride, self.window
        is_whole = not any(k % s for k, s in zip(window, stride, strict=True))
        if max(stride) == 1 or not is_whole or max(self.dilation) > 1 or self.size[0] > 1 or self.groups > 1:
            return None
        cells = tuple(k // s for k, s in zip(window, stride, strict=True))
        return dataclasses.replace(
            self,
            size=tuple(n + k - 1 for n, k in zip(self.output, cells, strict=True)),
            window=cells,
            stride=(1, 1, 1),
            padding=((0, 0),) * 3,
            c_in=self.c_in * math.prod(stride),
        )

    @functools.cached_property
    def displacement(self):
        """Where each tap looks from the window's position, shape (taps, 3)."""
        before = [pair[0] for pair in self.padding]
        moves = [[d * k - p for d, k, p in zip(self.dilation, tap, before, strict=True)] for tap in self.taps]
        return np.array(moves, np.int64)

    @functools.cached_property
    def phases(self):
        """The inputs by what reaches them: one phase for each position within a stride."""
        return [self._phase(origin) for origin in itertools.product(*(range(s) for s in self.stride))]

    def _phase(self, origin):
        grid = tuple(max(0, -(-(n - r) // s)) for n, r, s in zip(self.size, origin, self.stride, strict=True))
        taps, displacement = [], []
        dilation = tuple(d // math.gcd(d, s) for d, s in zip(self.dilation, self.stride, strict=True))
        for index, tap in enumerate(self.taps):
            axes = zip(origin, self.padding, self.dilation, tap, self.stride, strict=True)
            divided = [divmod(r + before - d * k, s) for r, (before, _), d, k, s in axes]
            if not any(remainder for _, remainder in divided):
                taps.append(index)
                displacement.append([quotient for quotient, _ in divided])
        displacement = np.array(displacement, np.int64).reshape(-1, 3)
        window = tuple(len(np.unique(moves)) for moves in displacement.T)
        sees = [
            [sum(0 <= i + move < n for i in range(out)) for move in moves]
            for n, out, moves in zip(self.output, grid, displacement.T, strict=True)
        ]
        multiplications = int(np.prod(sees, axis=0).sum())
        return Phase(origin, grid, window, dilation, np.array(taps, np.int64), displacement, multiplications)


@functools.lru_cache(maxsize=1024, typed=True)
def geometry_of(x_shape, weight_shape, stride, padding, dilation, groups):
    """The checked geometry of a convolution of x (n, ..., c_in) with weights (..., c_in / groups, c_out).

    Raises
    ------
    TypeError
        If an option is not an integer.
    ValueError
        If shapes, channels and groups do not fit, or the window is larger than the padded input.
    """
    rank = len(x_shape) - 2
    (groups,) = integers(groups, "groups", 1)
    c_in, c_out = x_shape[-1], weight_shape[-1]
    if c_in % groups or c_out % groups:
        raise ValueError(f"groups: got {groups}, wanted a divisor of {c_in} input and {c_out} output channels")
    if weight_shape[-2] * groups != c_in:
        raise ValueError(
            f"weight: got shape {weight_shape}, for {weight_shape[-2] * groups} input channels in {groups} groups;"
            f" wanted {c_in // groups} in its last axis but one, as x has {c_in} channels"
        )
    if min(weight_shape) < 1:
        raise ValueError(f"weight: got shape {weight_shape}, wanted no empty axis")
    size, window = x_shape[1:-1], weight_shape[:rank]
    stride = integers(stride, "stride", rank)
    dilation = integers(dilation, "dilation", rank)
    padding = paddings(padding, size, window, stride, dilation)
    output = tuple(output_size(*axis) for axis in zip(size, window, stride, padding, dilation, strict=True))
    ones = (1,) * (3 - rank)
    return Geometry(
        size=ones + size,
        window=ones + window,
        stride=ones + stride,
        padding=((0, 0),) * (3 - rank) + padding,
        dilation=ones + dilation,
        groups=groups,
        c_in=c_in,
        output=ones + output,
    )


def hashable(option):
    """Lists as tuples, at any depth, so that a list serves as an option as well as a tuple does."""
    return tuple(hashable(part) for part in option) if isinstance(option, tuple | list) else option
