"""Rows of a table by number, and the sums of what comes back to each; arrays are flat, rows of one width.

numbers (m,) says which row of the table goes where; one below zero stands for a row of zeros. On the way back `order`
lists the places by the row they took, those of row r at starts[r] : starts[r + 1], so that every row has an owner who
adds up its share in that order.
"""

from neurojit.core.cuda import Floats, Ints, Launch, cuda, cuda_kernel, quotient

THREADS = 256


@cuda_kernel(lambda numbers, table, start, y: Launch(-(-y.size // THREADS), THREADS), registers=32)
def take_rows(numbers: Ints, table: Floats, start: Floats, y: Floats):
    """y[k] = table[numbers[k]] + start, which is zero where it has no length."""
    i = cuda.grid(1)
    if i >= y.size:
        return
    width = quotient(y.size, numbers.size)
    k = quotient(i, width)
    column, row = i - k * width, numbers[k]
    v = y.dtype.type(0)
    if row >= 0:
        v = table[row * width + column]
        if start.size > 0:
            v += start[column]
    y[i] = v


@cuda_kernel(lambda order, starts, dy, dtable: Launch(-(-dtable.size // THREADS), THREADS), registers=40)
def sum_rows(order: Ints, starts: Ints, dy: Floats, dtable: Floats):
    """dtable[r] = the sum of dy[order[k]] over starts[r] <= k < starts[r + 1], in that order."""
    i = cuda.grid(1)
    if i >= dtable.size:
        return
    width = quotient(dtable.size, starts.size - 1)
    row = quotient(i, width)
    column = i - row * width
    s = dy.dtype.type(0)
    for k in range(starts[row], starts[row + 1]):
        s += dy[order[k] * width + column]
    dtable[i] = s
