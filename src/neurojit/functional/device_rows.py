"""Rows of arrays on the device: taken by number, cut and put side by side, repeated."""

import numpy as np

from neurojit.core.cuda import device_empty, device_empty_like, to_device
from neurojit.kernels.cuda import embedding, parts


def taken_rows(table, numbers, start=None):
    """Row numbers[k] of a table (rows, width) plus `start` for every k, zeros where the number is below zero.

    Parameters
    ----------
    table : DeviceArray
    numbers : numpy.ndarray of int, of any shape, or DeviceArray of int32
    start : DeviceArray, shape (width,), or None
    """
    y = device_empty((*numbers.shape, table.shape[-1]), table.dtype)
    numbers = to_device(numbers.astype(np.int32)) if isinstance(numbers, np.ndarray) else numbers
    start = device_empty(0, table.dtype) if start is None else start
    embedding.take_rows(numbers.reshape(-1), table.reshape(-1), start.reshape(-1), y.reshape(-1))
    return y


def taken_entries(x, numbers):
    """Entries numbers[k] of x along its first axis, (*numbers.shape, ...), zeros where the number is below zero."""
    table = x.reshape(len(x), x.size // max(1, len(x)))
    return taken_rows(table, numbers).reshape(*numbers.shape, *x.shape[1:])


def summed_rows(numbers, dy, rows):
    """What `taken_rows` gives back to a table of so many rows: for each the sum of its dy, in their order."""
    numbers = numbers.reshape(-1)
    order, width = np.argsort(numbers, kind="stable"), dy.shape[-1]
    starts = np.searchsorted(numbers[order], np.arange(rows + 1))
    dtable = device_empty((rows, width), dy.dtype)
    tables = to_device(order.astype(np.int32)), to_device(starts.astype(np.int32))
    embedding.sum_rows(*tables, dy.reshape(-1), dtable.reshape(-1))
    return dtable


def repeated(row, count):
    """An array (count, *row.shape) of copies."""
    width = max(1, row.size)
    return taken_rows(row.reshape(1, width), np.zeros(count, np.int32)).reshape(count, *row.shape)


def cut_columns(x, first, count):
    """Columns first .. first + count of the last axis."""
    y = device_empty((*x.shape[:-1], count), x.dtype)
    if count:
        parts.copy_columns(x.reshape(-1), x.shape[-1], first, y.reshape(-1), count, 0, count)
    return y


def joined_columns(*arrays):
    """Arrays side by side along the last axis."""
    width, first = sum(x.shape[-1] for x in arrays), 0
    y = device_empty((*arrays[0].shape[:-1], width), arrays[0].dtype)
    for x in arrays:
        columns = x.shape[-1]
        parts.copy_columns(x.reshape(-1), columns, 0, y.reshape(-1), width, first, columns)
        first += columns
    return y


def scaled_steps(x, factor):
    """x (steps, *shape) times an array of that shape, step by step; x itself for a factor of no length."""
    if factor.size == 0:
        return x
    y = device_empty_like(x)
    parts.scale_steps(x.reshape(-1), factor.reshape(-1), y.reshape(-1))
    return y
