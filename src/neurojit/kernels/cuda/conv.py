"""Convolution as a matrix product whose matrix of windows is never made: forward, to data, to weights.

As in kernels/cpu/conv.py, positions q of three spatial axes make

    y[n, origin + spacing q] = start + sum over taps t of x[n, step q + displacement[t]] @ weight[t]

forward with displacement = dilation k - padding, and to data phase by phase with dy in place of x. All arrays are flat:
x (n, *size, groups * run), weight (taps, run, groups * columns), start (groups * columns,) or of no length for zeros,
y (n, *out, groups * columns), displacement (taps, 3) int32. The gradient to the weights is, tap by tap, the sum over
positions of x[n, step q + displacement[t]]^T dy[n, q], which several blocks share: partial (splits, weights) takes the
sum over the `share` positions of each. It is the product of a matrix (positions, taps * run) by
one (taps * run, columns), group by group.

A block of 256 threads makes a tile of the product of 64 or 128 rows and columns: slices of 16 of the sum's terms are
copied into shared memory, the next one fetched into registers while this one is multiplied, and a thread keeps 4 x 4 or
8 x 8 sums in registers. In `_vector` kernels run and columns are multiples of 4, and all loads take 16 bytes.
"""

from neurojit.core.cuda import (
    Floats,
    Int,
    Ints,
    Launch,
    Matrix,
    Triple,
    cuda,
    cuda_kernel,
    device_function,
    load4,
    quotient,
    store4,
)
from neurojit.kernels.cuda.places import inside, pixel_of, place_of

THREADS = 256
DEPTH = 16  # terms of a slice
PAD = 4  # columns of shared memory beside a slice that is stored across: threads of a warp then meet in fewer banks


