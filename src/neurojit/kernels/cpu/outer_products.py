"""Sums of outer products, such as gradients to weights are, of rows that lie anywhere.

    total[r, j] += sum over k of a[k][r] b[k][j]

a[k] is put together of parts, each of which begins with a new block of ROWS rows of total: `tables` (parts, K) holds
the addresses of the parts of every a[k], `heights` (parts,) how many values they have, and `b` (K,) addresses. total is
(blocks * ROWS, columns). Both operands are packed, some positions k at a time, as the tile reads them.
"""

import numpy as np

from neurojit.core.emitter import LINE_BYTES
from neurojit.core.jit import inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.runs import copy, copy_rows
from neurojit.core.simd import ROWS, VECTORS, address, keep, lane_count, multiply_packed, multiply_packed_narrow
from neurojit.kernels.cpu.chunks import ceil_divide

_POSITIONS = 256  # at a time: a panel of b stays in the first-level cache, the blocks of a in the second


@inner_kernel
def _pack_blocks(like, tables, heights, first, count, low, high, packed):
    """Blocks low .. high of a, positions from `first` on; each is (_POSITIONS, ROWS), from the address `packed` on."""
    block, item = 0, like.itemsize
    for part in range(heights.size):
        for row in range(0, heights[part], ROWS):
            if low <= block < high:
                at, height = packed + (block - low) * _POSITIONS * ROWS * item, heights[part] - row
                for k in range(count):
                    source, target = tables[part, first + k] + row * item, at + k * ROWS * item
                    if height >= ROWS:
                        copy_rows(like, source, target)
                    else:
                        copy(like, source, target, height)
            block += 1


@inner_kernel
def _first_line(buffer):
    """The address of the first whole cache line of a buffer: vectors that lie across two take twice as long to load."""
    at = address(buffer, 0)
    return at + -at % LINE_BYTES


@kernel
def _add_products_task(tables, heights, b, total, low, high, column, last_column):
    """Blocks low .. high of the rows of total, some columns of them."""
    columns, full, item = total.shape[1], VECTORS * lane_count(total), total.itemsize
    block_size, line = _POSITIONS * ROWS, LINE_BYTES // total.itemsize
    blocks, panel = (
        np.zeros((high - low) * block_size + line, total.dtype),
        np.zeros(_POSITIONS * full + line, total.dtype),
    )
    packed, b_rows = _first_line(blocks), _first_line(panel)
    for first in range(0, b.size, _POSITIONS):
        count = min(_POSITIONS, b.size - first)
        _pack_blocks(total, tables, heights, first, count, low, high, packed)
        for j in range(column, last_column, full):
            width = min(full, last_column - j)
            for k in range(count):
                copy(total, b[first + k] + j * item, b_rows + k * full * item, width)
            for block in range(low, high):
                a, out = packed + (block - low) * block_size * item, address(total, block * ROWS * columns + j)
                if width <= lane_count(total):
                    multiply_packed_narrow(total, a, b_rows, count, out, columns * item, width)
                else:
                    multiply_packed(total, a, b_rows, count, out, columns * item, width)
    keep(blocks)
    keep(panel)


@parallel_kernel
def add_products(tables, heights, b, tasks, total):
    """total[r, j] += sum over k of a[k][r] b[k][j], in the order of k, shared out among about so many tasks."""
    columns, blocks, full = total.shape[1], total.shape[0] // ROWS, VECTORS * lane_count(total)
    panels = ceil_divide(columns, full)
    across = min(panels, tasks)
    down = min(blocks, ceil_divide(tasks, across))
    width, height = ceil_divide(panels, across) * full, ceil_divide(blocks, down)
    for task in prange(across * down):
        column, block = np.int64(task) // down * width, np.int64(task) % down * height
        if column < columns and block < blocks:
            last_column, last_block = min(column + width, columns), min(block + height, blocks)
            _add_products_task(tables, heights, b, total, block, last_block, column, last_column)
