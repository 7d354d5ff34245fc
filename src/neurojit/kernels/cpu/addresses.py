"""Tables of addresses: which run of channels each tap of a window sees from each position.

Positions are points of a grid (three axes, the first ones 1 for images and signals) flattened together with the batch,
cut into blocks of ROWS, the height of the register tile. See conv.py for what grid, step, displacement, origin and
spacing mean.
"""

import numpy as np

from neurojit.core.jit import kernel
from neurojit.core.simd import ROWS, address


@kernel
def _unravel(p, grid):
    """Image and grid coordinates of position `p` of the flattened grid."""
    p, x = divmod(p, grid[2])
    p, y = divmod(p, grid[1])
    n, z = divmod(p, grid[0])
    return n, z, y, x


@kernel
def _next_row(n, z, y, grid):
    """The row of the grid after this one."""
    y += 1
    if y == grid[1]:
        y, z = 0, z + 1
        if z == grid[0]:
            z, n = 0, n + 1
    return n, z, y


@kernel
def _flat(array, n, z, y, x):
    """Index of the first channel at a position of an array (n, d, h, w, c)."""
    _, d, h, w, c = array.shape
    return (((n * d + z) * h + y) * w + x) * c


@kernel
def _clear_span(size, step, displacement, axis):
    """The grid coordinates first <= q < last from which no tap looks past the source's border on one axis."""
    low = displacement[:, axis].min()
    high = displacement[:, axis].max()
    return max(-(low // step), 0), (size - 1 - high) // step + 1


@kernel
def _tabulate_at_border(source, zeros, n, z, y, x, displacement, table, at):
    """Addresses table[at + t * ROWS] under every tap of one position, zeros where a tap looks past the border."""
    _, d, h, w, _ = source.shape
    for t in range(displacement.shape[0]):
        tz, ty, tx = z + displacement[t, 0], y + displacement[t, 1], x + displacement[t, 2]
        if 0 <= tz < d and 0 <= ty < h and 0 <= tx < w:
            table[at + t * ROWS] = address(source, _flat(source, n, tz, ty, tx))
        else:
            table[at + t * ROWS] = zeros


@kernel
def tabulate(first, blocks, source, zeros, out, scratch, grid, step, displacement, origin, spacing, table, outs):
    """Addresses table[block, tap, row] of inputs and outs[block, row] of outputs, for positions from `first` on.

    Positions past the last read zeros and write to scratch, so that every tile is whole. A window within the source,
    as most are, takes one addition for each of its addresses.
    """
    taps = displacement.shape[0]
    delta = np.empty(taps, np.int64)
    for t in range(taps):
        delta[t] = _flat(source, 0, displacement[t, 0], displacement[t, 1], displacement[t, 2]) * source.itemsize
    z_first, z_last = _clear_span(source.shape[1], step[0], displacement, 0)
    y_first, y_last = _clear_span(source.shape[2], step[1], displacement, 1)
    x_first, x_last = _clear_span(source.shape[3], step[2], displacement, 2)
    x_bytes = step[2] * source.shape[4] * source.itemsize
    out_bytes = spacing[2] * out.shape[4] * out.itemsize
    total = out.shape[0] * grid[0] * grid[1] * grid[2]
    n, z, y, x = _unravel(first, grid)
    entering = True  # a row of the grid
    row_is_clear, row_start, out_start = False, 0, 0
    for position in range(first, first + blocks * ROWS):
        block, i = divmod(position - first, ROWS)
        at = block * taps * ROWS + i
        if position >= total:
            for t in range(taps):
                table[at + t * ROWS] = zeros
            outs[position - first] = scratch
            continue
        if entering:
            row_is_clear = z_first <= z < z_last and y_first <= y < y_last
            row_start = address(source, _flat(source, n, step[0] * z, step[1] * y, 0))
            oz, oy = origin[0] + spacing[0] * z, origin[1] + spacing[1] * y
            out_start = address(out, _flat(out, n, oz, oy, origin[2]))
            entering = False
        outs[position - first] = out_start + x * out_bytes
        if row_is_clear and x_first <= x < x_last:
            corner = row_start + x * x_bytes
            for t in range(taps):
                table[at + t * ROWS] = corner + delta[t]
        else:
            _tabulate_at_border(source, zeros, n, step[0] * z, step[1] * y, step[2] * x, displacement, table, at)
        x += 1
        if x == grid[2]:
            x, entering = 0, True
            n, z, y = _next_row(n, z, y, grid)


@kernel
def tabulate_tap(first, count, source, zeros, grid, step, here, table, at):
    """Addresses table[at + i] under one tap, displaced by `here`, for positions first .. first + count."""
    _, d, h, w, c = source.shape
    x_bytes = step[2] * c * source.itemsize
    n, z, y, x = _unravel(first, grid)
    i = 0
    while i < count:
        tz, ty = step[0] * z + here[0], step[1] * y + here[1]
        row_is_inside = 0 <= tz < d and 0 <= ty < h
        row_start = address(source, _flat(source, n, tz, ty, here[2]))
        steps = min(grid[2] - x, count - i)
        for k in range(steps):
            inside = row_is_inside and 0 <= step[2] * (x + k) + here[2] < w
            table[at + i + k] = row_start + (x + k) * x_bytes if inside else zeros
        i, x = i + steps, 0
        n, z, y = _next_row(n, z, y, grid)


@kernel
def shift(table, count, offset):
    """Move addresses on by `offset` bytes, to the next channels."""
    for i in range(count):
        table[i] += offset
