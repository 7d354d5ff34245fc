"""The machine's GPU, by way of Numba: kernels are compiled on first use and kept for the process."""

import functools

import numpy as np

from neurojit.core.cuda.compiler import dispatcher


def _numba_cuda():
    from numba import cuda

    return cuda


class Hardware:
    """The first GPU; see `Target` for what it is asked. Everything is in the order of its default stream."""

    def __init__(self):
        self.cuda = _numba_cuda()

    def describe(self):
        """The GPU's name, compute capability and memory, in one line."""
        device = self.cuda.get_current_device()
        name = device.name.decode() if isinstance(device.name, bytes) else device.name
        major, minor = device.compute_capability
        free, total = self.memory()
        return f"{name} (compute capability {major}.{minor}), {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"

    @functools.cached_property
    def processors(self):
        """How many multiprocessors the GPU has."""
        return int(self.cuda.get_current_device().MULTIPROCESSOR_COUNT)

    def allocate(self, n_bytes):
        try:
            return self.cuda.device_array(n_bytes, np.uint8)
        except self.cuda.cudadrv.driver.CudaAPIError as error:
            if "OUT_OF_MEMORY" in str(error):
                return None
            raise

    def memory(self):
        free, total = self.cuda.current_context().get_memory_info()
        return free, total

    def view(self, block, count, dtype):
        if count == 0:
            return self.cuda.device_array(0, dtype)
        return block[: count * dtype.itemsize].view(dtype)

    def native(self, array):
        return array.native if array.ndim == 1 else array.native.reshape(array.shape)

    def write(self, native, host):
        native.copy_to_device(host)

    def read(self, native):
        return native.copy_to_host()

    def copy(self, source, destination):
        destination.copy_to_device(source)

    def interface(self, native):
        return dict(native.__cuda_array_interface__)

    def adopt(self, interface_holder):
        array = self.cuda.as_cuda_array(interface_holder, sync=True)  # waits for the stream it was made on
        return array if array.ndim == 1 else array.reshape(array.size)

    def launch(self, kernel, launch, arguments):
        self._compiled(kernel)[launch.grid, launch.block](*arguments)

    @functools.cache  # noqa: B019, there is one GPU
    def _compiled(self, kernel):
        return dispatcher(kernel)
