"""Where kernels run: one graphics processor, or what the tests put in its place."""

import contextlib
from typing import Any, Protocol


class CudaUnavailable(RuntimeError):  # noqa: N818, it says what is
    """There is no graphics processor to compute on; the message says what is missing and how to get it."""


class DeviceMemoryError(MemoryError):
    """The device has no room for an array."""


class Target(Protocol):
    """What arrays and kernels ask of a device. A block is memory as the target knows it."""

    @property
    def processors(self) -> int:
        """How many multiprocessors work at once."""

    @property
    def stream(self) -> int:
        """The address of the stream that launches and copies are put in; 1 is CUDA's default one."""

    @property
    def dlpack_device(self) -> tuple[int, int]:
        """Kind and number of the device in DLPack's terms."""

    def set_stream(self, stream: int) -> None:
        """Put what follows into another stream."""

    def allocate(self, n_bytes: int) -> Any:
        """A block of memory, or None where there is no room."""

    def memory(self) -> tuple[int, int]:
        """Bytes that are free, and bytes in all."""

    def view(self, block: Any, shape: tuple, dtype: Any) -> Any:
        """The start of a block as an array that `launch` takes."""

    def native(self, array: Any) -> Any:
        """A `DeviceArray` as `launch` takes it."""

    def write(self, native: Any, host: Any) -> None:
        """Copy a NumPy array to the device."""

    def read(self, native: Any) -> Any:
        """Copy from the device into a new NumPy array."""

    def copy(self, source: Any, destination: Any) -> None:
        """Copy on the device."""

    def interface(self, native: Any) -> dict:
        """The array's `__cuda_array_interface__`."""

    def adopt(self, interface_holder: Any) -> Any:
        """A C-contiguous array of another library as `launch` takes it, without a copy."""

    def launch(self, kernel: Any, launch: Any, arguments: list) -> None:
        """Run a kernel on converted arguments."""


_target: Target | None = None


def current_target() -> Target:
    """The device in use; the machine's first, found when it is first asked for.

    Raises
    ------
    CudaUnavailable
        If there is none, or a package is missing.
    """
    global _target
    if _target is None:
        from neurojit.core.cuda.diagnosis import require
        from neurojit.core.cuda.hardware import Hardware

        require()
        _target = Hardware()
    return _target


@contextlib.contextmanager
def use_target(target: Target):
    """Let another target stand for the device inside a ``with`` block; arrays of one are no good on another."""
    global _target
    before, _target = _target, target
    try:
        yield target
    finally:
        _target = before


@contextlib.contextmanager
def use_stream(stream):
    """Put launches and copies into a stream of the caller's inside a ``with`` block.

    Parameters
    ----------
    stream : int or object
        The stream's address, or a stream of PyTorch, CuPy, Numba or cuda.core.

    Raises
    ------
    TypeError
        If it is none of these.
    """
    target, address = current_target(), _address(stream)
    before = target.stream
    target.set_stream(address)
    try:
        yield
    finally:
        target.set_stream(before)


def _address(stream):
    """The address of a stream of one library or another."""
    if hasattr(stream, "__cuda_stream__"):
        return int(stream.__cuda_stream__()[1])
    for name in ("cuda_stream", "ptr", "handle"):
        stream = getattr(stream, name, stream)
    stream = getattr(stream, "value", stream)
    if isinstance(stream, bool) or not isinstance(stream, int) or stream < 0:
        raise TypeError(f"stream: got {stream!r}, wanted the address of a CUDA stream, or a library's stream")
    return stream or 1


def is_available() -> bool:
    """Whether kernels can run on a GPU here."""
    try:
        current_target()
    except CudaUnavailable:
        return False
    return True
