"""Arrays on the device, in memory that is used again."""

import math
import threading

import numpy as np

from neurojit.core.cuda import dlpack
from neurojit.core.cuda.target import DeviceMemoryError, current_target

_ALIGNMENT = 16  # bytes that one load takes

# Re-entrant, as the garbage collector may run `_Lease.__del__` while this thread holds it.
_lock = threading.RLock()


class _Pool:
    """Blocks of one target that no array uses, by size."""

    def __init__(self, target):
        self.target = target
        self.waiting = {}

    def take(self, size):
        with _lock:
            blocks = self.waiting.get(size)
            if blocks:
                return blocks.pop()
        block = self.target.allocate(size)
        if block is None and self.waiting:
            self.clear()  # blocks of other sizes may make room
            block = self.target.allocate(size)
        if block is None:
            free, total = self.target.memory()
            raise DeviceMemoryError(
                f"the device has no room for {_readable(size)}: {_readable(free)} of {_readable(total)} are free; take"
                " smaller batches, or delete arrays that are not needed"
            )
        return block

    def give_back(self, size, block):
        with _lock:
            self.waiting.setdefault(size, []).append(block)

    def clear(self):
        with _lock:
            self.waiting.clear()


_pools: dict[tuple, _Pool] = {}


def _pool_of(target):
    key = id(target), target.stream  # what one stream still uses is no memory for another
    pool = _pools.get(key)
    if pool is None or pool.target is not target:
        pool = _pools[key] = _Pool(target)
    return pool


def release_memory():
    """Give memory that waits for new arrays back to the device, for other programs to use."""
    _pool_of(current_target()).clear()


def _readable(n_bytes):
    return f"{n_bytes / 2**20:.1f} MiB" if n_bytes < 2**30 else f"{n_bytes / 2**30:.1f} GiB"


