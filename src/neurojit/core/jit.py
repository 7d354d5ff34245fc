"""The only door to numba's CPU compiler.

`@kernel` compiles a serial function, `@exact_kernel` one that relies on inf, nan or the order of additions, and
`@parallel_kernel` a thin driver whose `prange` hands blocks of work to serial kernels; `@inner_kernel` and
`@exact_inner_kernel` are for the inside of other kernels' loops. None of them compiles at import: the first call with a
new element type does, and the machine code is cached between processes.
"""

import functools

import numpy as np
from numba import njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from neurojit.core import cache, device

__all__ = [
    "FAST_MATH",
    "ParallelKernel",
    "cgutils",
    "exact_inner_kernel",
    "exact_kernel",
    "inner_kernel",
    "intrinsic",
    "kernel",
    "overload",
    "parallel_kernel",
    "prange",
    "types",
]

# All of fastmath but `nnan` and `ninf`: with those, isnan(nan) is False and logaddexp(-inf, -inf) is nan.
FAST_MATH = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})

# Only explicit `prange` loops are made parallel; numba's search for others triples the compile time.
_PRANGE_ONLY = {
    "prange": True,
    "comprehension": False,
    "reduction": False,
    "inplace_binop": False,
    "setitem": False,
    "numpy": False,
    "stencil": False,
    "fusion": False,
}

# Waking other threads takes longer than work on so few array elements, and far longer where the cores are busy.
_SMALL = 1 << 14


def _compile(function, *, fast=True, parallel=False, variant="cpu", counts_references=True):
    flags = set(FAST_MATH) if fast else False
    # Callers take in the kernels they call. Else each holds a copy, optimized in its own way, and the linker keeps the
    # one loaded first: last bits would depend on what ran before, and on whether the cache was warm.
    options = {"parallel": parallel, "forceinline": not parallel, "_nrt": counts_references}
    dispatcher = njit(nogil=True, error_model="numpy", fastmath=flags, **options)(function)
    return cache.enable(dispatcher, variant)


def kernel(function):
    """Compile a serial kernel with the safe fast-math flags; the GIL is released while it runs."""
    return _compile(function)


def inner_kernel(function):
    """A kernel that makes no arrays, for the inside of other kernels' loops.

    Numba counts a reference to each array that is handed to a function, with an atomic instruction on the way in and
    out: for work of a few hundred cycles a call that shows. Here nothing is counted; the caller holds the arrays.
    """
    return _compile(function, counts_references=False)


def exact_kernel(function):
    """Compile a serial kernel with IEEE arithmetic in the order written: for code that relies on inf and nan."""
    return _compile(function, fast=False)


def exact_inner_kernel(function):
    """An `exact_kernel` that is an `inner_kernel` as well."""
    return _compile(function, fast=False, counts_references=False)


class ParallelKernel:
    """A compiled driver whose `prange` iterations run on all threads, one launch at a time in the process.

    Every iteration must write only its own output, so that the result has the same bits for any number of threads.
    """

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.py_func = function
        self._parallel = _compile(function, parallel=_PRANGE_ONLY)

    @functools.cached_property
    def _serial(self):
        return _compile(self.py_func, variant="cpu-serial")

    def __call__(self, *arguments):
        elements = sum([a.size for a in arguments if isinstance(a, np.ndarray)])
        with device.launch() as threads_are_safe, device.threads(1 if elements < _SMALL else None):
            run = self._parallel if threads_are_safe else self._serial
            return run(*arguments)


def parallel_kernel(function):
    """Compile a driver with a `prange` loop; keep its body in serial kernels, since parallel code compiles slowly."""
    return ParallelKernel(function)
