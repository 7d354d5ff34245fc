"""Sums of products of all pairs of columns: what least squares need of the rows.

Rows stand in panels, as many columns of them as the register tile is wide one behind the other:

z (K, F)    y (K, O)    panels (P, K, columns of a panel)    gram (D, D) with D = F + O + 1
"""

import numpy as np

from neurojit.core.jit import kernel
from neurojit.core.simd import address, keep
from neurojit.kernels.cpu.product import add_outer_products, outer_room

_PART = 128  # rows at a time: two panels of them fit the first-level cache


@kernel
def pack_rows(z, y, reference, begin, panels):
    """The rows [z, y, 1] less [reference, 0], from row `begin` of panels that are zero past their last column."""
    features, outputs = z.shape[1], y.shape[1]
    width = panels.shape[2]
    for k in range(z.shape[0]):
        for p in range(panels.shape[0]):
            row, first = panels[p, begin + k], p * width
            within = max(min(features - first, width), 0)
            for c in range(within):
                row[c] = z[k, first + c] - reference[first + c]
            for c in range(within, width):
                i = first + c
                row[c] = y[k, i - features] - reference[i] if i < features + outputs else i == features + outputs


@kernel
def add_gram(panels, count, top, bottom, left, right, gram):
    """gram[i, j] += sum over k < count of row[k, i] row[k, j] for top <= i < bottom, left <= j < right and i <= j.

    All edges are multiples of both sides of the register tiles, but for those at the end. Some numbers below the
    diagonal are written, too.
    """
    width, line = panels.shape[2], panels.shape[1] * panels.shape[2]
    size = gram.shape[0]
    table, rows, offsets = np.empty(_PART, np.int64), np.empty(_PART, np.int64), np.empty(size, np.int64)
    room = outer_room(panels)
    for i in range(top, bottom):
        offsets[i] = (i // width * line + i % width) * panels.itemsize
    for start in range(0, count, _PART):
        part = min(count - start, _PART)
        for k in range(part):
            table[k] = address(panels, (start + k) * width)
        for column in range(left, right, width):
            panel = address(panels, column // width * line + start * width)
            for k in range(part):
                rows[k] = panel + k * width * panels.itemsize
            ahead = panel + line * panels.itemsize if column + width < right else panel
            height = min(column + width, bottom) - top
            add_outer_products(panels, table[:part], offsets, rows[:part], 0, gram, top, height, column, room, ahead)
    keep(panels)
