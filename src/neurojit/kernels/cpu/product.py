"""A matrix product on the register tile, from addresses of its rows."""

import math

import numpy as np

from neurojit.core.emitter import LINE_BYTES
from neurojit.core.jit import inner_kernel, kernel
from neurojit.core.simd import (
    ROWS,
    VECTORS,
    WIDE_ROWS,
    WIDE_VECTORS,
    address,
    keep,
    lane_count,
    multiply_columns,
    multiply_columns_narrow,
    multiply_columns_wide,
    multiply_rows,
    multiply_rows_narrow,
)
from neurojit.core.simd_row import PANELS, multiply_row, multiply_row_narrow
from neurojit.kernels.cpu.addresses import shift

# Values of a row multiplied at a time: weights of so many, a panel wide, stay in the first-level cache.
PART = 256
# Rows that tiles of outer products fill, whichever of their shapes the columns ask for.
OUTER_BLOCK = math.lcm(ROWS, WIDE_ROWS)
# A tile takes as long as this many rows one by one, or longer.
FEW_ROWS = 3


@kernel
def multiply(like, rows, run, weight, starts, outs, columns):
    """out[t] = start[t] + row[t] @ weight for `columns` columns of one panel.

    rows, starts and outs hold addresses, as many as fill whole tiles; a row has `run` values, weight is the address of
    `run` rows of a full panel.
    """
    nothing = np.zeros(1, np.int64)
    none, stride = address(nothing, 0), VECTORS * lane_count(like)
    multiply_tiles(like, rows, rows.size, 0, run, weight, stride, starts, outs, columns, none, 0)
    keep(nothing)


@inner_kernel
def multiply_tiles(like, rows, count, skip, run, weight, stride, starts, outs, columns, none, coming):
    """`multiply` for the first `count` rows, from value `skip` / itemsize of each on; weights `stride` apart.

    none : address of a zero.
    coming : address of as many weights that come next; the first tiles fetch them, a share each, and the others, or all
        where it is 0, what the next tile will read.
    """
    for t in range(0, count, ROWS):
        at, begin, into = address(rows, t), address(starts, t), address(outs, t)
        ahead = rows[min(t + ROWS, count - 1)] + skip
        if coming != 0 and t < VECTORS * lane_count(like):
            ahead = coming + t * run * like.itemsize
        if columns <= lane_count(like):
            multiply_rows_narrow(like, at, 0, none, 1, skip, run, weight, none, stride, begin, into, columns, ahead)
        else:
            multiply_rows(like, at, 0, none, 1, skip, run, weight, none, stride, begin, into, columns, ahead)


@kernel
def multiply_single(like, row, run, weight, panel, stride, start, out, columns):
    """One row of `multiply_matrix`; row, weight, start and out are addresses."""
    lanes = lane_count(like)
    wide = PANELS * VECTORS * lanes
    j = 0
    while j + wide <= columns:
        at = weight + j // (VECTORS * lanes) * panel
        multiply_row(like, row, run, at, panel, stride, start + j * like.itemsize, out + j * like.itemsize, wide)
        j += wide
    while j < columns:
        inside = j % (VECTORS * lanes) * like.itemsize
        at = weight + j // (VECTORS * lanes) * panel + inside
        here = j * like.itemsize
        multiply_row_narrow(like, row, run, at, panel, stride, start + here, out + here, min(lanes, columns - j))
        j += lanes


