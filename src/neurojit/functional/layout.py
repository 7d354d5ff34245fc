"""Axes exchanged and arrays joined, wherever they are."""

import math

import numpy as np

from neurojit.core.cuda import device_empty, on_device
from neurojit.functional.device_rows import cut_columns, joined_columns
from neurojit.functional.devices import taken
from neurojit.kernels.cuda import layout as kernels


def with_axis_last(array, axis):
    """An array on the device with one axis moved behind all others."""
    before, length, after = array.shape[:axis], array.shape[axis], array.shape[axis + 1 :]
    return _exchanged(array, length, math.prod(after)).reshape(*before, *after, length)


def with_last_axis_at(array, axis):
    """An array on the device with its last axis moved to a place: the way back from `with_axis_last`."""
    before, after, length = array.shape[:axis], array.shape[axis:-1], array.shape[-1]
    return _exchanged(array, math.prod(after), length).reshape(*before, length, *after)


def _exchanged(array, rows, columns):
    """The last rows * columns numbers of an array, again and again, as matrices that are transposed."""
    if 1 in (rows, columns) or array.size == 0:
        return array
    result = device_empty(array.size, array.dtype)
    kernels.exchange_axes(array.reshape(-1), rows, columns, result)
    return result


def with_axes_last(array, axes):
    """An array on the device with several axes moved behind all others, in their order."""
    for place in _moves(array.ndim, axes):
        array = with_axis_last(array, place)
    return array


def with_last_axes_at(array, axes):
    """The way back from `with_axes_last`."""
    for place in reversed(_moves(array.ndim, axes)):
        array = with_last_axis_at(array, place)
    return array


def _moves(ndim, axes):
    """Where each of the axes is when its turn comes to be moved to the end; nothing where they are there."""
    if tuple(axes) == tuple(range(ndim - len(axes), ndim)):
        return []
    order, moves = list(range(ndim)), []
    for axis in axes:
        moves.append(order.index(axis))
        order.append(order.pop(moves[-1]))
    return moves


def joined(arrays):
    """Arrays side by side along their last axis."""
    arrays = [taken(array) for array in arrays]
    if not on_device(arrays[0]):
        return np.concatenate(arrays, axis=-1)
    return joined_columns(*arrays)


def parted(array, lengths):
    """An array cut along its last axis into parts of these lengths: the way back from `joined`."""
    if not on_device(array):
        return np.split(array, np.cumsum(lengths)[:-1], axis=-1)
    firsts = np.cumsum([0, *lengths[:-1]])
    return [cut_columns(array, int(first), length) for first, length in zip(firsts, lengths, strict=True)]
