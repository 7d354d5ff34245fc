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
def pack_rows(z, y, reference, panels):
    """The rows [z, y, 1] less [reference, 0], in panels that are zero past their end."""
    features, outputs = z.shape[1], y.shape[1]
    width = panels.shape[2]
    for p in range(panels.shape[0]):
        for k in range(panels.shape[1]):
            row, first = panels[p, k], p * width
            within = max(min(features - first, width), 0)
            for c in range(within):
                row[c] = z[k, first + c] - reference[first + c]
            for c in range(within, width):
                i = first + c
                row[c] = y[k, i - features] - reference[i] if i < features + outputs else i == features + outputs


@kernel
def add_gram(panels, first, last, gram):
    """gram[i, j] += sum_k row[k, i] row[k, j] for the columns j of panels `first` to `last`, and i <= j.

    Some numbers below the diagonal are written, too.
    """
    count, width = panels.shape[1], panels.shape[2]
    size = gram.shape[0]
    table, rows, offsets = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(size, np.int64)
    room = outer_room(panels)
    for i in range(size):
        offsets[i] = (i // width * count * width + i % width) * panels.itemsize
    for k in range(count):
        table[k] = address(panels, k * width)
    for start in range(0, count, _PART):
        stop = min(start + _PART, count)
        for p in range(first, last):
            for k in range(start, stop):
                rows[k] = address(panels, (p * count + k) * width)
            some, others = table[start:stop], rows[start:stop]
            ahead, column = address(panels, (p * count + min(stop, count - 1)) * width), p * width
            add_outer_products(panels, some, offsets, others, 0, gram, 0, column + width, column, room, ahead)
    keep(panels)
