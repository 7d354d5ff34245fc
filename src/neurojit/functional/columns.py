"""How (rows, channels) arrays are cut for kernels/cpu/columns.py, and the sums over rows it makes."""

from neurojit.core.cuda import device_empty, on_device
from neurojit.core.memory import empty
from neurojit.kernels.cpu.chunks import CHUNK
from neurojit.kernels.cpu.columns import channel_sums
from neurojit.kernels.cuda import sums

_TILE = 512  # elements an inner loop should have at least


def tile_width(channels, least=_TILE):
    """Elements of a tile: so many rows of channels side by side that there are about `least`, or one row."""
    return channels * max(1, least // channels)


def block_width(width):
    """Elements of one block: whole tiles (`block_size` of kernels/cpu/columns.py)."""
    return width * max(1, CHUNK // width)


def block_count(size, width):
    """Number of blocks the kernels cut `size` elements into."""
    return -(-size // block_width(width))


def sum_over_rows(x):
    """Sum of x over all axes but the last, shape (channels,), in an order that depends on its shape alone."""
    channels = x.shape[-1]
    if on_device(x):
        return _device_sum_over_rows(x.reshape(-1), channels)
    width = tile_width(channels)
    partial = empty((block_count(x.size, width), width), x.dtype)
    channel_sums(x.reshape(-1), channels, partial)
    return partial[:, :channels].sum(axis=0)


_DEVICE_ROWS = 256  # rows that a block of threads sums up at least
_DEVICE_BLOCKS = 256


def _device_sum_over_rows(x, channels):
    rows = x.size // channels
    partial = device_empty((max(1, min(_DEVICE_BLOCKS, rows // _DEVICE_ROWS)), channels), x.dtype)
    sums.channel_sums(x, channels, partial)
    return over_parts(partial)


def over_parts(partial):
    """The sum of an array (parts, columns) on the device over its parts."""
    if len(partial) == 1:
        return partial.reshape(-1)
    total = device_empty(partial.shape[1], partial.dtype)
    sums.sum_partials(partial, total)
    return total
