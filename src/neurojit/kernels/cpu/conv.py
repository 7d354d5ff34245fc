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
and spacing are triples. A run is the values under one tap, the c channels of a group. Weights are rows of columns, a
panel (the `full` columns of the register tile) at a time: element (group, tap, c, column) stands in a flat array at

    group * layout[0] + column // full * layout[1] + (tap * run + c) * layout[2] + column % full

and start (groups, panels * full) is what every sum starts from.
"""

import numpy as np

from neurojit.core.emitter import LINE_BYTES
from neurojit.core.jit import inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.runs import copy
from neurojit.core.simd import (
    VECTORS,
    WIDE_ROWS,
    WIDE_VECTORS,
    address,
    keep,
    lane_count,
    multiply_rows,
    multiply_rows_narrow,
    multiply_rows_wide,
)
from neurojit.kernels.cpu.addresses import (
    shift,
    tabulate_along_batch,
    tabulate_along_rows,
    tabulate_tap,
    tap_distances,
)
from neurojit.kernels.cpu.chunks import CHUNK, ceil_divide, chunk_count
from neurojit.kernels.cpu.product import OUTER_BLOCK, add_outer_products, outer_room

# What one task's rows of the source may weigh: they stay in a second-level cache beside a panel of weights.
_TASK_BYTES = 1 << 18
# Tiles of one task: some, to pay for a panel's trip into the cache, and more, to pay for the task, while what they
# write stays in the cache until all panels have been there.
_SOME_BLOCKS = 16
_MOST_BLOCKS = 64
_WRITTEN_BYTES = 1 << 16
_LEAST_TASKS = 8  # so that up to eight threads share the work evenly


# What the weights may weigh that a tile multiplies at a time: they stay in the first-level cache from tile to tile.
_WEIGHT_BYTES = 32 << 10


@inner_kernel
def _multiply_block(source, tables, taps, block, segment, segments, skip, run, weight, full, stride, starts, rest):
    """The register tile on segments segment .. segment + segments of one block of positions."""
    table, steps, moves, places, counts, outs = tables
    rows, after = outs.size // counts.size, min(block + 1, counts.size - 1)
    # Of the next tile, the last tap sees what no tile has seen yet.
    last = counts[after] - 1
    ahead = table[after * taps * rows + steps[after] * last] + moves[after * taps + last] + skip
    at = block * taps + segment
    here, into = address(table, block * taps * rows + steps[block] * segment), address(outs, block * rows)
    by, place, step = address(moves, at), address(places, at), steps[block]
    if full > VECTORS * lane_count(source):
        multiply_rows_wide(
            source, here, step, by, segments, skip, run, weight, place, stride, starts, into, rest, ahead
        )
    elif rest > lane_count(source):
        multiply_rows(source, here, step, by, segments, skip, run, weight, place, stride, starts, into, rest, ahead)
    else:
        multiply_rows_narrow(
            source, here, step, by, segments, skip, run, weight, place, stride, starts, into, rest, ahead
        )


@kernel
def _multiply_panels(source, tables, run, weight, at, layout, full, start, begin, column, columns):
    """Panels of column .. column + columns of one group over all tiles of positions.

    Weights go by a few segments at a time, or a part of one, that stay in the first-level cache from tile to tile.
    """
    _, _, moves, _, counts, outs = tables
    _, panel_stride, stride = layout
    blocks, rows = counts.size, outs.size // counts.size
    taps = moves.size // blocks
    most = _WEIGHT_BYTES // (full * source.itemsize)
    part = ceil_divide(run, ceil_divide(run, most))
    share = ceil_divide(taps, ceil_divide(taps, max(1, most // run)))
    starts = np.empty(rows, np.int64)
    for j in range(column, column + columns, full):
        rest = min(full, column + columns - j)
        panel = address(weight, at + j // full * panel_stride)
        starts[:] = address(start, begin + j)
        for segment in range(0, taps, share):
            for c in range(0, run, part):
                is_first = segment == 0 and c == 0
                here = panel + c * stride * source.itemsize
                for b in range(blocks):
                    segments = min(share, counts[b] - segment)
                    if segments > 0:
                        from_rows = address(starts, 0) if is_first else address(outs, b * rows)
                        _multiply_block(
                            source,
                            tables,
                            taps,
                            b,
                            segment,
                            segments,
                            c * source.itemsize,
                            min(part, run - c),
                            here,
                            full,
                            stride,
                            from_rows,
                            rest,
                        )
        shift(outs, outs.size, rest * source.itemsize)
    keep(starts)


@kernel
def _correlate_task(
    first,
    blocks,
    along_batch,
    column,
    columns,
    source,
    weight,
    layout,
    tile,
    run,
    start,
    out,
    grid,
    step,
    displacement,
    origin,
    spacing,
):
    """Columns column .. column + columns of every group, for `blocks` tiles of positions from the `first` on."""
    groups, taps, (rows, full) = start.shape[0], displacement.shape[0], tile
    group_run, group_columns = source.shape[4] // groups, out.shape[4] // groups
    zeros = np.zeros(source.shape[4] + run, source.dtype)  # wide enough for its address to move with the groups
    scratch = np.empty(out.shape[4] + full, source.dtype)
    table = np.empty(blocks * rows * taps, np.int64)
    steps, counts = np.empty(blocks, np.int64), np.empty(blocks, np.int64)
    moves, places = np.empty(blocks * taps, np.int64), np.empty(blocks * taps, np.int64)
    outs = np.empty(blocks * rows, np.int64)
    delta = tap_distances(source, displacement)
    tap_bytes = run * layout[2] * source.itemsize
    past, sink = address(zeros, 0), address(scratch, 0)
    numbers = (
        first,
        blocks,
        source,
        past,
        out,
        sink,
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
    )
    if along_batch:
        tabulate_along_batch(*numbers)
    else:
        tabulate_along_rows(*numbers)
    shift(outs, outs.size, column * source.itemsize)
    tables = (table, steps, moves, places, counts, outs)
    for group in range(groups):
        at, begin = group * layout[0], group * start.shape[1]
        _multiply_panels(source, tables, run, weight, at, layout, full, start, begin, column, columns)
        shift(outs, outs.size, (group_columns - columns) * source.itemsize)
        if group + 1 < groups:
            shift(table, table.size, group_run * source.itemsize)
    keep(zeros)
    keep(scratch)


# Maps up to this many positions are walked along the batch: small enough that several images stay in the cache.
SMALL_MAP = 32 * 32


@kernel
def _walks_along_batch(source, grid, taps, rows):
    """Whether blocks take one position of several images: where no tile is wasted and borders weigh much."""
    return source.shape[0] % rows == 0 and taps > 1 and grid[0] * grid[1] * grid[2] <= SMALL_MAP


@parallel_kernel
def correlate(source, weight, layout, tile, run, start, out, grid, step, displacement, origin, spacing):
    """out = start + sum over taps of source @ weight, on the grid described in the module's header.

    tile (rows, columns) is the register tile's: the wide one must be filled by the columns, but for less than a vector.
    """
    groups = start.shape[0]
    columns = out.shape[4] // groups
    rows, full = tile
    along_batch = _walks_along_batch(source, grid, displacement.shape[0], rows)
    blocks_in_all = ceil_divide(out.shape[0] * grid[0] * grid[1] * grid[2], rows)
    panels = ceil_divide(columns, full)
    most = min(_MOST_BLOCKS, max(_SOME_BLOCKS, _WRITTEN_BYTES // (out.shape[4] * source.itemsize * rows)))
    blocks = max(1, min(most, _TASK_BYTES // (run * groups * source.itemsize * rows)))
    # Each task reads all weights of its columns: where those outweigh the source, columns are what is shared out.
    if weight.size > source.size:
        column_tasks = min(panels, _LEAST_TASKS)
    else:
        blocks = min(blocks, ceil_divide(blocks_in_all, _LEAST_TASKS))
        column_tasks = min(panels, ceil_divide(_LEAST_TASKS, ceil_divide(blocks_in_all, blocks)))
    # As many tasks for every thread: the last to finish is waited for by all.
    row_tasks = ceil_divide(ceil_divide(blocks_in_all, blocks), _LEAST_TASKS // column_tasks) * (
        _LEAST_TASKS // column_tasks
    )
    blocks = max(1, ceil_divide(blocks_in_all, row_tasks))
    row_tasks = ceil_divide(blocks_in_all, blocks)
    task_columns = ceil_divide(panels, column_tasks) * full
    column_tasks = ceil_divide(columns, task_columns)
    for task in prange(row_tasks * column_tasks):
        column_task, row_task = divmod(np.int64(task), row_tasks)
        first = row_task * blocks
        column = column_task * task_columns
        _correlate_task(
            first,
            min(blocks, blocks_in_all - first),
            along_batch,
            column,
            min(task_columns, columns - column),
            source,
            weight,
            layout,
            tile,
            run,
            start,
            out,
            grid,
            step,
            displacement,
            origin,
            spacing,
        )


# Positions one pass of the weight gradient sums over: a panel of their gradients stays in the first-level cache.
_CHUNK = 128


@inner_kernel
def _gather_panels(dout, first, count, at, columns, panels):
    """panels[p, k, j] = dout at position first + k, channel at + p * full + j, zero from `columns` on.

    A position's channels are read in one go, as they lie: panel by panel, every read would wait for the memory.
    """
    full = panels.shape[2]
    for k in range(count):
        source = (first + k) * dout.shape[4] + at
        for p in range(panels.shape[0]):
            width = min(full, columns - p * full)
            copy(dout, address(dout, source + p * full), address(panels, (p * panels.shape[1] + k) * full), width)
            panels[p, k, width:] = 0


@inner_kernel
def _ahead(nth, gradients, gradient_bytes, inputs, input_bytes):
    """Where to fetch the nth part from: first the gradients of the next chunk, then its inputs, then nothing new."""
    if nth < gradient_bytes:
        return gradients + nth
    nth -= gradient_bytes
    return inputs + nth if nth < input_bytes else inputs


@kernel
def _add_chunk(source, table, counts, panels, seen, offset, unit, units, dweight, room, coming):
    """Units of dweight (taps, rows, columns) += what each tap sees of a chunk, times the panels of its gradients.

    Meanwhile the next chunk is on its way into the second-level cache: `coming` is as `_ahead` wants it.
    """
    rows, full = dweight.shape[1], panels.shape[2]
    blocks = ceil_divide(rows, OUTER_BLOCK)
    done = 0
    for u in range(unit, unit + units):
        tap, block = divmod(u, blocks)
        local = tap - unit // blocks
        count, total = counts[local], dweight[tap]
        if count == 0:
            continue
        inputs = table[local * _CHUNK : local * _CHUNK + count]
        gradients = seen[local * _CHUNK : local * _CHUNK + count]
        for p in range(panels.shape[0]):
            skip, ahead = p * panels.shape[1] * full * source.itemsize, _ahead(done * LINE_BYTES, *coming)
            row = block * OUTER_BLOCK
            add_outer_products(source, inputs, offset, gradients, skip, total, row, OUTER_BLOCK, p * full, room, ahead)
            done += count * ceil_divide(min(OUTER_BLOCK, rows - row), WIDE_ROWS)


@kernel
def _weight_gradient_task(first, last, unit, units, source, dout, dweight, grid, step, displacement, offset):
    """Units unit .. unit + units (blocks of rows, tap by tap) of dweight, summed over positions first .. last."""
    groups, _, rows, columns = dweight.shape
    blocks = ceil_divide(rows, OUTER_BLOCK)
    taps = (unit + units - 1) // blocks - unit // blocks + 1
    full = WIDE_VECTORS * lane_count(source)
    room = outer_room(source)
    panels = np.empty((ceil_divide(columns, full), _CHUNK, full), source.dtype)
    table, seen = np.empty(taps * _CHUNK, np.int64), np.empty(taps * _CHUNK, np.int64)
    counts = np.empty(taps, np.int64)
    for u in range(unit, unit + units):
        tap, block = divmod(u, blocks)
        dweight[:, tap, block * OUTER_BLOCK : (block + 1) * OUTER_BLOCK] = 0
    for chunk in range(first, last, _CHUNK):
        count = min(_CHUNK, last - chunk)
        for t in range(taps):
            here = displacement[unit // blocks + t]
            start, row = address(panels, 0), full * source.itemsize
            counts[t] = tabulate_tap(chunk, count, source, grid, step, here, start, row, table, seen, t * _CHUNK)
        row, column = count * dout.shape[4], count * source.shape[4] * step[0] * step[1] * step[2]
        after = table[(taps - 1) * _CHUNK + max(0, counts[taps - 1] - 1)]
        coming = address(dout, (chunk + count) * dout.shape[4]), row * source.itemsize, after, column * source.itemsize
        for group in range(groups):
            _gather_panels(dout, chunk, count, group * columns, columns, panels)
            these = dweight[group]
            _add_chunk(source, table, counts, panels, seen, offset, unit, units, these, room, coming)
            shift(table, taps * _CHUNK, source.shape[4] // groups * source.itemsize)
    keep(panels)


@parallel_kernel
def correlate_weight_gradient(source, dout, partial, grid, step, displacement, offset):
    """partial[s] (groups, taps, rows, columns) = the sum over part s of the positions of source (x) dout.

    `offset` (rows,) says, in bytes, where in a tap's run each row of the weights finds its input.
    """
    splits, _, taps, rows, _ = partial.shape
    positions = dout.size // dout.shape[4]
    units = taps * ceil_divide(rows, OUTER_BLOCK)
    share = ceil_divide(positions, splits)
    unit_tasks = min(units, ceil_divide(_LEAST_TASKS, splits))
    task_units = ceil_divide(units, unit_tasks)
    unit_tasks = ceil_divide(units, task_units)
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
    for task in prange(chunk_count(out.size)):
        first = np.int64(task) * CHUNK
        _sum_slice(partial, out, first, min(first + CHUNK, out.size))


@kernel
def _sum_slice(partial, out, first, last):
    for i in range(first, last):
        out[i] = partial[0, i]
    for split in range(1, partial.shape[0]):
        for i in range(first, last):
            out[i] += partial[split, i]
