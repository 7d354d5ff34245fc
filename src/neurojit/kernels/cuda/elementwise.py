"""Kernels that make each number of a result from the numbers at its place, four of them a thread.

x, y and whatever else is an array are 1-D and of one length; a, b, c are numbers. Loads and stores are of 16 bytes, but
for the last few numbers.
"""

from neurojit.core.cuda import Float, Floats, Launch, cuda, cuda_kernel, load4, store4

THREADS = 256


def each4(x, *others):
    """A thread for every four numbers."""
    return Launch(-(-x.size // (4 * THREADS)), THREADS)


def _registered(function, name, home, wide_loads):
    function.__name__ = function.__qualname__ = name
    function.__module__ = home
    return cuda_kernel(each4, registers=40, threads=THREADS, wide_loads=wide_loads)(function)


def of_one(f, name, home, numbers=0):
    """The kernel y = f(x), or y = f(x, a, ...) with so many `numbers`."""

    def plain(x: Floats, y: Floats):
        i = 4 * cuda.grid(1)
        if i + 4 <= x.size:
            v = load4(x, i)
            store4(y, i, (f(v[0]), f(v[1]), f(v[2]), f(v[3])))
        else:
            for k in range(i, x.size):
                y[k] = f(x[k])

    def with_one(x: Floats, a: Float, y: Floats):
        i = 4 * cuda.grid(1)
        if i + 4 <= x.size:
            v = load4(x, i)
            store4(y, i, (f(v[0], a), f(v[1], a), f(v[2], a), f(v[3], a)))
        else:
            for k in range(i, x.size):
                y[k] = f(x[k], a)

    def with_two(x: Floats, a: Float, b: Float, y: Floats):
        i = 4 * cuda.grid(1)
        if i + 4 <= x.size:
            v = load4(x, i)
            store4(y, i, (f(v[0], a, b), f(v[1], a, b), f(v[2], a, b), f(v[3], a, b)))
        else:
            for k in range(i, x.size):
                y[k] = f(x[k], a, b)

    def with_three(x: Floats, a: Float, b: Float, c: Float, y: Floats):
        i = 4 * cuda.grid(1)
        if i + 4 <= x.size:
            v = load4(x, i)
            store4(y, i, (f(v[0], a, b, c), f(v[1], a, b, c), f(v[2], a, b, c), f(v[3], a, b, c)))
        else:
            for k in range(i, x.size):
                y[k] = f(x[k], a, b, c)

    return _registered((plain, with_one, with_two, with_three)[numbers], name, home, wide_loads=1)


def of_two(f, name, home, numbers=0):
    """The kernel dx = f(dy, x), or dx = f(dy, x, a, ...) with so many `numbers`."""

    def plain(dy: Floats, x: Floats, dx: Floats):
        i = 4 * cuda.grid(1)
        if i + 4 <= dy.size:
            u, v = load4(dy, i), load4(x, i)
            store4(dx, i, (f(u[0], v[0]), f(u[1], v[1]), f(u[2], v[2]), f(u[3], v[3])))
        else:
            for k in range(i, dy.size):
                dx[k] = f(dy[k], x[k])

    def with_one(dy: Floats, x: Floats, a: Float, dx: Floats):
        i = 4 * cuda.grid(1)
        if i + 4 <= dy.size:
            u, v = load4(dy, i), load4(x, i)
            store4(dx, i, (f(u[0], v[0], a), f(u[1], v[1], a), f(u[2], v[2], a), f(u[3], v[3], a)))
        else:
            for k in range(i, dy.size):
                dx[k] = f(dy[k], x[k], a)

    def with_two(dy: Floats, x: Floats, a: Float, b: Float, dx: Floats):
        i = 4 * cuda.grid(1)
        if i + 4 <= dy.size:
            u, v = load4(dy, i), load4(x, i)
            store4(dx, i, (f(u[0], v[0], a, b), f(u[1], v[1], a, b), f(u[2], v[2], a, b), f(u[3], v[3], a, b)))
        else:
            for k in range(i, dy.size):
                dx[k] = f(dy[k], x[k], a, b)

    def with_three(dy: Floats, x: Floats, a: Float, b: Float, c: Float, dx: Floats):
        i = 4 * cuda.grid(1)
        if i + 4 <= dy.size:
            u, v = load4(dy, i), load4(x, i)
            near, far = (
                (f(u[0], v[0], a, b, c), f(u[1], v[1], a, b, c)),
                (f(u[2], v[2], a, b, c), f(u[3], v[3], a, b, c)),
            )
            store4(dx, i, (near[0], near[1], far[0], far[1]))
        else:
            for k in range(i, dy.size):
                dx[k] = f(dy[k], x[k], a, b, c)

    return _registered((plain, with_one, with_two, with_three)[numbers], name, home, wide_loads=2)
