"""The machine's GPU, by way of Numba: kernels are compiled on first use and kept for the process."""

import functools

import numpy as np

from neurojit.core.cuda.compiler import dispatcher


def _numba_cuda():
    from numba import cuda

    return cuda


class Hardware:
    """The first GPU; see `Target` for what it is asked. Everything is in the order of one stream, the default one."""

    def __init__(self):
        self.cuda = _numba_cuda()
        self.stream, self._stream = 1, 0

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

    @property
    def dlpack_device(self):
        return 2, int(self.cuda.get_current_device().id)

    def set_stream(self, stream):
        self.stream = stream
        self._stream = 0 if stream == 1 else self.cuda.external_stream(stream)

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
        native.copy_to_device(host, stream=self._stream)

    def read(self, native):
        host = native.copy_to_host(stream=self._stream)
        if self._stream:
            self._stream.synchronize()
        return host

    def copy(self, source, destination):
        destination.copy_to_device(source, stream=self._stream)

    def interface(self, native):
        return {**native.__cuda_array_interface__, "stream": self.stream}

    def adopt(self, interface_holder):
        made_on = interface_holder.__cuda_array_interface__.get("stream")
        # What another stream is still busy with is waited for.
        array = self.cuda.as_cuda_array(interface_holder, sync=made_on != self.stream)
        return array if array.ndim == 1 else array.reshape(array.size)

    def launch(self, kernel, launch, arguments):
        self._compiled(kernel)[launch.grid, launch.block, self._stream](*arguments)

    @functools.cache  # noqa: B019, there is one GPU
    def _compiled(self, kernel):
        return dispatcher(kernel)
