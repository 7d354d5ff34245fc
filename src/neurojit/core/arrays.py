"""Arrays as kernels want them: C-contiguous, float32 (float64 when given), with errors that name the argument."""

import numpy as np

from neurojit.core.cuda.array import DeviceArray

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def canonical(array, name, *, dtype=None, ndim=None, shape=None):
    """An array a kernel can take.

    float32 and float64 keep their precision, float16 and integers become float32, a list is what NumPy makes of it.
    Nothing is copied when the array is C-contiguous in the right type already.

    Parameters
    ----------
    array : array-like
        What the caller gave.
    name : str
        The argument's name, for errors.
    dtype : dtype or None
        The precision of the call's other arrays; a float array of another precision is an error.
    ndim : int or tuple of int or None
        Number of axes wanted.
    shape : tuple of (int or None) or None
        Lengths wanted; None in a place takes any.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    TypeError
        If the values are not real numbers, or of another float precision than `dtype`.
    ValueError
        If the number of axes or a length is wrong.
    """
    is_float = type(array) is np.ndarray and array.flags.carray and array.dtype in FLOATS
    if is_float and (dtype is None or array.dtype == dtype):  # not `in`: NumPy's float64 equals None
        check_shape(array, name, ndim=ndim, shape=shape)
        return array  # as most are
    if isinstance(array, DeviceArray):
        return _canonical_on_device(array, name, dtype, ndim, shape)
    given = array
    array = _as_array(array, name)
    precision = np.dtype(array.dtype.type)  # in the machine's byte order
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"{name}: got dtype {array.dtype}, wanted real numbers (float32 or float64)")
    if dtype is not None and isinstance(given, np.ndarray) and precision in FLOATS and precision != dtype:
        raise TypeError(f"{name}: got {array.dtype}, wanted {np.dtype(dtype)} like the other arrays of the call")
    check_shape(array, name, ndim=ndim, shape=shape)
    if dtype is None:
        dtype = precision if precision in FLOATS else np.float32
    return _one_type(np.asarray(array, dtype=dtype, order="C"))


def _canonical_on_device(array, name, dtype, ndim, shape):
    """An array on the device is C-contiguous; it has to have the right precision, as nothing is copied unseen."""
    if array.dtype not in FLOATS or (dtype is not None and array.dtype != dtype):
        wanted = "float32 or float64" if dtype is None else f"{np.dtype(dtype)} like the other arrays of the call"
        raise TypeError(f"{name}: got {array.dtype} on the device, wanted {wanted}")
    check_shape(array, name, ndim=ndim, shape=shape)
    return array


def canonical_integers(array, name, *, ndim=None, shape=None):
    """An array of integers as C-contiguous int64.

    Raises
    ------
    TypeError
        If the values are not integers.
    ValueError
        If the number of axes or a length is wrong.
    """
    array = _as_array(array, name)
    if array.dtype.kind not in "iub" and array.size:
        raise TypeError(f"{name}: got dtype {array.dtype}, wanted integers")
    check_shape(array, name, ndim=ndim, shape=shape)
    return _one_type(np.asarray(array, dtype=np.int64, order="C"))


def _as_array(values, name):
    """`np.asarray`, with an error that names the argument where rows are of unequal length."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name}: got rows of unequal length, wanted an array") from error


class _Window:
    """A window on an array's memory that NumPy sees as writable."""

    def __init__(self, array):
        address, _read_only = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}
        self.array = array  # keeps the memory alive


def _one_type(array):
    """The same values as an aligned array without the read-only mark.

    Numba compiles a kernel anew for read-only arrays (joblib's memory maps) and for unaligned ones. Kernels never write
    to their inputs, so the mark can go.
    """
    if not array.flags.aligned:
        return array.copy()
    return array if array.flags.writeable else np.asarray(_Window(array))


def check_shape(array, name, *, ndim=None, shape=None):
    """Raise ValueError unless the array has the number of axes and the lengths wanted."""
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if allowed is not None and array.ndim not in allowed:
        wanted = " or ".join(str(n) for n in allowed)
        raise ValueError(f"{name}: got {array.ndim} axes, shape {array.shape}, wanted {wanted} axes")
    if shape is not None and (
        array.ndim != len(shape)
        or any(want is not None and got != want for got, want in zip(array.shape, shape, strict=True))
    ):
        wanted = "(" + ", ".join("any" if want is None else str(want) for want in shape) + ")"
        raise ValueError(f"{name}: got shape {array.shape}, wanted {wanted}")
