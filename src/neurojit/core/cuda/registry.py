"""Kernels by name, each with what is promised of its machine code and the plan of its launch."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from neurojit.core.cuda.array import DeviceArray
from neurojit.core.cuda.language import Array, parameters
from neurojit.core.cuda.target import current_target

PRECISIONS = ("float32", "float64")
_MOST_BLOCKS = 2**31 - 1, 65535, 65535
_MOST_ELEMENTS = 2**31 - 1  # kernels divide indices in 32 bits
KERNELS: dict[str, "CudaKernel"] = {}


@dataclasses.dataclass(frozen=True)
class Launch:
    """Blocks in a grid, threads in a block: each an int or up to three of them, the fastest first."""

    grid: int | tuple[int, ...]
    block: int | tuple[int, ...]

    @property
    def is_empty(self):
        return 0 in (self.grid if isinstance(self.grid, tuple) else (self.grid,))


@dataclasses.dataclass(frozen=True, eq=False)
class CudaKernel:
    """A kernel: called with arrays on the device, it is launched there.

    Parameters
    ----------
    function : callable
        The kernel's text; returns nothing and is never called itself.
    plan : callable
        From the arguments of a call to its `Launch`; looks at shapes and numbers alone, and asks no device.
    registers : int
        How many a thread may use in float32: so many threads have room on a processor.
    threads : int
        The most threads a block has.
    wide_loads : int
        How many 16-byte loads from global and shared memory its machine code has at least.
    resident : int, default=0
        Of a kernel whose whole grid meets at barriers, and so has to be at work at once: how many of its blocks every
        processor holds.
    """

    function: Callable
    plan: Callable[..., Launch]
    registers: int
    threads: int
    wide_loads: int
    resident: int = 0

    @property
    def name(self):
        """The file and the function: ``pool.max_pool``."""
        return f"{self.function.__module__.rpartition('.')[2]}.{self.function.__name__}"

    @functools.cached_property
    def parameters(self):
        return parameters(self.function)

    def signature(self, precision):
        """The types of the arguments as Numba writes them."""
        return f"void({', '.join(kind.signature(precision) for kind in self.parameters.values())})"

    @property
    def precisions(self):
        """The precisions the kernel is compiled for: one, for a kernel whose types do not depend on it."""
        return PRECISIONS if self.signature("float32") != self.signature("float64") else PRECISIONS[:1]

    def __call__(self, *arguments):
        launch = self.plan(*arguments)
        if launch.is_empty:
            return
        self._check_size(launch)
        precision = self._precision(arguments)
        target = current_target()
        self._check_room(launch, target)
        converted = [
            self._array(name, kind, value, precision, target)
            if isinstance(kind, Array)
            else kind.convert(value, precision)
            for (name, kind), value in zip(self.parameters.items(), arguments, strict=True)
        ]
        target.launch(self, launch, converted)

    def _check_size(self, launch):
        grid = launch.grid if isinstance(launch.grid, tuple) else (launch.grid,)
        if any(blocks > most for blocks, most in zip(grid, _MOST_BLOCKS, strict=False)):
            raise ValueError(f"{self.name}: got work for {grid} blocks, at most {_MOST_BLOCKS}: take a smaller batch")

    def _check_room(self, launch, target):
        if self.resident and launch.grid > self.resident * target.processors:
            raise ValueError(
                f"{self.name}: got {launch.grid} blocks that meet, wanted at most {self.resident} for each of"
                f" {target.processors} processors"
            )

    def _precision(self, arguments):
        kinds = zip(self.parameters.values(), arguments, strict=True)
        return next((a.dtype.name for kind, a in kinds if isinstance(kind, Array) and kind.dtype is None), "float32")

    def _array(self, name, kind, value, precision, target):
        wanted = np.dtype(kind.dtype or precision)
        if not isinstance(value, DeviceArray) or value.dtype != wanted or value.ndim != kind.ndim:
            got = f"{value.ndim} axes of {value.dtype}" if hasattr(value, "dtype") else type(value).__name__
            raise TypeError(f"{self.name}: {name}: got {got}, wanted {kind.ndim} axes of {wanted} on the device")
        if value.size > _MOST_ELEMENTS:
            raise ValueError(f"{self.name}: {name}: got {value.size} elements, at most {_MOST_ELEMENTS} on the device")
        return target.native(value)


def cuda_kernel(plan, *, registers=64, threads=256, wide_loads=0, resident=0):
    """Register a function as a kernel; see `CudaKernel` for the promises."""

    def register(function):
        kernel = CudaKernel(function, plan, registers, threads, wide_loads, resident)
        KERNELS[kernel.name] = kernel
        return kernel

    return register
