"""A matrix product on the register tile, from addresses of its rows."""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel
from neurojit.core.simd import (
    ROWS,
    VECTORS,
    address,
    keep,
    lane_count,
    multiply_columns,
    multiply_columns_narrow,
    multiply_rows,
    multiply_rows_narrow,
)

# Values of a row multiplied at a time: weights of so many, a panel wide, stay in the first-level cache.
PART = 256


@kernel
def multiply(like, rows, run, weight, starts, outs, columns):
    """out[t] = start[t] + row[t] @ weight for `columns` columns of one panel.

    rows, starts and outs hold addresses, as many as fill whole tiles; a row has `run` values, weight is the address of
    `run` rows of a full panel.
    """
    full = VECTORS * lane_count(like)
    nothing = np.zeros(1, np.int64)
    none = address(nothing, 0)
    for t in range(0, rows.size, ROWS):
        at, begin, into = address(rows, t), address(starts, t), address(outs, t)
        ahead = rows[min(t + ROWS, rows.size - ROWS)]
        if columns <= lane_count(like):
            multiply_rows_narrow(like, at, 0, none, 1, 0, run, weight, none, full, begin, into, columns, ahead)
        else:
            multiply_rows(like, at, 0, none, 1, 0, run, weight, none, full, begin, into, columns, ahead)
    keep(nothing)


@inner_kernel
def add_outer_products(like, table, offsets, rows, skip, total, row, column, shifts, outs, scratch, ahead):
    """total[row .. row + ROWS, column ..] += sum over k of a[k]^T b[k], one panel of columns wide.

    table holds the addresses of a[k] and rows those of b[k], whose `column` lies `skip` bytes behind; offsets says how
    many bytes behind the start of a[k] the value for each row of total lies. shifts and outs have ROWS entries, scratch
    a full panel, for use in here. Memory from the address `ahead` on is fetched meanwhile, a cache line for each k.
    """
    size, columns = total.shape
    for i in range(ROWS):
        is_row = row + i < size
        shifts[i] = offsets[row + i if is_row else row]
        outs[i] = address(total, (row + i) * columns + column) if is_row else address(scratch, 0)
    at, by, b, into = address(table, 0), address(shifts, 0), address(rows, 0), address(outs, 0)
    rest = columns - column
    if rest <= lane_count(like):
        multiply_columns_narrow(like, at, by, b, skip, table.size, into, rest, ahead)
    else:
        multiply_columns(like, at, by, b, skip, table.size, into, min(rest, VECTORS * lane_count(like)), ahead)
