"""Tables of addresses: which run of channels each tap of a window sees from each position.

Positions are points of a grid (three axes, the first ones 1 for images and signals) flattened together with the batch,
cut into blocks of `rows`, the height of the register tile. See conv.py for what grid, step, displacement, origin and
spacing mean.
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel
from neurojit.core.simd import address


@inner_kernel
def _unravel(p, grid):
    """Image and grid coordinates of position `p` of the flattened grid."""
    p, x = divmod(p, grid[2])
    p, y = divmod(p, grid[1])
    n, z = divmod(p, grid[0])
    return n, z, y, x


@inner_kernel
def _next_row(n, z, y, grid):
    """The row of the grid after this one."""
    y += 1
    if y == grid[1]:
        y, z = 0, z + 1
        if z == grid[0]:
            z, n = 0, n + 1
    return n, z, y


@inner_kernel
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


@inner_kernel
def _tabulate_at_border(source, zeros, n, z, y, x, displacement, rows, table, at):
    """Addresses table[at + t * rows] under every tap of one position, zeros where a tap looks past the border."""
    _, d, h, w, _ = source.shape
    for t in range(displacement.shape[0]):
        tz, ty, tx = z + displacement[t, 0], y + displacement[t, 1], x + displacement[t, 2]
        if 0 <= tz < d and 0 <= ty < h and 0 <= tx < w:
            table[at + t * rows] = address(source, _flat(source, n, tz, ty, tx))
        else:
            table[at + t * rows] = zeros


@inner_kernel
def _tabulate_block(first, total, corners, source, zeros, grid, step, displacement, delta, rows, table, at):
    """Addresses table[at + t * rows + i] under every tap of a block of positions, some of them at the border."""
    for i in range(rows):
        if corners[i] != 0:
            for t in range(delta.size):
                table[at + t * rows + i] = corners[i] + delta[t]
        elif first + i < total:
            n, z, y, x = _unravel(first + i, grid)
            _tabulate_at_border(
                source, zeros, n, step[0] * z, step[1] * y, step[2] * x, displacement, rows, table, at + i
            )
        else:
            for t in range(delta.size):
                table[at + t * rows + i] = zeros


@kernel
def tap_distances(source, displacement):
    """Bytes from a window's corner (its position times step) to what each tap sees, shape (taps,)."""
    delta = np.empty(displacement.shape[0], np.int64)
    for t in range(delta.size):
        delta[t] = _flat(source, 0, displacement[t, 0], displacement[t, 1], displacement[t, 2]) * source.itemsize
    return delta


@kernel
def tabulate_along_rows(
    first,
    blocks,
    source,
    zeros,
    out,
    scratch,
    grid,
    step,
    displacement,
    delta,
    tap_bytes,
    origin,
    spacing,
    table,
    steps,
    moves,
    places,
    counts,
    outs,
):
    """Tables for `blocks` blocks from `first` on, of positions that follow one another along the rows of the grid.

    Where all windows of a block lie within the source, as most do, table[block, 0, row] holds their corners, from which
    the taps are `delta` away: steps[block] = 0. Else table[block, tap, row] holds all addresses: steps[block] = rows.
    Positions past the last read zeros and write to scratch, so that every tile is whole. places[block, tap] says how
    many bytes into the weights those of a tap lie, outs[block, row] where the sums go.
    """
    taps, rows = delta.size, outs.size // blocks
    z_first, z_last = _clear_span(source.shape[1], step[0], displacement, 0)
    y_first, y_last = _clear_span(source.shape[2], step[1], displacement, 1)
    x_first, x_last = _clear_span(source.shape[3], step[2], displacement, 2)
    x_bytes = step[2] * source.shape[4] * source.itemsize
    out_bytes = spacing[2] * out.shape[4] * out.itemsize
    total = out.shape[0] * grid[0] * grid[1] * grid[2]
    corners = np.empty(rows, np.int64)
    x_last = min(x_last, grid[2])
    n, z, y, x = _unravel(first * rows, grid)
    entering = True  # a row of the grid
    row_is_clear, row_start, out_start = False, 0, 0
    for block in range(blocks):
        position = (first + block) * rows
        clear, done = 0, 0
        if row_is_clear and not entering and x_first <= x and x + rows <= x_last:  # in one go, as most are
            for i in range(rows):
                corners[i] = row_start + (x + i) * x_bytes
                outs[block * rows + i] = out_start + (x + i) * out_bytes
            clear, done = rows, rows
            x += rows
            if x == grid[2]:
                x, entering = 0, True
                n, z, y = _next_row(n, z, y, grid)
        for i in range(done, rows):
            corners[i] = 0
            outs[block * rows + i] = scratch
            if position + i >= total:
                continue
            if entering:
                row_is_clear = z_first <= z < z_last and y_first <= y < y_last
                row_start = address(source, _flat(source, n, step[0] * z, step[1] * y, 0))
                oz, oy = origin[0] + spacing[0] * z, origin[1] + spacing[1] * y
                out_start = address(out, _flat(out, n, oz, oy, origin[2]))
                entering = False
            outs[block * rows + i] = out_start + x * out_bytes
            if row_is_clear and x_first <= x < x_last:
                corners[i] = row_start + x * x_bytes
                clear += 1
            x += 1
            if x == grid[2]:
                x, entering = 0, True
                n, z, y = _next_row(n, z, y, grid)
        at = block * taps * rows
        steps[block] = 0 if clear == rows else rows
        counts[block] = taps
        for t in range(taps):
            moves[block * taps + t] = delta[t] if clear == rows else 0
            places[block * taps + t] = t * tap_bytes
        if clear == rows:
            for i in range(rows):
                table[at + i] = corners[i]
        else:
            _tabulate_block(position, total, corners, source, zeros, grid, step, displacement, delta, rows, table, at)


