"""Weights in another order."""

from neurojit.core.cuda import Floats, Int, Ints, Launch, cuda, cuda_kernel, quotient

THREADS = 256


def _plan(weight, taps, run, groups, columns, packed):
    return Launch(-(-packed.size // THREADS), THREADS)


@cuda_kernel(_plan, registers=40)
def pack_transposed(weight: Floats, taps: Ints, run: Int, groups: Int, columns: Int, packed: Floats):
    """Chosen taps with inputs and outputs exchanged: packed[t, o, g, c] = weight[taps[t], c, g, o].

    weight (all taps, run, groups, columns), packed (taps, columns, groups, run), both flat.
    """
    i = cuda.grid(1)
    if i >= packed.size:
        return
    rest = quotient(i, run)
    c = i - rest * run
    row = quotient(rest, groups)
    g = rest - row * groups
    t = quotient(row, columns)
    o = row - t * columns
    packed[i] = weight[((taps[t] * run + c) * groups + g) * columns + o]
