"""The emulator as the device that neurojit computes on: kernels run thread by thread in this process."""

import math

import numpy as np

from neurojit.core.cuda.language import DeviceFunction, Name, add4, cuda, load4, quotient, rebuilt, store4
from tests.emulator import device
from tests.emulator.memory import Watched, poisoned
from tests.emulator.scheduler import run_grid, triple, uses_grid_sync

_MOST_THREADS = 1024


class Emulator:
    """A `Target` of the core's.

    Parameters
    ----------
    order : {"forward", "reverse", "random"}, default="forward"
        Of threads and blocks.
    watches : bool, default=True
        Whether races in shared and global memory are looked for, which takes twice the time.
    capacity : int, default=2**30
        Bytes of memory.
    """

    processors = 16

    def __init__(self, order="forward", watches=True, capacity=2**30):
        self.order, self.watches, self.capacity = order, watches, capacity
        self.used = 0
        self.stream, self.dlpack_device = 1, (1, 0)  # memory of the host, in truth
        self.launched = []

    # -- memory: a block is an array of bytes, a native array a view of it --------------------------------------------

    def allocate(self, n_bytes):
        if self.used + n_bytes > self.capacity:
            return None
        self.used += n_bytes
        return _Block(self, n_bytes)

    def set_stream(self, stream):
        self.stream = stream

    def memory(self):
        return self.capacity - self.used, self.capacity

    def view(self, block, count, dtype):
        array = block.memory[: count * dtype.itemsize].view(dtype)
        array[...] = poisoned(count, dtype)
        return array

    def native(self, array):
        return array.native.reshape(array.shape)

    def write(self, native, host):
        native[...] = host

    def read(self, native):
        return native.copy()

    def copy(self, source, destination):
        destination[...] = source

    def interface(self, native):
        return {"data": (native.ctypes.data, False), "typestr": native.dtype.str, "version": 3, "stream": self.stream}

    def adopt(self, interface_holder):
        address = interface_holder.__cuda_array_interface__
        host = {key: address[key] for key in ("shape", "typestr", "data", "version")}
        return np.asarray(type("Host", (), {"__array_interface__": host})()).reshape(-1)

    # -- kernels ------------------------------------------------------------------------------------------------------

    def launch(self, kernel, launch, arguments):
        threads = math.prod(triple(launch.block))
        assert threads <= min(kernel.threads, _MOST_THREADS), f"{kernel.name}: {threads} threads in a block"
        self.launched.append(kernel.name)
        run(kernel.function, launch, arguments, order=self.order, watches=self.watches)


class _Block:
    def __init__(self, emulator, n_bytes):
        self.emulator, self.memory = emulator, np.empty(n_bytes, np.uint8)

    def __del__(self):
        self.emulator.used -= self.memory.size


def run(function, launch, arguments, *, order="forward", watches=True):
    """Run a kernel's text on NumPy arrays and numbers, which it changes in place."""
    names = tuple(function.__code__.co_varnames)
    if watches:
        arguments = [
            Watched(value, name) if isinstance(value, np.ndarray) else value
            for name, value in zip(names, arguments, strict=False)
        ]
    bound = bind(function, launch, watches)
    with np.errstate(all="ignore"):
        run_grid(lambda: bound(*arguments), launch, order=order, side_by_side=uses_grid_sync(function))


def bind(function, launch, watches=True):
    """A kernel's function with the emulated device in the names' place."""
    meaning = {cuda: device.Cuda(launch, watches)}
    meaning |= {name: getattr(device, name.name) for name in (load4, store4, add4, quotient)}
    emulated_math, bound = device.Math(), {}

    def replace(value):
        if isinstance(value, Name):
            return meaning[value]
        if isinstance(value, DeviceFunction):
            if value not in bound:
                bound[value] = rebuilt(value.function, replace)
            return bound[value]
        return emulated_math if value is math else value

    return rebuilt(function, replace)