def _tiles(count, tile):
    return -(-count // tile)


# -- what both products are made of -----------------------------------------------------------------------------------


@device_function
def _pixel(displacement, tap, place, size):
    """The pixel that a tap sees at a place, -1 where it sees none: past the border, or at no place."""
    if place[0] < 0:
        return -1
    d, e, f = displacement[3 * tap], displacement[3 * tap + 1], displacement[3 * tap + 2]
    return inside(place[0], place[1] + d, place[2] + e, place[3] + f, size)


@device_function
def _seen_vector(x, displacement, term, terms, place, size, run, channels, first):
    """Terms `term` to `term` + 3 of a window: neighbouring channels under one tap."""
    tap, pixel, zero = quotient(term, run), -1, x.dtype.type(0)
    if term < terms:
        pixel = _pixel(displacement, tap, place, size)
    return load4(x, pixel * channels + first + term - tap * run) if pixel >= 0 else (zero, zero, zero, zero)


@device_function
def _seen_one(x, displacement, term, terms, place, size, run, channels, first):
    tap, pixel = quotient(term, run), -1
    if term < terms:
        pixel = _pixel(displacement, tap, place, size)
    return x[pixel * channels + first + term - tap * run] if pixel >= 0 else x.dtype.type(0)


@device_function
def _seen(x, displacement, term, terms, place, size, run, channels, first):
    """The same where channels come in other numbers than fours: each term may have a tap of its own."""
    return (
        _seen_one(x, displacement, term, terms, place, size, run, channels, first),
        _seen_one(x, displacement, term + 1, terms, place, size, run, channels, first),
        _seen_one(x, displacement, term + 2, terms, place, size, run, channels, first),
        _seen_one(x, displacement, term + 3, terms, place, size, run, channels, first),
    )


@device_function
def _row_vector(array, at, count):
    """Four numbers of a row with `count` left, zeros past its end."""
    zero = array.dtype.type(0)
    return load4(array, at) if count > 0 else (zero, zero, zero, zero)


@device_function
def _row(array, at, count):
    zero = array.dtype.type(0)
    return (
        array[at] if count > 0 else zero,
        array[at + 1] if count > 1 else zero,
        array[at + 2] if count > 2 else zero,
        array[at + 3] if count > 3 else zero,
    )


@device_function
def _put(array, h, v):
    """array[4 h : 4 h + 4] = v, of an array in registers."""
    array[4 * h], array[4 * h + 1], array[4 * h + 2], array[4 * h + 3] = v[0], v[1], v[2], v[3]


@device_function
def _four(array, h):
    return array[4 * h], array[4 * h + 1], array[4 * h + 2], array[4 * h + 3]


def _multiplication(halves, pitch):
    """total += the products of two slices, for the sums of one thread."""
    sums = 4 * halves

    @device_function
    def multiply(left_slice, right_slice, total):
        left, right = cuda.local.array(sums, total.dtype), cuda.local.array(sums, total.dtype)
        thread = cuda.threadIdx.x
        for term in range(DEPTH):
            for h in range(halves):
                _put(left, h, load4(left_slice, term * pitch + 64 * h + 4 * (thread >> 4)))
                _put(right, h, load4(right_slice, term * pitch + 64 * h + 4 * (thread & 15)))
            for i in range(sums):
                for j in range(sums):
                    total[i, j] += left[i] * right[j]

    return multiply


# -- forward, and gradient to data ------------------------------------------------------------------------------------


def _correlate_plan(tile):
    def plan(x, weight, start, y, displacement, images, size, run, grid, step, origin, spacing, out, columns, groups):
        positions = images * grid[0] * grid[1] * grid[2]
        return Launch((_tiles(positions, tile), _tiles(columns, tile), groups), THREADS)

    return plan


def _correlate(name, halves, is_vector, registers):
    """The kernel with tiles of 64 * halves rows and columns."""
    tile, sums = 64 * halves, 4 * halves
    pitch, slice_size = tile + PAD, DEPTH * (tile + PAD)
    seen, row_of = (_seen_vector, _row_vector) if is_vector else (_seen, _row)
    multiply = _multiplication(halves, pitch)
    fours = tile // 4  # loads of 16 bytes in a row of weights
    term_step = 1024 // tile  # rows that all threads load at once

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
        window_slice = cuda.shared.array(slice_size, x.dtype)
        weight_slice = cuda.shared.array(slice_size, x.dtype)
        total = cuda.local.array((sums, sums), x.dtype)
        next_left, next_right = cuda.local.array(sums, x.dtype), cuda.local.array(sums, x.dtype)
        image, depth = cuda.local.array(halves, "int32"), cuda.local.array(halves, "int32")
        height, width = cuda.local.array(halves, "int32"), cuda.local.array(halves, "int32")
        zero = x.dtype.type(0)
        thread, group = cuda.threadIdx.x, cuda.blockIdx.z
        first_row, first_column = tile * cuda.blockIdx.x, tile * cuda.blockIdx.y
        positions, terms = images * grid[0] * grid[1] * grid[2], displacement.size // 3 * run
        channels, row_length = groups * run, groups * columns
        # What this thread copies: four terms of a row of windows, and four columns of a row of weights.
        own_row, own_term = thread >> 2, 4 * (thread & 3)
        weight_row, weight_column = thread // fours, 4 * (thread % fours)
        for h in range(halves):
            row = first_row + 64 * h + own_row
            place = place_of(row, grid)
            image[h] = place[0] if row < positions else -1
            depth[h], height[h], width[h] = step[0] * place[1], step[1] * place[2], step[2] * place[3]
        for i in range(sums):
            for j in range(sums):
                total[i, j] = zero
        for first_term in range(-DEPTH, terms, DEPTH):
            if first_term >= 0:
                for h in range(halves):
                    store4(weight_slice, (weight_row + term_step * h) * pitch + weight_column, _four(next_right, h))
                    for k in range(4):
                        window_slice[(own_term + k) * pitch + 64 * h + own_row] = next_left[4 * h + k]
            cuda.syncthreads()
            after = first_term + DEPTH
            if after < terms:
                for h in range(halves):
                    place, term = (image[h], depth[h], height[h], width[h]), after + own_term
                    v = seen(x, displacement, term, terms, place, size, run, channels, group * run)
                    _put(next_left, h, v)
                    term, column = after + weight_row + term_step * h, first_column + weight_column
                    left_over = columns - column if term < terms else 0
                    _put(next_right, h, row_of(weight, term * row_length + group * columns + column, left_over))
            if first_term >= 0:
                multiply(window_slice, weight_slice, total)
            cuda.syncthreads()
        for h in range(halves):
            for i in range(4):
                row = first_row + 64 * h + 4 * (thread >> 4) + i
                if row < positions:
                    pixel = pixel_of(place_of(row, grid), origin, spacing, out)
                    for g in range(halves):
                        column = first_column + 64 * g + 4 * (thread & 15)
                        to = group * columns + column
                        if is_vector:
                            if column < columns:
                                v = (zero, zero, zero, zero)
                                if start.size > 0:
                                    v = load4(start, to)
                                a, b = total[4 * h + i, 4 * g] + v[0], total[4 * h + i, 4 * g + 1] + v[1]
                                c, d = total[4 * h + i, 4 * g + 2] + v[2], total[4 * h + i, 4 * g + 3] + v[3]
                                store4(y, pixel * row_length + to, (a, b, c, d))
                        else:
                            for k in range(4):
                                if column + k < columns:
                                    shift = start[to + k] if start.size > 0 else zero
                                    y[pixel * row_length + to + k] = total[4 * h + i, 4 * g + k] + shift

    correlate.__name__ = correlate.__qualname__ = name
    wide_loads = 4 * halves if is_vector else 2 * halves
    return cuda_kernel(_correlate_plan(tile), registers=registers, threads=THREADS, wide_loads=wide_loads)(correlate)


correlate = _correlate("correlate", 1, False, registers=72)
correlate_vector = _correlate("correlate_vector", 1, True, registers=64)
correlate_vector_large = _correlate("correlate_vector_large", 2, True, registers=128)


# -- gradient to the weights ------------------------------------------------------------------------------------------


def _weight_plan(tile):
    def plan(x, dy, partial, displacement, images, size, run, grid, step, columns, groups, share):
        rows, splits = displacement.size // 3 * run, partial.shape[0]
        return Launch((_tiles(rows, tile), _tiles(columns, tile), groups * splits), THREADS)

    return plan


def _correlate_weight_gradient(name, halves, is_vector, registers):
    """The kernel with tiles of 64 * halves rows and columns; the terms of its sums are positions."""
    tile, sums = 64 * halves, 4 * halves
    slice_size, fours, term_step = DEPTH * tile, tile // 4, 1024 // tile
    seen, row_of = (_seen_vector, _row_vector) if is_vector else (_seen, _row)
    multiply = _multiplication(halves, tile)

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
        seen_slice = cuda.shared.array(slice_size, x.dtype)
        dy_slice = cuda.shared.array(slice_size, x.dtype)
        total = cuda.local.array((sums, sums), x.dtype)
        next_left, next_right = cuda.local.array(sums, x.dtype), cuda.local.array(sums, x.dtype)
        zero = x.dtype.type(0)
        thread = cuda.threadIdx.x
        split = quotient(cuda.blockIdx.z, groups)
        group = cuda.blockIdx.z - split * groups
        first_row, first_column = tile * cuda.blockIdx.x, tile * cuda.blockIdx.y
        rows, channels, row_length = displacement.size // 3 * run, groups * run, groups * columns
        begin = split * share
        end = min(begin + share, images * grid[0] * grid[1] * grid[2])
        # What this thread copies: four rows (neighbouring channels under a tap) and four columns of a position.
        own_term, own_row = thread // fours, first_row + 4 * (thread % fours)
        own_column = first_column + 4 * (thread % fours)
        for i in range(sums):
            for j in range(sums):
                total[i, j] = zero
        for first_term in range(begin - DEPTH, end, DEPTH):
            if first_term >= begin:
                for h in range(halves):
                    to = (own_term + term_step * h) * tile + 4 * (thread % fours)
                    store4(seen_slice, to, _four(next_left, h))
                    store4(dy_slice, to, _four(next_right, h))
            cuda.syncthreads()
            after = first_term + DEPTH
            if after < end:
                for h in range(halves):
                    term = after + own_term + term_step * h
                    is_term = term < end
                    image, d, e, f = place_of(term if is_term else begin, grid)
                    place = image if is_term else -1, step[0] * d, step[1] * e, step[2] * f
                    v = seen(x, displacement, own_row, rows, place, size, run, channels, group * run)
                    _put(next_left, h, v)
                    left_over = columns - own_column if is_term else 0
                    _put(next_right, h, row_of(dy, term * row_length + group * columns + own_column, left_over))
            if first_term >= begin:
                multiply(seen_slice, dy_slice, total)
            cuda.syncthreads()
        for h in range(halves):
            for i in range(4):
                row = first_row + 64 * h + 4 * (thread >> 4) + i
                for g in range(halves):
                    for k in range(4):
                        column = first_column + 64 * g + 4 * (thread & 15) + k
                        if row < rows and column < columns:
                            partial[split, row * row_length + group * columns + column] = total[4 * h + i, 4 * g + k]

    correlate_weight_gradient.__name__ = correlate_weight_gradient.__qualname__ = name
    wide_loads = 4 * halves if is_vector else 2 * halves
    plan = _weight_plan(tile)
    return cuda_kernel(plan, registers=registers, threads=THREADS, wide_loads=wide_loads)(correlate_weight_gradient)


correlate_weight_gradient = _correlate_weight_gradient("correlate_weight_gradient", 1, False, registers=80)
correlate_weight_gradient_vector = _correlate_weight_gradient("correlate_weight_gradient_vector", 1, True, registers=72)
correlate_weight_gradient_vector_large = _correlate_weight_gradient(
    "correlate_weight_gradient_vector_large", 2, True, registers=128
)