@inner_kernel
def tabulate_along_batch(
    first,
    blocks,
    source,
    zeros,
    out,
    scratch,
    grid,
    step,
    displacement,
    delta,
    tap_bytes,
    origin,
    spacing,
    table,
    steps,
    moves,
    places,
    counts,
    outs,
):
    """Tables for `blocks` blocks from `first` on, each of one position in several images.

    All rows of a block then look past the border with the same taps, and those are left out: counts[block] remain. That
    saves a fifth of the work on maps 7 wide under a window of 3.
    """
    taps, rows = delta.size, outs.size // blocks
    images, d, h, w, _ = source.shape
    positions = grid[0] * grid[1] * grid[2]
    for block in range(blocks):
        part, position = divmod(first + block, positions)  # few images at a time, so that they stay in the cache
        _, z, y, x = _unravel(position, grid)
        count = 0
        for t in range(taps):
            tz, ty, tx = (
                step[0] * z + displacement[t, 0],
                step[1] * y + displacement[t, 1],
                step[2] * x + displacement[t, 2],
            )
            if 0 <= tz < d and 0 <= ty < h and 0 <= tx < w:
                moves[block * taps + count] = delta[t]
                places[block * taps + count] = t * tap_bytes
                count += 1
        oz, oy, ox = origin[0] + spacing[0] * z, origin[1] + spacing[1] * y, origin[2] + spacing[2] * x
        for i in range(rows):
            n = min(part * rows + i, images - 1)
            corner = address(source, _flat(source, n, step[0] * z, step[1] * y, step[2] * x))
            table[block * taps * rows + i] = corner if count > 0 else zeros
            outs[block * rows + i] = address(out, _flat(out, n, oz, oy, ox)) if part * rows + i < images else scratch
        if count == 0:  # the tile wants at least one
            moves[block * taps], places[block * taps], count = 0, 0, 1
        counts[block], steps[block] = count, 0


@inner_kernel
def tabulate_tap(first, count, source, grid, step, here, panel, panel_row, table, rows, at):
    """Where one tap, displaced by `here`, sees something, among positions first .. first + count; returns how often.

    table[at + k] is the address of what it sees, rows[at + k] = panel + panel_row i that of the i-th position's row.
    """
    _, d, h, w, c = source.shape
    x_bytes = step[2] * c * source.itemsize
    n, z, y, x = _unravel(first, grid)
    found, i = at, 0
    while i < count:
        tz, ty = step[0] * z + here[0], step[1] * y + here[1]
        steps = min(grid[2] - x, count - i)
        if 0 <= tz < d and 0 <= ty < h:
            row_start = address(source, _flat(source, n, tz, ty, here[2]))
            for k in range(steps):
                if 0 <= step[2] * (x + k) + here[2] < w:
                    table[found] = row_start + (x + k) * x_bytes
                    rows[found] = panel + (i + k) * panel_row
                    found += 1
        i, x = i + steps, 0
        n, z, y = _next_row(n, z, y, grid)
    return found - at


@inner_kernel
def shift(table, count, offset):
    """Move addresses on by `offset` bytes, to the next channels."""
    for i in range(count):
        table[i] += offset