@kernel
def multiply_matrix(like, rows, count, first, run, weight, starts, outs, columns):
    """out[t] = start[t] + row[t] @ weight[first : first + run], for `count` rows of `columns` columns.

    rows, starts and outs hold addresses, filled up to whole tiles by `fill_tile`. weight is in panels as wide as the
    tile, (panels, size, full), or as it is, (1, size, columns), where there are but FEW_ROWS rows. Every row of the
    result is the same sum, whichever rows are with it.
    """
    full, stride, item = VECTORS * lane_count(like), weight.shape[2], like.itemsize
    panel = (weight.shape[1] * stride if weight.shape[0] > 1 else full) * item
    tiled = count if count % ROWS > FEW_ROWS else count - count % ROWS  # rows that go by the tile
    at = address(weight, first * stride)
    for t in range(tiled, count):
        multiply_single(like, rows[t], run, at, panel, stride, starts[t], outs[t], columns)
    if tiled == 0:
        return
    tiles = -(-tiled // ROWS) * ROWS
    nothing = np.zeros(1, np.int64)
    none = address(nothing, 0)
    for j in range(0, columns, full):
        for part in range(0, run, PART):
            here = at + part * stride * item
            width, length = min(full, columns - j), min(PART, run - part)
            begin, coming = outs if part > 0 else starts, here + length * stride * item
            multiply_tiles(like, rows, tiles, part * item, length, here, stride, begin, outs, width, none, coming)
        at += panel
        shift(starts, tiles, full * item)
        shift(outs, tiles, full * item)
    panels = -(-columns // full)
    shift(starts, tiles, -panels * full * item)
    shift(outs, tiles, -panels * full * item)
    keep(nothing)


@inner_kernel
def fill_tile(table, count):
    """Repeat the last of `count` addresses until a tile is full."""
    for t in range(count, -(-count // ROWS) * ROWS):
        table[t] = table[count - 1]


@kernel
def outer_room(like):
    """Room for `add_outer_products`: offsets and addresses of a tile's rows, of which the wide one has no more, and a
    row that is written in place of rows past the end.
    """
    return np.empty(ROWS, np.int64), np.empty(ROWS, np.int64), np.empty(WIDE_VECTORS * lane_count(like), like.dtype)


@inner_kernel
def _aim(offsets, total, row, rows, last, column, room):
    """Tell a tile where the values for rows row .. row + rows of total lie and its sums go: from `last` on, nowhere."""
    shifts, outs, scratch = room
    for i in range(row, row + rows):
        is_row = i < last
        shifts[i - row] = offsets[i if is_row else row]
        outs[i - row] = address(total, i * total.shape[1] + column) if is_row else address(scratch, 0)


@kernel
def add_outer_products(like, table, offsets, rows, skip, total, row, height, column, room, ahead):
    """total[row .. row + height, column ..] += sum over k of a[k]^T b[k], WIDE_VECTORS vectors of columns at most.

    table holds the addresses of a[k] and rows those of b[k], whose `column` lies `skip` bytes behind; offsets says how
    many bytes behind the start of a[k] the value for each row of total lies. Memory from the address `ahead` on is
    fetched meanwhile, a cache line for each k of each tile. No vector is read that lies wholly past the last column.
    """
    shifts, outs, _ = room
    lanes, count = lane_count(like), table.size
    at, by, b, into = address(table, 0), address(shifts, 0), address(rows, 0), address(outs, 0)
    last, end = min(row + height, total.shape[0]), min(column + WIDE_VECTORS * lanes, total.shape[1])
    while column < end:
        rest = end - column
        is_wide, is_narrow = rest > (WIDE_VECTORS - 1) * lanes, rest <= lanes
        tile_rows = WIDE_ROWS if is_wide else ROWS
        width = min(rest, (WIDE_VECTORS if is_wide else 1 if is_narrow else VECTORS) * lanes)
        for i in range(row, last, tile_rows):
            _aim(offsets, total, i, tile_rows, last, column, room)
            if is_wide:
                multiply_columns_wide(like, at, by, b, skip, count, into, width, ahead)
            elif is_narrow:
                multiply_columns_narrow(like, at, by, b, skip, count, into, width, ahead)
            else:
                multiply_columns(like, at, by, b, skip, count, into, width, ahead)
            ahead += count * LINE_BYTES
        column += width
        skip += width * like.itemsize
