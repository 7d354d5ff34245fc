"""Where a call computes: arrays on the device are worked on there, by the twins of the CPU's kernels.

Arrays of other libraries on the device (CuPy, PyTorch, Numba) are taken without a copy, and results come back as the
like.
"""

import importlib
import sys

import numpy as np

from neurojit.core.cuda import DeviceArray, current_target, device_empty, dlpack, to_device
from neurojit.core.memory import empty


def kernel_for(kernel, array):
    """The kernel for where an array is: the CPU's itself, or its twin, of the same file and name, on the device.

    Raises
    ------
    NotImplementedError
        If the kernel has no twin yet.
    """
    if not isinstance(array, DeviceArray):
        return kernel
    *_, file = kernel.py_func.__module__.split(".")
    name = kernel.py_func.__name__
    try:
        return getattr(importlib.import_module(f"neurojit.kernels.cuda.{file}"), name)
    except (ModuleNotFoundError, AttributeError):
        raise NotImplementedError(f"{file}.{name} has no CUDA kernel yet: use arrays on the host") from None


def empty_for(array, shape, dtype):
    """An array of undefined values where `array` is."""
    return device_empty(shape, dtype) if isinstance(array, DeviceArray) else empty(shape, dtype)


_constants: dict = {}
_MOST_CONSTANTS = 4096


def constant(array):
    """A small table of numbers on the device, where it stays: another call with the same table finds it there."""
    key = id(current_target()), array.dtype.str, array.shape, array.tobytes()
    if key not in _constants:
        if len(_constants) >= _MOST_CONSTANTS:
            _constants.clear()
        _constants[key] = current_target(), to_device(array)
    return _constants[key][1]


# What arguments on the host mostly are: found in a moment, as a call on small arrays takes microseconds.
_HOST_TYPES = frozenset({np.ndarray, bool, int, float, str, tuple, list, type(None)})


def _is_foreign(value):
    """Whether a value is an array on the device that another library made."""
    return (
        type(value) not in _HOST_TYPES
        and not isinstance(value, DeviceArray)
        and (hasattr(value, "__cuda_array_interface__") or dlpack.is_on_device(value))
    )


def is_host_call(args, kwargs):
    """Whether no argument is on the device."""
    for value in (*args, *kwargs.values()):
        if type(value) not in _HOST_TYPES and (isinstance(value, DeviceArray) or _is_foreign(value)):
            return False
    return True


def taken(value):
    """An array of another library on the device as a `DeviceArray`; tuples of them likewise; others as they are."""
    if isinstance(value, tuple):
        return tuple(taken(part) for part in value)
    return to_device(value) if _is_foreign(value) else value


class DeviceCall:
    """The arguments of a call on the device, and how to hand its results back.

    Raises
    ------
    TypeError
        If an array that has a gradient is on the host while others are on the device.
    """

    def __init__(self, op, args, kwargs):
        values = (*args, *kwargs.values())
        self._like = next((_maker_of(value) for value in values if _is_foreign(value)), None)
        self.args = tuple(taken(value) for value in args)
        self.kwargs = {name: taken(value) for name, value in kwargs.items()}
        bound = op.signature.bind(*self.args, **self.kwargs).arguments
        for name in op.differentiable:
            value = bound.get(name)
            if name == op.tokens and _is_integers(value):
                continue
            if value is not None and not isinstance(value, DeviceArray):
                raise TypeError(
                    f"{name}: got an array on the host, wanted one on the device like the others (neurojit.to_device)"
                )

    def returned(self, result):
        """A result, or a tuple of them, as arrays of the library that the arguments came from."""
        if isinstance(result, tuple):
            return tuple(self.returned(part) for part in result)
        if self._like is None or not isinstance(result, DeviceArray):
            return result
        return self._like(result)


# How a library takes an array by its `__cuda_array_interface__`, sharing the memory.
_MAKERS = {
    "cupy": lambda cupy, array: cupy.asarray(array),
    "torch": lambda torch, array: torch.as_tensor(array, device="cuda"),
    "numba": lambda numba, array: sys.modules["numba.cuda"].as_cuda_array(array),
}


def _is_integers(value):
    """Whether a value is integers, which have no gradient."""
    return (value if isinstance(value, DeviceArray) else np.asarray(value)).dtype.kind in "iu"


def _maker_of(value):
    """What makes of a `DeviceArray` an array of the library that a value comes from; None where nothing does."""
    name = type(value).__module__.partition(".")[0]
    if name in _MAKERS:
        return lambda array: _MAKERS[name](sys.modules[name], array)
    namespace = getattr(value, "__array_namespace__", None)
    return None if namespace is None else namespace().from_dlpack
