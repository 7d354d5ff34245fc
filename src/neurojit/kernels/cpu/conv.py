"""Convolution by indirect matrix product: one engine for convolutions, their gradients, and dense layers.

Nothing is copied into columns. For each output position and each tap of the window a table holds the address of the run
of channels the tap sees, or the address of zeros where it looks past the border; the register tile multiplies straight
from those addresses. Kernel size, stride, dilation, padding and groups live in the table alone.

Positions are written on a grid q of three spatial axes (1-D and 2-D leave the first ones 1):

    out[n, origin + spacing q] = start + sum over taps t of source[n, step q + displacement[t]] @ weight[t]

- forward: q runs over outputs, step = stride, displacement = dilation k - padding, spacing = 1.
- gradient to data: q runs over the inputs of one phase (inputs stride apart see the same taps), step = 1,
  displacement = (phase + padding - dilation k) / stride, origin = phase, spacing = stride.

Shapes: source (n, d, h, w, groups * c), out (n, D, H, W, groups * columns), displacement (taps, 3); grid, step, origin
and spacing are triples. A run is the values under one tap: the c channels of a group, or, where channels are few, a whole
row of the window. Weights are rows of columns, a panel (the width of the register tile) at a time: element (group, tap, c,
column) stands at group * layout[0] + column // full * layout[1] + (tap * run + c) * layout[2] + column % full of a flat
array. start (groups, panels * full) is what every sum starts from.
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
def _tabulate(first, blocks, source, zeros, out, scratch, grid, step, displacement, origin, spacing, table, outs):
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
def _tabulate_tap(first, count, source, zeros, grid, step, here, table):
    """Addresses table[i] under one tap, displaced by `here`, for positions first .. first + count."""
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
            table[i + k] = row_start + (x + k) * x_bytes if inside else zeros
        i, x = i + steps, 0
        n, z, y = _next_row(n, z, y, grid)


@kernel
def _shift(table, count, offset):
    """Move addresses on by `offset` bytes, to the next channels."""
    for i in range(count):
        table[i] += offset


@kernel
def _multiply_panels(source, table, blocks, taps, run, weight, at, layout, outs, start, begin, column, columns):
    """One group of one task: the panels of column .. column + columns over all tiles of positions."""
    full = VECTORS * lane_count(source)
    _, panel_stride, row_stride = layout
    for j in range(column, column + columns, full):
        rest = min(full, column + columns - j)
        panel, first_row = address(weight, at + j // full * panel_stride), address(start, begin + j)
        for b in range(blocks):
            rows, into = address(table, b * taps * ROWS), address(outs, b * ROWS)
            # The next tile's last tap is the one that sees what no tile has seen yet; later panels find all in the cache.
            ahead = address(table, (min(b + 2, blocks) * taps - 1) * ROWS) if j == column else rows
            if rest <= lane_count(source):
                multiply_rows_narrow(source, rows, taps, run, panel, row_stride, into, rest, first_row, ahead)
            else:
                multiply_rows(source, rows, taps, run, panel, row_stride, into, rest, first_row, ahead)
        _shift(outs, blocks * ROWS, rest * source.itemsize)


@kernel
def _correlate_task(
    first, blocks, column, columns, source, weight, layout, run, start, out, grid, step, displacement, origin, spacing
):
    """Columns column .. column + columns of every group, for `blocks` tiles of positions from `first` on."""
    groups, taps = start.shape[0], displacement.shape[0]
    group_run, group_columns = source.shape[4] // groups, out.shape[4] // groups
    zeros = np.zeros(source.shape[4] + run, source.dtype)  # wide enough for its address to move with the groups
    scratch = np.empty(out.shape[4] + VECTORS * lane_count(source), source.dtype)
    count = blocks * ROWS
    table = np.empty(count * taps, np.int64)
    outs = np.empty(count, np.int64)
    past, sink = address(zeros, 0), address(scratch, 0)
    _tabulate(first, blocks, source, past, out, sink, grid, step, displacement, origin, spacing, table, outs)
    _shift(outs, count, column * source.itemsize)
    for group in range(groups):
        at, begin = group * layout[0], group * start.shape[1]
        _multiply_panels(
            source, table, blocks, taps, run, weight, at, layout, outs, start, begin, column, columns
        )
        _shift(outs, count, (group_columns - columns) * source.itemsize)
        _shift(table, count * taps, group_run * source.itemsize)


@kernel
def _ceil_divide(a, b):
    return -(-a // b)


@parallel_kernel
def correlate(source, weight, layout, run, start, out, grid, step, displacement, origin, spacing):
    """out = start + sum over taps of source @ weight, on the grid described in the module's header."""
    groups, taps = start.shape[0], displacement.shape[0]
    columns = out.shape[4] // groups
    full = VECTORS * lane_count(source)
    blocks_in_all = _ceil_divide(out.shape[0] * grid[0] * grid[1] * grid[2], ROWS)
    row_bytes = min(taps, 3) * run * groups * source.itemsize * ROWS
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
            layout,
            run,
            start,
            out,
            grid,
            step,
            displacement,
            origin,
            spacing,
        )


@parallel_kernel
def pack_panels(weight, packed):
    """packed[g, panel, t * run + c, j] = weight[t, c, g, panel * full + j], zero past the last column.

    weight (taps, run, groups, columns), packed (groups, panels, taps * run, full).
    """
    groups, panels = packed.shape[0], packed.shape[1]
    for task in prange(groups * panels):
        group, panel = divmod(np.int64(task), panels)
        _pack_panel(weight, group, panel * packed.shape[3], packed)


@kernel
def _pack_panel(weight, group, column, packed):
    taps, run, _, columns = weight.shape
    full = packed.shape[3]
    panel = column // full
    width = min(full, columns - column)
    for t in range(taps):
        for c in range(run):
            for j in range(width):
                packed[group, panel, t * run + c, j] = weight[t, c, group, column + j]
            for j in range(width, full):
                packed[group, panel, t * run + c, j] = 0


@parallel_kernel
def pack_transposed(weight, taps, packed):
    """packed[g, panel, t * columns + o, j] = weight[taps[t], panel * full + j, g, o], zero past the last input channel.

    weight (all taps, c_in, groups, columns), packed (groups, panels, taps * columns, full).
    """
    groups, panels = packed.shape[0], packed.shape[1]
    for task in prange(groups * panels):
        group, panel = divmod(np.int64(task), panels)
        _pack_transposed_panel(weight, taps, group, panel * packed.shape[3], packed)


@kernel
def _pack_transposed_panel(weight, taps, group, channel, packed):
    _, c_in, _, columns = weight.shape
    full = packed.shape[3]
    panel = channel // full
    width = min(full, c_in - channel)
    for t in range(taps.size):
        for j in range(width):
            for o in range(columns):
                packed[group, panel, t * columns + o, j] = weight[taps[t], channel + j, group, o]
        for j in range(width, full):
            for o in range(columns):
                packed[group, panel, t * columns + o, j] = 0


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
                _tabulate_tap(chunk, count, source, address(zeros, 0), grid, step, displacement[tap], table)
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
