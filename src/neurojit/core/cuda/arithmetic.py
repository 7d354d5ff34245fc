"""What arrays on the device can do by themselves: be added, and be multiplied by a number."""

from neurojit.core.cuda.array import DeviceArray, device_empty_like
from neurojit.core.cuda.language import Float, Floats, cuda, load4, store4
from neurojit.core.cuda.registry import Launch, cuda_kernel

THREADS = 256


def _each4(x, *others):
    return Launch(-(-x.size // (4 * THREADS)), THREADS)


@cuda_kernel(_each4, registers=40, wide_loads=2)
def add(x: Floats, other: Floats, y: Floats):
    """y = x + other."""
    i = 4 * cuda.grid(1)
    if i + 4 <= x.size:
        a, b = load4(x, i), load4(other, i)
        store4(y, i, (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]))
    else:
        for k in range(i, x.size):
            y[k] = x[k] + other[k]


@cuda_kernel(_each4, registers=40, wide_loads=1)
def scale(x: Floats, factor: Float, y: Floats):
    """y = factor x."""
    i = 4 * cuda.grid(1)
    if i + 4 <= x.size:
        a = load4(x, i)
        store4(y, i, (factor * a[0], factor * a[1], factor * a[2], factor * a[3]))
    else:
        for k in range(i, x.size):
            y[k] = factor * x[k]


@cuda_kernel(_each4, registers=24)
def fill(x: Floats, value: Float):
    """x = value."""
    i = 4 * cuda.grid(1)
    if i + 4 <= x.size:
        store4(x, i, (value, value, value, value))
    else:
        for k in range(i, x.size):
            x[k] = value


def total(x, other):
    """x + other, of arrays of one shape."""
    if not isinstance(other, DeviceArray) or (other.shape, other.dtype) != (x.shape, x.dtype):
        raise TypeError(f"other: got {other!r}, wanted an array on the device of shape {x.shape} and dtype {x.dtype}")
    y = device_empty_like(x)
    add(x.reshape(-1), other.reshape(-1), y.reshape(-1))
    return y


def multiple(x, factor):
    """factor x, for a number."""
    y = device_empty_like(x)
    scale(x.reshape(-1), float(factor), y.reshape(-1))
    return y
