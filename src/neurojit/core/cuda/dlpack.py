"""Arrays on the device by DLPack, the protocol by which libraries hand memory to one another without a copy.

By the array API standard a capsule named "dltensor" holds a `DLManagedTensor`. Whoever holds the capsule without having
renamed it keeps the memory alive, which is all that is done here with the capsules of others.
"""

import ctypes

import numpy as np

from neurojit.core.cuda.target import current_target

_ON_DEVICE = frozenset({2, 13})  # kDLCUDA and kDLCUDAManaged
_KINDS = {0: "i", 1: "u", 2: "f", 6: "b"}
_CODES = {kind: code for code, kind in _KINDS.items()}
_NAME = b"dltensor"


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _Managed(ctypes.Structure):
    pass


_Deleter = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Managed))
_Managed._fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", _Deleter)]

_api = ctypes.pythonapi
_api.PyCapsule_GetPointer.restype, _api.PyCapsule_GetPointer.argtypes = (
    ctypes.c_void_p,
    [ctypes.py_object, ctypes.c_char_p],
)
_api.PyCapsule_New.restype = ctypes.py_object
_api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_api.PyCapsule_IsValid.restype, _api.PyCapsule_IsValid.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p]


def is_on_device(array):
    """Whether an array of another library says by DLPack that it is on a CUDA device."""
    device = getattr(array, "__dlpack_device__", None)
    return device is not None and int(device()[0]) in _ON_DEVICE


class Imported:
    """An array that only speaks DLPack, with a `__cuda_array_interface__`.

    Raises
    ------
    TypeError
        If its numbers are of a kind that NumPy does not have.
    """

    def __init__(self, array):
        stream = current_target().stream
        self.capsule = array.__dlpack__(stream=stream)  # what made it is done before anything else on the stream
        tensor = _Managed.from_address(_api.PyCapsule_GetPointer(self.capsule, _NAME)).tensor
        if tensor.code not in _KINDS or tensor.lanes != 1:
            raise TypeError(f"array: got DLPack's type {tensor.code} of {tensor.bits} bits, wanted numbers NumPy has")
        dtype = np.dtype(f"{_KINDS[tensor.code]}{tensor.bits // 8}")
        strides = [n * dtype.itemsize for n in tensor.strides[: tensor.ndim]] if tensor.strides else None
        self.__cuda_array_interface__ = {
            "shape": tuple(tensor.shape[: tensor.ndim]),
            "typestr": dtype.str,
            "strides": None if strides is None else tuple(strides),
            "data": ((tensor.data or 0) + tensor.byte_offset, False),
            "version": 3,
            "stream": stream,
        }


_exported: dict[int, tuple] = {}  # what capsules that others took keep alive, by the address of their struct


@_Deleter
def _release(managed):
    _exported.pop(ctypes.addressof(managed.contents), None)


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def _forget(capsule):
    """Let go what a capsule holds that nobody took."""
    if _api.PyCapsule_IsValid(capsule, _NAME):
        pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _api))
        _exported.pop(pointer(capsule, _NAME), None)


def exported(array):
    """A `DeviceArray` as a capsule, which keeps its memory alive."""
    shape = (ctypes.c_int64 * max(1, array.ndim))(*array.shape)
    address = array.__cuda_array_interface__["data"][0]
    kind, device = array.dtype.kind, current_target().dlpack_device
    tensor = _Tensor(address, *device, array.ndim, _CODES[kind], 8 * array.itemsize, 1, shape, None, 0)
    managed = _Managed(tensor, None, _release)
    _exported[ctypes.addressof(managed)] = managed, shape, array
    return _api.PyCapsule_New(ctypes.addressof(managed), _NAME, ctypes.cast(_forget, ctypes.c_void_p))
