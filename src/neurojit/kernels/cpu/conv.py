"""Convolution by indirect matrix product: one engine for convolutions, their gradients, and dense layers.

Nothing is copied into columns. For each output position and each tap of the window a table holds the address of the run
of channels the tap sees, or the address of zeros where it looks past the border; the register tile multiplies straight
from those addresses. Kernel size, stride, dilation, padding and groups live in the table alone.

Positions are written on a grid q of three spatial axes (1-D and 2-D leave the first ones 1):

    out[n, origin + spacing q] = start + sum over taps t of source[n, step q + displacement[t]] @ weight[t]

- forward: q runs over outputs, step = stride, displacement = dilation k - padding, spacing = 1.
- gradient to data: q runs over the inputs of one phase (inputs stride apart see the same taps), step = 1,
  displacement = (phase + padding - dilation k) / stride, origin = phase, spacing = stride.

Shapes: source (n, d, h, w, groups * run'), weight (groups, taps, run, columns), out (n, D, H, W, groups * columns),
grid, step, origin, spacing (3,), displacement (taps, 3), start (groups, full) with rows padded to whole tiles.
A run may span several pixels of the source's last spatial axis: few channels are multiplied a window row at a time.
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.core.simd import (
    ROWS,
    VECTORS,
    address,
    lane_count,
    multiply_columns,
    multiply_columns_narrow,
    multiply_rows,
    multiply_rows_narrow,
)

# What one task's rows of the source may weigh: they stay in a second-level cache beside a panel of weights.
_TASK_BYTES = 1 << 18
_MOST_BLOCKS = 64  # row blocks of one task: enough to pay for a panel's trip into the cache
_LEAST_TASKS = 8  # so that up to eight threads share the work evenly


@kernel
def _source_address(source, n, z, y, x, zeros):
    """Address of the channels at a position, or of zeros past the border."""
    _, d, h, w, c = source.shape
    if 0 <= z < d and 0 <= y < h and 0 <= x < w:
        return address(source, (((n * d + z) * h + y) * w + x) * c)
    return zeros


@kernel
def _unravel(p, grid):
    """Image and grid coordinates of position `p` of the flattened grid."""
    p, x = divmod(p, grid[2])
    p, y = divmod(p, grid[1])
    n, z = divmod(p, grid[0])
    return n, z, y, x


@kernel
def _tabulate(first, count, total, source, zeros, grid, step, displacement, table, block_stride, tap_stride, row_stride):
    """Addresses under every tap for positions first .. first + count; positions past `total` see zeros."""
    for i in range(count):
        block, row = divmod(i, ROWS)
        at = block * block_stride + row * row_stride
        if first + i >= total:
            for t in range(displacement.shape[0]):
                table[at + t * tap_stride] = zeros
            continue
        n, z, y, x = _unravel(first + i, grid)
        z, y, x = z * step[0], y * step[1], x * step[2]
        for t in range(displacement.shape[0]):
            table[at + t * tap_stride] = _source_address(
                source, n, z + displacement[t, 0], y + displacement[t, 1], x + displacement[t, 2], zeros
            )


@kernel
def _tabulate_out(first, count, total, out, scratch, grid, origin, spacing, table):
    """Addresses of the outputs of positions first .. first + count; positions past `total` write to scratch."""
    _, d, h, w, c = out.shape
    for i in range(count):
        if first + i >= total:
            table[i] = scratch
            continue
        n, z, y, x = _unravel(first + i, grid)
        z, y, x = origin[0] + spacing[0] * z, origin[1] + spacing[1] * y, origin[2] + spacing[2] * x
        table[i] = address(out, (((n * d + z) * h + y) * w + x) * c)


@kernel
def _shift(table, count, offset):
    """Move addresses on by `offset` bytes, to the next channels."""
    for i in range(count):
        table[i] += offset


@kernel
def _multiply_panels(source, table, blocks, weight, outs, start, column, columns):
    """One group of one task: all panels of weight (taps, run, width) over all tiles of positions."""
    taps, run, width = weight.shape
    full = VECTORS * lane_count(source)
    for j in range(column, column + columns, full):
        rest = min(full, column + columns - j)
        panel, begin = address(weight, j), address(start, j)
        for b in range(blocks):
            rows, into = address(table, b * taps * ROWS), address(outs, b * ROWS)
            if rest <= lane_count(source):
                multiply_rows_narrow(source, rows, taps, run, panel, width, into, rest, begin, 0)
            else:
                multiply_rows(source, rows, taps, run, panel, width, into, rest, begin, 0)
        _shift(outs, blocks * ROWS, rest * source.itemsize)


@kernel
def _correlate_task(
    first, blocks, column, columns, source, weight, start, out, grid, step, displacement, origin, spacing
):
    """Columns column .. column + columns of every group, for `blocks` tiles of positions from `first` on."""
    groups, taps, run, width = weight.shape
    itemsize = source.itemsize
    group_run, group_columns = source.shape[4] // groups, out.shape[4] // groups
    total = out.shape[0] * grid[0] * grid[1] * grid[2]
    zeros = np.zeros(groups * group_run + run, source.dtype)  # wide enough for its address to move with the groups
    scratch = np.empty(out.shape[4] + VECTORS * lane_count(source), source.dtype)
    table = np.empty(blocks * taps * ROWS, np.int64)
    outs = np.empty(blocks * ROWS, np.int64)
    count = blocks * ROWS
    _tabulate(first, count, total, source, address(zeros, 0), grid, step, displacement, table, taps * ROWS, ROWS, 1)
    _tabulate_out(first, count, total, out, address(scratch, 0), grid, origin, spacing, outs)
    _shift(outs, count, column * itemsize)
    for group in range(groups):
        _multiply_panels(source, table, blocks, weight[group], outs, start[group], column, columns)
        _shift(outs, count, (group_columns - columns) * itemsize)
        _shift(table, count * taps, group_run * itemsize)


@kernel
def _ceil_divide(a, b):
    return -(-a // b)


@parallel_kernel
def correlate(source, weight, start, out, grid, step, displacement, origin, spacing):
    """out = start + sum over taps of source @ weight, on the grid described in the module's header."""
    taps, run = weight.shape[1], weight.shape[2]
    columns = out.shape[4] // weight.shape[0]
    full = VECTORS * lane_count(source)
    blocks_in_all = _ceil_divide(out.shape[0] * grid[0] * grid[1] * grid[2], ROWS)
    row_bytes = min(taps, 3) * run * weight.shape[0] * source.itemsize * ROWS
    blocks = max(1, min(_MOST_BLOCKS, _TASK_BYTES // row_bytes, _ceil_divide(blocks_in_all, _LEAST_TASKS)))
    row_tasks = _ceil_divide(blocks_in_all, blocks)
    # Where there are few rows, the columns are shared out as well.
    panels = _ceil_divide(columns, full)
    column_tasks = min(panels, _ceil_divide(_LEAST_TASKS, row_tasks))
    task_columns = _ceil_divide(panels, column_tasks) * full
    column_tasks = _ceil_divide(columns, task_columns)
    for task in prange(row_tasks * column_tasks):
        column_task, row_task = divmod(np.int64(task), row_tasks)
        first = row_task * blocks
        column = column_task * task_columns
        _correlate_task(
            first * ROWS,
            min(blocks, blocks_in_all - first),
            column,
            min(task_columns, columns - column),
            source,
            weight,
            start,
            out,
            grid,
            step,
            displacement,
            origin,
            spacing,
        )


# Positions one pass of the weight gradient sums over: their source and gradient rows stay in the second-level cache.
_CHUNK = 512


@kernel
def _tile_rows(row, rows, offset, offsets, dweight, scratch, outs):
    """Offsets and output addresses of ROWS rows of dweight (rows, columns) from `row` on; those past the end go to scratch."""
    columns = dweight.shape[1]
    for i in range(ROWS):
        if row + i < rows:
            offsets[i] = offset[row + i]
            outs[i] = address(dweight, (row + i) * columns)
        else:
            offsets[i] = offset[0]
            outs[i] = address(scratch, 0)


@kernel
def _weight_gradient_unit(source, table, count, offset, row, dout, at, dweight, scratch):
    """One tile of rows of one tap's dweight (rows, columns), summed over `count` positions."""
    full = VECTORS * lane_count(source)
    rows, columns = dweight.shape
    offsets = np.empty(ROWS, np.int64)
    outs = np.empty(ROWS, np.int64)
    _tile_rows(row, rows, offset, offsets, dweight, scratch, outs)
    stride = dout.shape[4]
    for j in range(0, columns, full):
        rest = min(full, columns - j)
        b, into = address(dout, at + j), address(outs, 0)
        if rest <= lane_count(source):
            multiply_columns_narrow(source, address(table, 0), address(offsets, 0), count, b, stride, into, rest)
        else:
            multiply_columns(source, address(table, 0), address(offsets, 0), count, b, stride, into, rest)
        _shift(outs, ROWS, rest * source.itemsize)


@kernel
def _weight_gradient_task(first, last, unit, units, source, dout, dweight, grid, step, displacement, offset):
    """Units unit .. unit + units (tiles of rows, tap by tap) of dweight, summed over positions first .. last."""
    groups, taps, rows, columns = dweight.shape
    blocks = _ceil_divide(rows, ROWS)
    group_run = source.shape[4] // groups
    zeros = np.zeros(source.shape[4] + rows, source.dtype)
    scratch = np.empty(columns + VECTORS * lane_count(source), source.dtype)
    table = np.empty(_CHUNK, np.int64)
    for group in range(groups):
        for u in range(unit, unit + units):
            tap, block = divmod(u, blocks)
            dweight[group, tap, block * ROWS : (block + 1) * ROWS] = 0
    for chunk in range(first, last, _CHUNK):
        count = min(_CHUNK, last - chunk)
        tabulated = -1
        for u in range(unit, unit + units):
            tap, block = divmod(u, blocks)
            if tap != tabulated:
                here = displacement[tap : tap + 1]
                _tabulate(chunk, count, last, source, address(zeros, 0), grid, step, here, table, ROWS, 0, 1)
                tabulated = tap
            for group in range(groups):
                at = chunk * dout.shape[4] + group * columns
                _weight_gradient_unit(
                    source, table, count, offset, block * ROWS, dout, at, dweight[group, tap], scratch
                )
                _shift(table, count, group_run * source.itemsize)
            _shift(table, count, -groups * group_run * source.itemsize)


@parallel_kernel
def correlate_weight_gradient(source, dout, partial, grid, step, displacement, offset):
    """partial[s] (groups, taps, rows, columns) = the sum over part s of the positions of source (x) dout.

    `offset` (rows,) says, in bytes, where in a tap's run each row of the weights finds its input.
    """
    splits, groups, taps, rows, columns = partial.shape
    positions = dout.size // dout.shape[4]
    units = taps * _ceil_divide(rows, ROWS)
    share = _ceil_divide(positions, splits)
    unit_tasks = min(units, _ceil_divide(_LEAST_TASKS, splits))
    task_units = _ceil_divide(units, unit_tasks)
    unit_tasks = _ceil_divide(units, task_units)
    for task in prange(splits * unit_tasks):
        split, unit_task = divmod(np.int64(task), unit_tasks)
        unit = unit_task * task_units
        _weight_gradient_task(
            min(split * share, positions),
            min((split + 1) * share, positions),
            unit,
            min(task_units, units - unit),
            source,
            dout,
            partial[split],
            grid,
            step,
            displacement,
            offset,
        )


@parallel_kernel
def sum_partials(partial, out):
    """out[i] = partial[0, i] + partial[1, i] + ..., in that order, for partial (splits, size)."""
    splits, size = partial.shape
    tasks = _ceil_divide(size, 1 << 14)
    for task in prange(tasks):
        first = np.int64(task) * (1 << 14)
        last = min(first + (1 << 14), size)
        _sum_slice(partial, out, first, last)


@kernel
def _sum_slice(partial, out, first, last):
    for i in range(first, last):
        out[i] = partial[0, i]
    for split in range(1, partial.shape[0]):
        for i in range(first, last):
            out[i] += partial[split, i]


@parallel_kernel
def column_sums(rows, partial):
    """partial[t] = the sum of the t-th part of rows (count, columns): gradients to biases, before `sum_partials`."""
    count, share = rows.shape[0], _ceil_divide(rows.shape[0], partial.shape[0])
    for task in prange(partial.shape[0]):
        first = np.int64(task) * share
        _sum_rows(rows, partial[task], first, min(first + share, count))


@kernel
def _sum_rows(rows, out, first, last):
    out[:] = 0
    for i in range(first, last):
        for j in range(out.size):
            out[j] += rows[i, j]
