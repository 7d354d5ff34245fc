"""Unpooling: the way back from a maximum to where it was."""

import math

import numpy as np

from neurojit.core.arrays import canonical, check_shape
from neurojit.core.cuda import device_empty, on_device, to_device
from neurojit.core.memory import empty, empty_like
from neurojit.core.shapes import integers
from neurojit.functional.op import op
from neurojit.kernels.cpu import unpool as kernels
from neurojit.kernels.cuda import unpool as device_kernels

_MOST_POSITIONS = 2**31


def _check(y, switches, spatial_shape, rank):
    """Canonical y and switches, and the shape of the result."""
    y = canonical(y, "y", ndim=rank + 2)
    spatial = integers(spatial_shape, "spatial_shape", rank)
    positions = math.prod(spatial)
    if positions >= _MOST_POSITIONS:
        raise ValueError(f"spatial_shape: got {spatial}, {positions} positions, wanted fewer than 2**31")
    switches = _check_switches(switches, y, positions)
    return y, switches, (y.shape[0], *spatial, y.shape[-1])


def _check_switches(switches, y, positions):
    """The switches as int32 where y is; each is a place, or -1."""
    switches = switches if on_device(switches) else np.asarray(switches)
    if switches.dtype.kind not in "iu":
        raise TypeError(f"switches: got dtype {switches.dtype}, wanted integers")
    check_shape(switches, "switches", shape=y.shape)
    if on_device(switches) != on_device(y):
        raise TypeError("switches: got y and switches in different places, wanted both on the host or on the device")
    if on_device(switches) and switches.dtype != np.int32:
        raise TypeError(f"switches: got {switches.dtype} on the device, wanted int32 as max_pool returns them")
    least, largest = _extremes(switches) if switches.size else (0, -1)
    if not least >= -1 or largest >= positions:
        wrong = least if least < -1 else largest
        raise ValueError(f"switches: got {wrong}, wanted 0 to {positions - 1} (or -1 for a window with no input)")
    return switches if on_device(switches) else np.ascontiguousarray(switches, np.int32)


def _extremes(switches):
    """The least and the largest switch."""
    if not on_device(switches):
        return switches.min(), switches.max()
    bounds = to_device(np.array([np.iinfo(np.int32).max, np.iinfo(np.int32).min], np.int32))
    device_kernels.extremes(switches.reshape(-1), bounds)
    return bounds.numpy().tolist()


def _rows(array):
    """An array as the kernels take it, (n, positions, channels)."""
    return array.reshape(array.shape[0], math.prod(array.shape[1:-1]), array.shape[-1])


def _unpool(y, switches, shape):
    """The result and who has each of its places."""
    if on_device(y):
        return _device_unpool(y, switches, shape)
    owner, x = empty(shape, np.int32), empty(shape, y.dtype)
    kernels.unpool(_rows(y), _rows(switches), _rows(owner), _rows(x))
    return x, owner


def _device_unpool(y, switches, shape):
    owner, x = device_empty(shape, np.int32), device_empty(shape, y.dtype)
    numbers = _numbers(y, shape)
    device_kernels.disown(owner.reshape(-1))
    device_kernels.claim(switches.reshape(-1), *numbers, owner.reshape(-1))
    device_kernels.put(y.reshape(-1), owner.reshape(-1), *numbers, x.reshape(-1))
    return x, owner


def _numbers(y, shape):
    """Windows and positions of an image, and channels."""
    return math.prod(y.shape[1:-1]), math.prod(shape[1:-1]), y.shape[-1]


def _unpool_backward(dx, switches, owner, dy):
    if on_device(dx):
        flat = (array.reshape(-1) for array in (dx, switches, owner))
        device_kernels.take(*flat, *_numbers(dy, dx.shape), dy.reshape(-1))
    else:
        kernels.unpool_backward(_rows(dx), _rows(switches), _rows(owner), _rows(dy))


