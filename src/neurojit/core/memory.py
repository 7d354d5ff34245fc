"""Arrays whose memory is used again.

A large array that is freed goes back to the operating system, and the next one of its size is made of fresh pages, each
of which costs a fault when it is first written. Here the memory of results waits for the next result of about its size.
"""

import math
import os
import threading

import numpy as np

from neurojit.core.cuda.array import DeviceArray, device_empty_like

_LEAST_BYTES = 1 << 16  # smaller arrays come from the heap, which keeps its pages
_MOST_KEPT = 1 << 27  # bytes that may wait for use
_ALIGNMENT = 64  # a cache line, and a vector register

# Re-entrant, as the garbage collector may run `_Lease.__del__` while this thread holds it.
_lock = threading.RLock()
_free: dict[int, list["_Block"]] = {}
_kept = 0


def _after_fork_in_child():
    global _lock
    _lock = threading.RLock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_after_fork_in_child)


class _Block:
    """Memory for arrays of up to `size` bytes, and where they start: NumPy takes its time to say."""

    __slots__ = ("address", "memory", "size")

    def __init__(self, size):
        self.size = size
        self.memory = np.empty(size + _ALIGNMENT, np.uint8)
        start = self.memory.ctypes.data
        self.address = start + -start % _ALIGNMENT


def _size_class(n_bytes):
    """Bytes rounded up to one of four sizes between powers of two."""
    quarter = 1 << max(0, n_bytes.bit_length() - 3)
    return -(-n_bytes // quarter) * quarter


def _take(size):
    global _kept
    with _lock:
        waiting = _free.get(size)
        if waiting:
            _kept -= size
            return waiting.pop()
    return _Block(size)


def _give_back(block):
    global _kept
    with _lock:
        if _kept + block.size <= _MOST_KEPT:
            _kept += block.size
            _free.setdefault(block.size, []).append(block)


class _Lease:
    """Owner of an array's memory; when the array and all its views are gone, the memory is free for another."""

    def __init__(self, block, shape, dtype):
        self._block = block
        data = (block.address, False)
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": dtype.str, "data": data}

    def __del__(self, give_back=_give_back):  # bound here: at exit the module's names may be gone before its arrays
        give_back(self._block)


def empty(shape, dtype):
    """An array of undefined values, for a kernel to fill: `numpy.empty`, with memory used before where there is some.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : dtype

    Returns
    -------
    numpy.ndarray
        C-contiguous; large ones start at a cache line.

    Examples
    --------
    >>> from neurojit.core.memory import empty
    >>> empty((2, 3), "float32").shape
    (2, 3)
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    dtype = np.dtype(dtype)
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes < _LEAST_BYTES:
        return np.empty(shape, dtype)
    return np.asarray(_Lease(_take(_size_class(n_bytes)), shape, dtype))


def empty_at_line(shape, dtype):
    """As `empty`, but small arrays start at a cache line, too.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> from neurojit.core.memory import empty_at_line
    >>> empty_at_line((3, 5), "float32").ctypes.data % 64
    0
    """
    dtype = np.dtype(dtype)
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes >= _LEAST_BYTES:
        return empty(shape, dtype)
    memory = np.empty(n_bytes + _ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % _ALIGNMENT
    return memory[first : first + n_bytes].view(dtype).reshape(shape)


def empty_like(array):
    """An array of undefined values with the shape and dtype of another, where that one is."""
    if isinstance(array, DeviceArray):
        return device_empty_like(array)
    return empty(array.shape, array.dtype)
