"""Unpooling: every value goes to the place its switch names, and back.

y and dy are (n, windows, channels), switches like them in int32, x and dx (n, positions, channels). Where several
windows of an image name one place, the last of them has it: owner, of the shape of x in int32, says which; -1 is none.
"""

from neurojit.core.jit import kernel, parallel_kernel, prange


@kernel
def _unpool(y, switches, owner, x):
    owner[:] = -1
    for window in range(y.shape[0]):
        for c in range(y.shape[1]):
            if switches[window, c] >= 0:
                owner[switches[window, c], c] = window
    for place in range(x.shape[0]):
        for c in range(x.shape[1]):
            window = owner[place, c]
            x[place, c] = y[window, c] if window >= 0 else y.dtype.type(0)


@parallel_kernel
def unpool(y, switches, owner, x):
    """x = y at the switches, 0 elsewhere; fills `owner`."""
    for n in prange(y.shape[0]):
        _unpool(y[n], switches[n], owner[n], x[n])


@kernel
def _unpool_backward(dx, switches, owner, dy):
    for window in range(dy.shape[0]):
        for c in range(dy.shape[1]):
            place = switches[window, c]
            has_it = place >= 0 and owner[place, c] == window
            dy[window, c] = dx[place, c] if has_it else dx.dtype.type(0)


@parallel_kernel
def unpool_backward(dx, switches, owner, dy):
    """dy = dx at the switch of every window that has its place, 0 for the others."""
    for n in prange(dy.shape[0]):
        _unpool_backward(dx[n], switches[n], owner[n], dy[n])
