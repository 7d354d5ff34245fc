"""The ceiling of arithmetic: the register tile on numbers that lie in the first-level cache, on all threads."""

import numpy as np

from benchmarks import harness
from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.core.simd import ROWS, VECTORS, address, keep, lanes, multiply_rows

_RUN = 128  # values of a row: the weights they are multiplied by take a third of the cache
_TASKS, _TIMES = 64, 200


@kernel
def _multiply(x, weight, out, times):
    run, full = x.shape[1], weight.shape[1]
    rows, outs, zero = np.empty(ROWS, np.int64), np.empty(ROWS, np.int64), np.zeros(1, np.int64)
    starts = np.full(ROWS, address(weight, 0))
    for i in range(ROWS):
        rows[i], outs[i] = address(x, i * run), address(out, i * full)
    at, begin, into = address(rows, 0), address(starts, 0), address(outs, 0)
    none, w = address(zero, 0), address(weight, 0)
    for _ in range(times):
        multiply_rows(x, at, 0, none, 1, 0, run, w, none, full, begin, into, full, rows[0])
    keep(rows)
    keep(starts)
    keep(outs)
    keep(zero)


@parallel_kernel
def _multiply_everywhere(x, weight, out, times):
    for task in prange(out.shape[0]):
        _multiply(x, weight, out[task], times)


def tile_rate():
    """What the register tile does on all threads, in GFLOP/s."""
    full = VECTORS * lanes(np.float32)
    x, weight = np.ones((ROWS, _RUN), np.float32), np.ones((_RUN, full), np.float32)
    out = np.zeros((_TASKS, ROWS, full), np.float32)
    seconds = harness.interleave({"tile": lambda: _multiply_everywhere(x, weight, out, _TIMES)})["tile"]
    return 2 * _TASKS * _TIMES * x.size * full / seconds / 1e9
