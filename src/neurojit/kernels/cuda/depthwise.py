"""Convolutions of few channels a group, a number of the result a thread; arrays as in conv.py.

Neighbouring threads have neighbouring channels, so that a warp's loads are of neighbouring numbers.
"""

from neurojit.core.cuda import Floats, Int, Ints, Launch, Matrix, Triple, cuda, cuda_kernel, quotient
from neurojit.kernels.cuda.places import inside, pixel_of, place_of

THREADS = 256


def _plan(x, weight, start, y, displacement, images, size, run, grid, step, origin, spacing, out, columns, groups):
    return Launch(-(-images * grid[0] * grid[1] * grid[2] * groups * columns // THREADS), THREADS)


@cuda_kernel(_plan, registers=64)
def correlate(
    x: Floats,
    weight: Floats,
    start: Floats,
    y: Floats,
    displacement: Ints,
    images: Int,
    size: Triple,
    run: Int,
    grid: Triple,
    step: Triple,
    origin: Triple,
    spacing: Triple,
    out: Triple,
    columns: Int,
    groups: Int,
):
    """y = start + sum over taps of x @ weight."""
    i, row_length, channels = cuda.grid(1), groups * columns, groups * run
    if i >= images * grid[0] * grid[1] * grid[2] * row_length:
        return
    position = quotient(i, row_length)
    to = i - position * row_length
    first = quotient(to, columns) * run
    place = place_of(position, grid)
    image, d, e, f = place[0], step[0] * place[1], step[1] * place[2], step[2] * place[3]
    s = start[to] if start.size > 0 else x.dtype.type(0)
    for tap in range(displacement.size // 3):
        u, v, w = displacement[3 * tap], displacement[3 * tap + 1], displacement[3 * tap + 2]
        pixel = inside(image, d + u, e + v, f + w, size)
        if pixel >= 0:
            for c in range(run):
                s += x[pixel * channels + first + c] * weight[(tap * run + c) * row_length + to]
    y[pixel_of(place, origin, spacing, out) * row_length + to] = s


def _weight_plan(x, dy, partial, displacement, images, size, run, grid, step, columns, groups, share):
    return Launch((-(-partial.shape[1] // THREADS), partial.shape[0]), THREADS)


@cuda_kernel(_weight_plan, registers=64)
def correlate_weight_gradient(
    x: Floats,
    dy: Floats,
    partial: Matrix,
    displacement: Ints,
    images: Int,
    size: Triple,
    run: Int,
    grid: Triple,
    step: Triple,
    columns: Int,
    groups: Int,
    share: Int,
):
    """partial[split] = for every weight the sum of x dy over the `share` rows of positions of the split."""
    i, row_length, channels = cuda.grid(1), groups * columns, groups * run
    if i >= partial.shape[1]:
        return
    term = quotient(i, row_length)
    to = i - term * row_length
    tap = quotient(term, run)
    channel = quotient(to, columns) * run + term - tap * run
    u, v, w = displacement[3 * tap], displacement[3 * tap + 1], displacement[3 * tap + 2]
    s = x.dtype.type(0)
    begin = cuda.blockIdx.y * share
    for row in range(begin, min(begin + share, images * grid[0] * grid[1])):
        slab = quotient(row, grid[1])
        image = quotient(slab, grid[0])
        d, e = step[0] * (slab - image * grid[0]) + u, step[1] * (row - slab * grid[1]) + v
        for k in range(grid[2]):
            pixel = inside(image, d, e, step[2] * k + w, size)
            if pixel >= 0:
                s += x[pixel * channels + channel] * dy[(row * grid[2] + k) * row_length + to]
    partial[cuda.blockIdx.y, i] = s
