"""Winograd convolutions: when they pay, how a map is cut into tiles, and the products made of them."""

import dataclasses
import math

import numpy as np

from neurojit.core import simd
from neurojit.core.memory import empty
from neurojit.core.options import get_options
from neurojit.kernels.cpu import winograd as kernels
from neurojit.kernels.cpu import winograd_gradient as kernels_gradient
from neurojit.kernels.cpu.winograd_maps import VARIANTS, layer_size, map_all_patches

# What the patches of one task may weigh: they stay in a second-level cache beside the products of a panel.
_PATCH_BYTES = 1 << 20
# Sums of gradients to all weights that weigh more leave that cache between tiles: blocks of them are made apart.
_SUM_BYTES = 1 << 20
_MOST_SPLITS = 8  # parts of the batch that sum weight gradients of their own


@dataclasses.dataclass(frozen=True)
class Tiling:
    """How a map of outputs is cut into tiles: the numbers kernels/cpu/winograd_maps.py works with.

    Parameters
    ----------
    variant : int
        Which algorithm, F(m x m, r x r).
    before : (int, int)
        Zeros before the source's rows and columns.
    map : (int, int, int, int)
        Tiles down and across (of each phase of a dilated window), dilation down and across.
    tiles : int
        In all images.
    """

    variant: int
    before: tuple
    map: tuple
    tiles: int

    @classmethod
    def of(cls, variant, images, size, before, dilation):
        """The tiling of `images` maps of `size` outputs."""
        m, _ = VARIANTS[variant]
        down, across = (math.ceil(math.ceil(n / d) / m) for n, d in zip(size, dilation, strict=True))
        tiles = images * down * across * math.prod(dilation)
        return cls(variant, tuple(before), (down, across, *dilation), tiles)

    @property
    def name(self):
        """The algorithm, as the field calls it."""
        m, r = VARIANTS[self.variant]
        return f"Winograd F({m}x{m}, {r}x{r})"

    @property
    def multiplications(self):
        """For each pair of channels."""
        return self.tiles * self.points**2

    @property
    def padded_multiplications(self):
        """The same with tiles rounded up to whole register tiles, as they are multiplied."""
        return math.ceil(self.tiles / simd.ROWS) * simd.ROWS * self.points**2

    @property
    def points(self):
        """Elements of a patch along one axis."""
        return sum(VARIANTS[self.variant]) - 1

    def most(self, channels, itemsize):
        """Tiles whose patches of so many channels the cache holds."""
        return max(simd.ROWS, _PATCH_BYTES // (self.points**2 * channels * itemsize))

    def share(self, most):
        """Tiles of one task: at most `most`, in whole register tiles, and shared evenly by two threads."""
        rows = simd.ROWS
        candidates = range(most // rows * rows, most // 2 // rows * rows, -rows)
        return min(candidates, key=lambda share: math.ceil(math.ceil(self.tiles / share) / 2) * share)


# Below so many channels in or out the maps cost more than the multiplications they save.
_FEWEST_CHANNELS = 16
# The gradient to weights multiplies patches over tiles: of fewer, loading and storing the sums takes longer.
_FEWEST_TILES = 64


# Nor do they pay where tiles lie past the border: at most this share of the multiplications is to be left.
_MOST_MULTIPLICATIONS = 0.6


def _is_possible(geometry, c_out):
    """Whether a convolution is one of images, not grouped, and of enough channels to gain by Winograd's algorithms."""
    return (
        get_options().winograd
        and geometry.groups == 1
        and geometry.window[0] == geometry.size[0] == geometry.output[0] == 1
        and min(geometry.c_in, c_out) >= _FEWEST_CHANNELS
    )


def forward_tiling(geometry, images, c_out):
    """The tiling of a convolution, or None where it is better computed otherwise."""
    if set(geometry.stride) != {1} or not _is_possible(geometry, c_out):
        return None
    before = [pair[0] for pair in geometry.padding]
    multiplications = geometry.multiplications
    return _tiling(geometry.window, geometry.dilation, images, geometry.output, before, multiplications)


def data_gradient_tiling(geometry, phase, images, c_out):
    """The tiling of one phase of the gradient to data, or None where it is better computed otherwise."""
    if phase.taps.size == 0 or not _is_possible(geometry, c_out):
        return None
    before = -phase.displacement.min(axis=0)
    return _tiling(phase.window, phase.dilation, images, phase.grid, before.tolist(), phase.multiplications)


def weight_gradient_tiling(geometry, images, c_out):
    """The tiling of the gradient to weights, or None where it is better computed otherwise."""
    tiling = forward_tiling(geometry, images, c_out)
    return None if tiling is None or tiling.tiles < _FEWEST_TILES else tiling


def _tiling(window, dilation, images, size, before, multiplications):
    """That of the fewest multiplications, if they are few enough; of equals the more exact one."""
    if window[1] != window[2]:
        return None
    fits = [
        Tiling.of(variant, images, size[1:], before[1:], dilation[1:])
        for variant, (_, r) in enumerate(VARIANTS)
        if r == window[1]
    ]
    least = min((tiling.multiplications for tiling in fits), default=math.inf)
    if least > _MOST_MULTIPLICATIONS * images * multiplications:
        return None
    return min(fits, key=lambda tiling: (tiling.padded_multiplications, tiling.points))


def convolve(source, weight, bias, tiling, is_adjoint, out, origin=(0, 0), spacing=(1, 1)):
    """The convolution of source (n, h, w, c), or with the adjoint of weight (taps, c_in, c_out), into `out`.

    Its outputs are every `spacing`-th row and column of `out` from `origin` on.
    """
    c_in, columns = source.shape[3], out.shape[3]
    if bias is None:
        bias = np.zeros(columns, source.dtype)
    if columns > tiling.tiles:
        patches = _all_patches(source, tiling, kernels.CHANNELS)
        kernels.convolve_by_panels(
            tiling.variant, patches, c_in, tiling.map, tiling.tiles, weight, is_adjoint, bias, out, origin, spacing
        )
    else:
        filters = _all_filters(weight, c_in, columns, tiling, is_adjoint)
        share = tiling.share(tiling.most(c_in + simd.VECTORS * simd.lanes(source.dtype), source.itemsize))
        before, tiles = tiling.before, tiling.tiles
        kernels.convolve_by_tiles(
            tiling.variant, source, before, tiling.map, tiles, share, filters, bias, out, origin, spacing
        )


def weight_gradient(x, dy, weight_shape, tiling):
    """Gradient to weights (taps, c_in, c_out), of their shape."""
    _, c_in, columns = weight_shape
    dweight = empty(weight_shape, x.dtype)
    splits = min(_MOST_SPLITS, tiling.tiles * (c_in + columns) // (c_in * columns))
    sum_bytes, wide = tiling.points**2 * c_in * columns * x.itemsize, simd.WIDE_VECTORS * simd.lanes(x.dtype)
    blocks = math.ceil(c_in / kernels.CHANNELS) * math.ceil(columns / wide)
    if splits > 1 and (sum_bytes <= _SUM_BYTES or blocks == 1):
        partial = empty((splits, tiling.points**2, c_in, columns), x.dtype)
        part = math.ceil(tiling.tiles / splits)
        share = math.ceil(part / math.ceil(part / tiling.most(c_in + columns, x.itemsize)))
        kernels_gradient.sum_by_tiles(tiling.variant, x, dy, tiling.before, tiling.map, tiling.tiles, share, partial)
        kernels_gradient.map_back_partials(tiling.variant, partial, dweight)
    else:
        patches = _all_patches(x, tiling, kernels.CHANNELS)
        gradients = _all_patches(dy, tiling, wide, is_gradient=True)
        kernels_gradient.sum_by_blocks(tiling.variant, patches, gradients, tiling.tiles, dweight)
    return dweight


def _all_patches(source, tiling, width, is_gradient=False):
    """The mapped patches of every tile, in blocks of `width` channels."""
    c = source.shape[3]
    rows = -(-tiling.tiles // simd.ROWS) * simd.ROWS
    width = min(c, width)
    patches = empty((-(-c // width), tiling.points**2, layer_size(rows * width, source.itemsize)), source.dtype)
    for block, layers in enumerate(patches):  # rows past the last tile are multiplied, so they must hold numbers
        channels = min(width, c - block * width)
        layers[:, tiling.tiles * channels : rows * channels] = 0
    before = (0, 0) if is_gradient else tiling.before
    map_all_patches(tiling.variant, is_gradient, source, before, tiling.map, tiling.tiles, width, patches)
    return patches


def _all_filters(weight, c_in, columns, tiling, is_adjoint):
    full = simd.VECTORS * simd.lanes(weight.dtype)
    filters = empty((-(-columns // full), tiling.points**2, layer_size(c_in * full, weight.itemsize)), weight.dtype)
    kernels.map_all_filters(tiling.variant, weight, is_adjoint, filters)
    return filters
