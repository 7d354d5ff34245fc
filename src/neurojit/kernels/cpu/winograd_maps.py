"""The linear maps of Winograd's minimal filtering, and the patches of images they work on.

F(m x m, r x r) makes m x m outputs y of a filter g with r x r taps from a patch d of points x points inputs, points =
m + r - 1, with points^2 multiplications instead of (m r)^2:

    y = A^T [(G g G^T) * (B^T d B)] A

(Lavin and Gray, "Fast algorithms for convolutional neural networks" (CVPR 2016), equation 8; * is elementwise). Its
pullbacks are the adjoint maps, dy -> A dy A^T and dg = G^T (...) G. Outputs and filters are seen as polynomials, taken
at 0, 1, -1 (, 2 (, -2)) and infinity: sums and differences of their even and odd parts, hence the factors below.
"""

import numpy as np

from neurojit.core.block_maps import block_map
from neurojit.core.emitter import LINE_BYTES
from neurojit.core.jit import inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.simd import address, keep
from neurojit.kernels.cpu.chunks import ceil_divide

# Variants, numbered as the kernels take them: (outputs m, taps r) along one axis.
VARIANTS = ((4, 3), (2, 3), (2, 5), (4, 2))

# From even and odd parts at 1 (and 2) to values at 1, -1 (, 2, -2).
_SUMS_6 = np.array(
    [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 1, -1, 0, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 1, -1, 0],
        [0, 0, 0, 0, 0, 1],
    ]
)
_SUMS_5 = np.array([[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 1, -1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]])
_SUMS_4 = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, -1, 0], [0, 0, 0, 1]])

# B^T = sums @ data, with points 0, 1, -1, 2, -2, infinity, the same without -2, and without 2 as well.
_DATA_6 = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, 0, -4, 0, 1, 0],
        [0, -4, 0, 1, 0, 0],
        [0, 0, -1, 0, 1, 0],
        [0, -2, 0, 2, 0, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_DATA_5 = np.array([[2, -1, -2, 1, 0], [0, 0, -2, 1, 0], [0, -2, 1, 0, 0], [0, -1, 0, 1, 0], [0, 2, -1, -2, 1]])
_DATA_4 = np.array([[1, 0, -1, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, -1, 0, 1]])

# G = sums @ filter, rows scaled by 1 / the product of the distances to the other points.
_FILTER_43 = np.array(
    [[1 / 4, 0, 0], [-1 / 6, 0, -1 / 6], [0, -1 / 6, 0], [1 / 24, 0, 1 / 6], [0, 1 / 12, 0], [0, 0, 1]]
)
_FILTER_42 = np.array([[1 / 2, 0], [-1 / 2, -1 / 2], [-1 / 6, 1 / 6], [1 / 6, 1 / 3], [0, 1]])  # with its sums
_FILTER_23 = np.array([[1, 0, 0], [1 / 2, 0, 1 / 2], [0, 1 / 2, 0], [0, 0, 1]])
_FILTER_25 = np.array(
    [
        [1 / 4, 0, 0, 0, 0],
        [-1 / 6, 0, -1 / 6, 0, -1 / 6],
        [0, -1 / 6, 0, -1 / 6, 0],
        [1 / 24, 0, 1 / 6, 0, 2 / 3],
        [0, 1 / 12, 0, 1 / 3, 0],
        [0, 0, 0, 0, 1],
    ]
)

# A^T = output @ sums.
_OUTPUT_43 = np.array([[1, 1, 0, 1, 0, 0], [0, 0, 1, 0, 2, 0], [0, 1, 0, 4, 0, 0], [0, 0, 1, 0, 8, 1]])
_OUTPUT_42 = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 2, 0], [0, 1, 0, 4, 0], [0, 0, 1, 8, 1]])
_OUTPUT_23 = np.array([[1, 1, 0, 0], [0, 0, 1, 1]])
_OUTPUT_25 = np.array([[1, 1, 0, 1, 0, 0], [0, 0, 1, 0, 2, 1]])

