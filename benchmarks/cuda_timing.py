"""Timing on a GPU: between events of its own clock, on other data each time, and the ceilings of the machine."""

import itertools
import statistics

import numpy as np

from neurojit.core.cuda import CudaKernel, Floats, Int, Launch, cuda, device_empty, to_device

_CACHE = 1 << 27  # bytes: sets of arrays that are used in turn are larger together than the second-level cache
_CHAINS, _TIMES = 16, 4096


def sets(make, n_bytes):
    """So many results of ``make(seed)``, of `n_bytes` each, that none is in the cache when its turn comes."""
    return [make(seed) for seed in range(max(2, min(16, -(-_CACHE // max(n_bytes, 1)))))]


def normal(shape, seed):
    """Normal draws on the device."""
    return to_device(np.random.default_rng(seed).standard_normal(shape, np.float32))


def seconds(functions, arguments, repeats=9):
    """Median seconds of each function on arguments that differ from call to call, timed in turn by events.

    Parameters
    ----------
    functions : dict of str to callable
    arguments : dict of str to list of tuple
        What each function is called with, one after another.
    """
    from numba import cuda as device

    turns = {name: itertools.cycle(arguments[name]) for name in functions}
    for name, function in functions.items():
        for _ in range(3):  # compiles, fills the pools
            function(*next(turns[name]))
    times = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            calls = [next(turns[name]) for _ in range(8)]
            begin, end = device.event(), device.event()
            device.synchronize()
            begin.record()
            for call in calls:
                function(*call)
            end.record()
            end.synchronize()
            times[name].append(device.event_elapsed_time(begin, end) / 1e3 / len(calls))
    return {name: statistics.median(values) for name, values in times.items()}


def copy_rate():
    """Bytes a second that a large copy on the device reads and writes."""
    source, target = normal(1 << 28, 0), device_empty(1 << 28, np.float32)
    return 2 * source.nbytes / seconds({"copy": target.assign}, {"copy": [(source,)]})["copy"]


def _chains(x: Floats, times: Int, y: Floats):
    i = cuda.grid(1)
    sums = cuda.local.array(_CHAINS, x.dtype)
    for k in range(_CHAINS):
        sums[k] = x[k]
    factor = x[_CHAINS]
    for _ in range(times):
        for k in range(_CHAINS):
            sums[k] = sums[k] * factor + factor
    total = x.dtype.type(0)
    for k in range(_CHAINS):
        total += sums[k]
    y[i] = total


def arithmetic_rate():
    """Floating-point operations a second of multiplications and additions that wait for nothing."""
    blocks, threads = 132 * 16, 256
    kernel = CudaKernel(_chains, lambda *_: Launch(blocks, threads), registers=64, threads=threads, wide_loads=0)
    x, y = normal(_CHAINS + 1, 0), device_empty(blocks * threads, np.float32)
    time = seconds({"chains": kernel}, {"chains": [(x, _TIMES, y)]})["chains"]
    return 2 * _CHAINS * _TIMES * y.size / time
