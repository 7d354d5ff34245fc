"""Unpooling: every value goes to the place its switch names, and back; flat arrays as in kernels/cpu/unpool.py.

y and dy are (n, windows, channels), switches like them, x, dx and owner (n, positions, channels). Where several windows
of an image name one place, the last of them has it: the largest of their numbers, whichever thread comes first.
"""

import numpy as np

from neurojit.core.cuda import Floats, Int, Ints, Launch, cuda, cuda_kernel, device_function, quotient

THREADS = 256
_MOST_BLOCKS = 1024


def _each(size):
    return Launch(-(-size // THREADS), THREADS)


@cuda_kernel(lambda x, bounds: Launch(min(_MOST_BLOCKS, -(-x.size // THREADS)), THREADS), registers=32)
def extremes(x: Ints, bounds: Ints):
    """Widen bounds (2,) to the least and the largest number of x."""
    first = cuda.grid(1)
    if first < x.size:
        least = largest = x[first]
        for i in range(first + cuda.gridsize(1), x.size, cuda.gridsize(1)):
            least, largest = min(least, x[i]), max(largest, x[i])
        cuda.atomic.min(bounds, 0, least)
        cuda.atomic.max(bounds, 1, largest)


@cuda_kernel(lambda owner: _each(owner.size), registers=16)
def disown(owner: Ints):
    """owner = -1, nobody."""
    i = cuda.grid(1)
    if i < owner.size:
        owner[i] = -1


@device_function
def _windows_place(i, windows, channels):
    """Image, window and channel of a number of y."""
    row = quotient(i, channels)
    image = quotient(row, windows)
    return image, row - image * windows, i - row * channels


@cuda_kernel(lambda switches, windows, positions, channels, owner: _each(switches.size), registers=32)
def claim(switches: Ints, windows: Int, positions: Int, channels: Int, owner: Ints):
    """owner = the last window that names each place, where one does."""
    i = cuda.grid(1)
    if i < switches.size and switches[i] >= 0:
        image, window, c = _windows_place(i, windows, channels)
        cuda.atomic.max(owner, (image * positions + switches[i]) * channels + c, np.int32(window))


@cuda_kernel(lambda y, owner, windows, positions, channels, x: _each(x.size), registers=32)
def put(y: Floats, owner: Ints, windows: Int, positions: Int, channels: Int, x: Floats):
    """x = the value of the window that has the place, 0 where none has it."""
    i = cuda.grid(1)
    if i < x.size:
        image, _, c = _windows_place(i, positions, channels)
        window = owner[i]
        x[i] = y[(image * windows + window) * channels + c] if window >= 0 else x.dtype.type(0)


@cuda_kernel(lambda dx, switches, owner, windows, positions, channels, dy: _each(dy.size), registers=40)
def take(dx: Floats, switches: Ints, owner: Ints, windows: Int, positions: Int, channels: Int, dy: Floats):
    """dy = dx at the switch of every window that has its place, 0 for the others."""
    i = cuda.grid(1)
    if i >= dy.size:
        return
    image, window, c = _windows_place(i, windows, channels)
    s = dy.dtype.type(0)
    if switches[i] >= 0:
        at = (image * positions + switches[i]) * channels + c
        if owner[at] == window:
            s = dx[at]
    dy[i] = s