def _unpool_vjp(y, switches, spatial_shape, rank):
    y, switches, shape = _check(y, switches, spatial_shape, rank)
    x, owner = _unpool(y, switches, shape)

    def pullback(dx, wrt):
        if not wrt[0]:
            return (None,)
        dy = empty_like(y)
        _unpool_backward(dx, switches, owner, dy)
        return (dy,)

    return x, pullback


@op("y")
def max_unpool2d(y, switches, *, spatial_shape):
    """Put every value back where its maximum was, with zeros around it.

    The unpooling of Zeiler and Fergus, "Visualizing and understanding convolutional networks" (ECCV 2014), section 2.1:
    x[n, switches[n, i, j, c], c] = y[n, i, j, c], places being counted along the rows of the plane.

    Parameters
    ----------
    y : array, shape (n, height, width, channels)
        float32 or float64.
    switches : array of int, shape of `y`
        h_index * width + w_index in the result, as `max_pool2d` returns them; -1 goes nowhere.
    spatial_shape : int or (int, int)
        Height and width of the result.

    Returns
    -------
    array, shape (n, height, width, channels)
        Where windows overlap and name one place, it has the value of the last of them.

    Raises
    ------
    TypeError
        If `y` is not of real numbers or `switches` not of integers.
    ValueError
        If shapes differ, or a switch is not a place of the result.

    Notes
    -----
    The pullback takes dx at each switch, and 0 for a window whose place another one has.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> image = np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
    >>> F.max_unpool2d(*F.max_pool2d(image, 2, return_switches=True), spatial_shape=2)[0, :, :, 0]
    array([[0., 4.],
           [0., 0.]])
    """
    return _unpool(*_check(y, switches, spatial_shape, rank=2))[0]


@max_unpool2d.define_vjp
def _max_unpool2d_vjp(y, switches, *, spatial_shape):
    return _unpool_vjp(y, switches, spatial_shape, rank=2)


@op("y")
def max_unpool1d(y, switches, *, spatial_shape):
    """Put every value back where its maximum was, with zeros around it.

    Parameters
    ----------
    y : array, shape (n, length, channels)
        float32 or float64.
    switches : array of int, shape of `y`
        Places in the flattened signal, as `max_pool1d` returns them; -1 goes nowhere.
    spatial_shape : int
        Length of the result.

    Returns
    -------
    array, shape (n, length, channels)

    Raises
    ------
    TypeError, ValueError
        As `max_unpool2d`.

    Notes
    -----
    The equations are those of `max_unpool2d` with one spatial axis less.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.max_unpool1d(np.array([5.0]).reshape(1, 1, 1), np.array([2]).reshape(1, 1, 1), spatial_shape=4).ravel()
    array([0., 0., 5., 0.])
    """
    return _unpool(*_check(y, switches, spatial_shape, rank=1))[0]


@max_unpool1d.define_vjp
def _max_unpool1d_vjp(y, switches, *, spatial_shape):
    return _unpool_vjp(y, switches, spatial_shape, rank=1)


@op("y")
def max_unpool3d(y, switches, *, spatial_shape):
    """Put every value back where its maximum was, with zeros around it.

    Parameters
    ----------
    y : array, shape (n, depth, height, width, channels)
        float32 or float64.
    switches : array of int, shape of `y`
        Places in the flattened volume, as `max_pool3d` returns them; -1 goes nowhere.
    spatial_shape : int or (int, int, int)
        Depth, height and width of the result.

    Returns
    -------
    array, shape (n, depth, height, width, channels)

    Raises
    ------
    TypeError, ValueError
        As `max_unpool2d`.

    Notes
    -----
    The equations are those of `max_unpool2d` with one spatial axis more.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> one = np.ones((1, 1, 1, 1, 1))
    >>> F.max_unpool3d(one, np.full(one.shape, 3), spatial_shape=(2, 2, 1)).ravel()
    array([0., 0., 0., 1.])
    """
    return _unpool(*_check(y, switches, spatial_shape, rank=3))[0]


@max_unpool3d.define_vjp
def _max_unpool3d_vjp(y, switches, *, spatial_shape):
    return _unpool_vjp(y, switches, spatial_shape, rank=3)