def _size_class(n_bytes):
    """Bytes rounded up to one of four sizes between powers of two, 512 at least."""
    quarter = 1 << max(7, n_bytes.bit_length() - 3)
    return max(512, -(-n_bytes // quarter) * quarter)


class _Lease:
    """Owner of a block; when the arrays in it are gone, the block is free for another."""

    def __init__(self, pool, size):
        self.pool, self.size = pool, size
        self.block = pool.take(size)

    def __del__(self):
        if hasattr(self, "block"):
            self.pool.give_back(self.size, self.block)


class DeviceArray:
    """A C-contiguous array in the memory of the device, as `to_device` makes it.

    It knows its shape, can be given another, be added to one of its kind and be multiplied by a number. All else is
    done by the operations of `neurojit.functional`, which take it in place of a NumPy array and return the like. Only
    `numpy` brings it back: an array that went back and forth unseen would cost more than it computes.
    CuPy, PyTorch, Numba and others take it without a copy, by `__cuda_array_interface__` or DLPack.

    Parameters
    ----------
    owner : object
        What keeps the memory alive.
    native : object
        The flat array as the target knows it.
    shape : tuple of int
    dtype : dtype
    """

    __slots__ = ("__weakref__", "dtype", "native", "owner", "shape")
    __array_priority__ = 1000.0
    __array_ufunc__ = None  # numpy_array * device_array asks the device array, which declines

    def __init__(self, owner, native, shape, dtype):
        self.owner, self.native = owner, native
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return math.prod(self.shape)

    @property
    def itemsize(self):
        return self.dtype.itemsize

    @property
    def nbytes(self):
        return self.size * self.dtype.itemsize

    @property
    def __cuda_array_interface__(self):
        return {**current_target().interface(self.native), "shape": self.shape, "strides": None}

    def __dlpack_device__(self):
        return current_target().dlpack_device

    def __dlpack__(self, *, stream=None, **options):
        return dlpack.exported(self)

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def __repr__(self):
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype})"

    def __array__(self, dtype=None, copy=None):
        raise TypeError("got an array on the device, wanted one on the host: call its numpy()")

    def __setitem__(self, index, values):
        if index is not Ellipsis:
            raise TypeError(f"index: got {index!r}, wanted ... : an array on the device is overwritten as a whole")
        self.assign(values)

    def __reduce__(self):
        return to_device, (self.numpy(),)

    def __deepcopy__(self, memo):
        return self.copy()

    def __add__(self, other):
        from neurojit.core.cuda.arithmetic import total

        return total(self, other)

    def __mul__(self, factor):
        from neurojit.core.cuda.arithmetic import multiple

        return multiple(self, factor)

    __rmul__ = __mul__

    def __neg__(self):
        return self * -1.0

    def reshape(self, *shape):
        """The same memory in another shape, one length of which may be -1."""
        shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        if -1 in shape:
            known = math.prod(n for n in shape if n != -1)
            shape = tuple(self.size // max(known, 1) if n == -1 else n for n in shape)
        if math.prod(shape) != self.size:
            raise ValueError(f"shape: got {shape}, wanted lengths for {self.size} numbers")
        return DeviceArray(self.owner, self.native, shape, self.dtype)

    def head(self, count):
        """The first `count` entries along the first axis, in the same memory."""
        shape = (count, *self.shape[1:])
        if not 0 <= count <= len(self):
            raise ValueError(f"count: got {count}, wanted 0 to {len(self)}")
        return DeviceArray(self.owner, self.native[: math.prod(shape)], shape, self.dtype)

    def numpy(self):
        """A copy on the host, as a NumPy array."""
        if self.size == 0:
            return np.empty(self.shape, self.dtype)
        return current_target().read(self.native).reshape(self.shape)

    def copy(self):
        """Another array of the same values on the device."""
        result = device_empty_like(self)
        if self.size:
            current_target().copy(self.native, result.native)
        return result

    def assign(self, values):
        """Overwrite the array's values with those of an array of its shape, on the host or on the device."""
        if tuple(values.shape) != self.shape:
            raise ValueError(f"values: got shape {values.shape}, wanted {self.shape}")
        if self.size == 0:
            return
        if isinstance(values, DeviceArray):
            current_target().copy(values.native, self.native)
        else:
            host = np.ascontiguousarray(values, self.dtype).reshape(-1)
            current_target().write(self.native, host)


def on_device(array):
    """Whether an array is on the device."""
    return isinstance(array, DeviceArray)


def device_empty(shape, dtype):
    """An array of undefined values on the device.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : dtype

    Returns
    -------
    DeviceArray

    Raises
    ------
    CudaUnavailable
        If there is no device.
    DeviceMemoryError
        If it has no room.
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    dtype = np.dtype(dtype)
    target = current_target()
    count = math.prod(shape)
    lease = _Lease(_pool_of(target), _size_class(count * dtype.itemsize))
    return DeviceArray(lease, target.view(lease.block, count, dtype), shape, dtype)


def device_empty_like(array):
    """An array of undefined values on the device, of the shape and dtype of another."""
    return device_empty(array.shape, array.dtype)


def device_zeros(shape, dtype):
    """Zeros of float32 or float64 on the device, which need no way through the host."""
    from neurojit.core.cuda.arithmetic import fill

    result = device_empty(shape, dtype)
    fill(result.reshape(-1), 0.0)
    return result


def to_device(array):
    """Copy an array to the device.

    Parameters
    ----------
    array : array-like
        A `DeviceArray` comes back as it is, an array of another library on the device is adopted without a copy.

    Returns
    -------
    DeviceArray

    Raises
    ------
    CudaUnavailable
        If there is no device, with what is missing.
    DeviceMemoryError
        If it has no room.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> import neurojit.functional as F
    >>> x = nj.to_device(np.array([-1.0, 2.0], np.float32))  # doctest: +SKIP
    >>> F.relu(x).numpy()  # doctest: +SKIP
    array([0., 2.], dtype=float32)
    """
    if isinstance(array, DeviceArray):
        return array
    if hasattr(array, "__cuda_array_interface__"):
        return adopted(array)
    if dlpack.is_on_device(array):
        return adopted(dlpack.Imported(array))
    host = np.asarray(array)
    result = device_empty(host.shape, host.dtype)
    result.assign(host)
    return result


def adopted(array):
    """An array of another library on the device, by its `__cuda_array_interface__`.

    It is not copied, unless it starts where loads of 16 bytes cannot.

    Raises
    ------
    ValueError
        If it is not C-contiguous.
    """
    interface = array.__cuda_array_interface__
    shape, dtype = tuple(interface["shape"]), np.dtype(interface["typestr"])
    strides = interface.get("strides")
    if strides is not None and not _is_contiguous(shape, strides, dtype.itemsize):
        raise ValueError(f"array: got strides {strides} for shape {shape}, wanted a C-contiguous array")
    own = DeviceArray(array, current_target().adopt(array), shape, dtype)
    return own.copy() if interface["data"][0] % _ALIGNMENT else own


def _is_contiguous(shape, strides, itemsize):
    expected = itemsize
    for length, stride in zip(reversed(shape), reversed(strides), strict=True):
        if length > 1 and stride != expected:
            return False
        expected *= length
    return True


def to_host(array):
    """An array on the device as a NumPy array; anything else as it is."""
    return array.numpy() if isinstance(array, DeviceArray) else array


def on_host(node):
    """A nested dict with every array of it on the host."""
    if isinstance(node, dict):
        return {key: on_host(value) for key, value in node.items()}
    return node.numpy() if isinstance(node, DeviceArray) else node


def zeros_like(array):
    """Zeros of the shape and dtype of an array, where it is, C-contiguous."""
    if not isinstance(array, DeviceArray):
        return np.zeros_like(array, order="C")
    return device_zeros(array.shape, array.dtype)