_data_6, _data_5, _data_4 = (
    block_map(_DATA_6, _SUMS_6),
    block_map(_DATA_5, _SUMS_5),
    block_map(_DATA_4, _SUMS_4),
)
_filter_43, _filter_42, _filter_23, _filter_25 = (
    block_map(_FILTER_43, _SUMS_6),
    block_map(_FILTER_42),
    block_map(_FILTER_23, _SUMS_4),
    block_map(_FILTER_25, _SUMS_6),
)
_output_43, _output_42, _output_23, _output_25 = (
    block_map(_SUMS_6, _OUTPUT_43),
    block_map(_SUMS_5, _OUTPUT_42),
    block_map(_SUMS_4, _OUTPUT_23),
    block_map(_SUMS_6, _OUTPUT_25),
)
_output_gradient_43, _output_gradient_42, _output_gradient_23, _output_gradient_25 = (
    block_map(_OUTPUT_43.T, _SUMS_6.T),
    block_map(_OUTPUT_42.T, _SUMS_5.T),
    block_map(_OUTPUT_23.T, _SUMS_4.T),
    block_map(_OUTPUT_25.T, _SUMS_6.T),
)
_filter_gradient_43, _filter_gradient_42, _filter_gradient_23, _filter_gradient_25 = (
    block_map(_SUMS_6.T, _FILTER_43.T),
    block_map(_FILTER_42.T),
    block_map(_SUMS_4.T, _FILTER_23.T),
    block_map(_SUMS_6.T, _FILTER_25.T),
)


@inner_kernel
def outputs_of(variant):
    """Outputs of a tile along one axis: m."""
    return 4 if variant == 0 or variant == 3 else 2


@inner_kernel
def points_of(variant):
    """Inputs of a tile along one axis: m + r - 1."""
    if variant == 3:
        return 5
    return 4 if variant == 1 else 6


@inner_kernel
def map_data(variant, like, sources, channels, targets, bias):
    """B^T d B."""
    if variant == 1:
        _data_4(like, sources, channels, targets, bias)
    elif variant == 3:
        _data_5(like, sources, channels, targets, bias)
    else:
        _data_6(like, sources, channels, targets, bias)


@inner_kernel
def map_filter(variant, like, sources, channels, targets, bias):
    """G g G^T."""
    if variant == 0:
        _filter_43(like, sources, channels, targets, bias)
    elif variant == 1:
        _filter_23(like, sources, channels, targets, bias)
    elif variant == 3:
        _filter_42(like, sources, channels, targets, bias)
    else:
        _filter_25(like, sources, channels, targets, bias)


@inner_kernel
def map_output(variant, like, sources, channels, targets, bias):
    """A^T m A + bias."""
    if variant == 0:
        _output_43(like, sources, channels, targets, bias)
    elif variant == 1:
        _output_23(like, sources, channels, targets, bias)
    elif variant == 3:
        _output_42(like, sources, channels, targets, bias)
    else:
        _output_25(like, sources, channels, targets, bias)


@inner_kernel
def map_output_gradient(variant, like, sources, channels, targets, bias):
    """A dy A^T."""
    if variant == 0:
        _output_gradient_43(like, sources, channels, targets, bias)
    elif variant == 1:
        _output_gradient_23(like, sources, channels, targets, bias)
    elif variant == 3:
        _output_gradient_42(like, sources, channels, targets, bias)
    else:
        _output_gradient_25(like, sources, channels, targets, bias)


@inner_kernel
def map_filter_gradient(variant, like, sources, channels, targets, bias):
    """G^T dm G."""
    if variant == 0:
        _filter_gradient_43(like, sources, channels, targets, bias)
    elif variant == 1:
        _filter_gradient_23(like, sources, channels, targets, bias)
    elif variant == 3:
        _filter_gradient_42(like, sources, channels, targets, bias)
    else:
        _filter_gradient_25(like, sources, channels, targets, bias)


@inner_kernel
def tile_corner(tile, m, tiling):
    """Image, row and column of the first output of a tile.

    tiling = (tiles down, tiles across, dilation down, dilation across): outputs `dilation` apart make up an image of
    their own, so that those of one tile lie as far from one another as the taps of the window.
    """
    down, across, step_y, step_x = tiling
    tile, x = divmod(tile, across)
    tile, phase_x = divmod(tile, step_x)
    tile, y = divmod(tile, down)
    n, phase_y = divmod(tile, step_y)
    return n, phase_y + step_y * m * y, phase_x + step_x * m * x


@inner_kernel
def tabulate_patch(array, outside, n, y, x, count, steps, table):
    """Addresses of count x count pixels, `steps` apart, from (y, x) on of image n of array (n, h, w, c).

    Those past its border are `outside`.
    """
    (_, h, w, c), (step_y, step_x) = array.shape, steps
    first = address(array, ((n * h + y) * w + x) * c)
    down, across = step_y * w * c * array.itemsize, step_x * c * array.itemsize
    reach = count - 1
    is_inside = y >= 0 and x >= 0 and y + reach * step_y < h and x + reach * step_x < w
    for i in range(count):
        for j in range(count):
            table[i * count + j] = first + i * down + j * across
    if not is_inside:
        for i in range(count):
            for j in range(count):
                if not (0 <= y + i * step_y < h and 0 <= x + j * step_x < w):
                    table[i * count + j] = outside


# A page of the first-level cache's sets: layers a multiple of it apart would all fall into the same few sets.
_PAGE_BYTES = 4096


@kernel
def layer_size(size, itemsize):
    """Elements from one layer of `size` elements to the next: a line more than whole pages."""
    page = _PAGE_BYTES // itemsize
    return ceil_divide(size, page) * page + LINE_BYTES // itemsize


@inner_kernel
def tabulate_layers(first, pitch, table):
    """Addresses `pitch` bytes apart: those of one element in every layer of an array (points^2, ...)."""
    for i in range(table.size):
        table[i] = first + i * pitch


# Channels a block holds where all patches are mapped beforehand: filters from so many to one panel fill half a
# second-level cache.
CHANNELS = 128
_TILES = 16  # tiles mapped by one task


@kernel
def map_patches(variant, is_gradient, source, before, tiling, first, count, channel, channels, patches, place):
    """Patches `place` .. `place` + `count` (layers, rows * channels): those of the tiles from `first` on.

    source (n, h, w, c), of which `channels` from `channel` on are taken; or, for gradients, that of the output.
    """
    m = outputs_of(variant)
    size = m if is_gradient else points_of(variant)
    zeros = np.zeros(source.shape[3], source.dtype)
    sources, targets = np.empty(size * size, np.int64), np.empty(patches.shape[0], np.int64)
    skip, pitch = channel * source.itemsize, patches.shape[1] * source.itemsize
    nothing = address(zeros, 0)
    for t in range(count):
        n, y, x = tile_corner(first + t, m, tiling)
        tabulate_patch(source, nothing, n, y - before[0], x - before[1], size, (tiling[2], tiling[3]), sources)
        for i in range(sources.size):
            sources[i] += skip
        tabulate_layers(address(patches, (place + t) * channels), pitch, targets)
        if is_gradient:
            map_output_gradient(variant, source, address(sources, 0), channels, address(targets, 0), nothing)
        else:
            map_data(variant, source, address(sources, 0), channels, address(targets, 0), nothing)
    keep(zeros)
    keep(sources)
    keep(targets)


@kernel
def _map_blocks(variant, is_gradient, source, before, tiling, first, count, width, patches):
    for block in range(patches.shape[0]):
        channel = block * width
        channels = min(width, source.shape[3] - channel)
        map_patches(
            variant, is_gradient, source, before, tiling, first, count, channel, channels, patches[block], first
        )


@parallel_kernel
def map_all_patches(variant, is_gradient, source, before, tiling, tiles, width, patches):
    """patches (blocks of `width` channels, layers, layer size) of every tile."""
    for task in prange(ceil_divide(tiles, _TILES)):
        first = np.int64(task) * _TILES
        _map_blocks(variant, is_gradient, source, before, tiling, first, min(_TILES, tiles - first), width, patches)
