"""Convolution of signs: +1 or -1 packed 32 to a word, multiplied by exclusive or and counted.

    y[p, o] = bias[o] + scale[p] alpha[o] (sum over taps t of sign(x[p, t]) . sign(w[t, :, o]))

A bit is 1 where the number is negative. Shapes, flat: words (pixels, per_tap) with per_tap = ceil(channels / 32) and
spare bits 0, filters (taps, per_tap, c_out), plain (taps, c_out) the sums each tap gives where it sees only zero bits,
y (positions, c_out), scale (positions,), displacement (taps, 3). Beside it stand the passes over numbers that the
signs' gradients need, which go straight through the signs.
"""

from neurojit.core.cuda import (
    Float,
    Floats,
    Int,
    Ints,
    Launch,
    Matrix,
    Triple,
    Words,
    cuda,
    cuda_kernel,
    device_function,
    load4,
    quotient,
)
from neurojit.kernels.cuda.elementary import ONE, ZERO
from neurojit.kernels.cuda.elementwise import of_two
from neurojit.kernels.cuda.places import inside, place_of
from neurojit.kernels.cuda.warps import ALL, warp_sum

THREADS = 256
WARPS = THREADS // 32
TILE, PITCH = 64, 68  # positions and filters of a block; words of shared memory from one row to the next
DEPTH = 8  # words that a block takes at a time
_SLICE = DEPTH * PITCH


def _each(size):
    return Launch(-(-size // THREADS), THREADS)


@cuda_kernel(lambda x, words, magnitude: Launch(-(-x.shape[0] // WARPS), THREADS), registers=40)
def pack_rows(x: Matrix, words: Words, magnitude: Floats):
    """words = the signs of each row, 32 to a word; magnitude = the mean of its absolute values. A warp takes a row."""
    row, channels = cuda.blockIdx.x * WARPS + cuda.threadIdx.x // 32, x.shape[1]
    if row >= x.shape[0]:
        return
    per_tap = (channels + 31) >> 5
    total = x.dtype.type(0)
    for k in range(per_tap):
        c = 32 * k + cuda.laneid
        v = x[row, c] if c < channels else x.dtype.type(0)
        word = cuda.ballot_sync(ALL, v < ZERO)
        if cuda.laneid == 0:
            words[row * per_tap + k] = word
        total += abs(v)
    total = warp_sum(total)
    if cuda.laneid == 0:
        magnitude[row] = total / x.dtype.type(channels)


@cuda_kernel(lambda weight, taps, channels, words, plain, magnitude: _each(plain.size), registers=40)
def pack_taps(weight: Floats, taps: Int, channels: Int, words: Words, plain: Ints, magnitude: Floats):
    """The signs of each filter's taps, what they sum to, and the sums of their magnitudes (taps, c_out)."""
    i = cuda.grid(1)
    if i >= plain.size:
        return
    c_out = quotient(plain.size, taps)
    tap, per_tap = quotient(i, c_out), (channels + 31) >> 5
    o = i - tap * c_out
    total, negative = weight.dtype.type(0), 0
    for k in range(per_tap):
        word = words.dtype.type(0)
        for bit in range(min(32, channels - 32 * k)):
            v = weight[(tap * channels + 32 * k + bit) * c_out + o]
            if v < ZERO:
                word |= words.dtype.type(1) << words.dtype.type(bit)
                negative += 1
            total += abs(v)
        words[(tap * per_tap + k) * c_out + o] = word
    plain[i], magnitude[i] = channels - 2 * negative, total


@device_function
def _seen(words, term, row, per_tap, displacement, positions, size, grid, step):
    """Word `term` of the window at a position, 0 past the border and past the last tap."""
    tap = quotient(term, per_tap)
    if row >= positions or 3 * tap >= displacement.size:
        return words.dtype.type(0)
    image, d, e, f = place_of(row, grid)
    d, e, f = step[0] * d + displacement[3 * tap], step[1] * e + displacement[3 * tap + 1], step[2] * f
    pixel = inside(image, d, e, f + displacement[3 * tap + 2], size)
    return words[pixel * per_tap + term - tap * per_tap] if pixel >= 0 else words.dtype.type(0)


@device_function
def _sees(row, tap, displacement, size, grid, step):
    """Whether a tap of a position looks inside of the image."""
    image, d, e, f = place_of(row, grid)
    d, e = step[0] * d + displacement[3 * tap], step[1] * e + displacement[3 * tap + 1]
    return inside(image, d, e, step[2] * f + displacement[3 * tap + 2], size) >= 0


def _xnor_plan(words, filters, channels, plain, alpha, scale, bias, y, displacement, size, grid, step):
    return Launch((-(-scale.size // TILE), -(-alpha.size // TILE)), THREADS)


@cuda_kernel(_xnor_plan, registers=80, wide_loads=2)
def xnor(
    words: Words,
    filters: Words,
    channels: Int,
    plain: Ints,
    alpha: Floats,
    scale: Floats,
    bias: Floats,
    y: Floats,
    displacement: Ints,
    size: Triple,
    grid: Triple,
    step: Triple,
):
    """y as in the module's header; a thread counts 4 x 4 products."""
    seen, signs = cuda.shared.array(_SLICE, "uint32"), cuda.shared.array(_SLICE, "uint32")
    count = cuda.local.array((4, 4), "int32")
    thread, c_out, positions, per_tap = cuda.threadIdx.x, alpha.size, scale.size, (channels + 31) >> 5
    first_row, first_column = TILE * cuda.blockIdx.x, TILE * cuda.blockIdx.y
    taps = quotient(displacement.size, 3)
    for i in range(4):
        for j in range(4):
            count[i, j] = 0
    for first in range(0, taps * per_tap, DEPTH):
        for h in range(2):
            row, k = (thread >> 3) + 32 * h, thread & 7
            word = _seen(words, first + k, first_row + row, per_tap, displacement, positions, size, grid, step)
            seen[k * PITCH + row] = word
            k, column = (thread >> 6) + 4 * h, thread & 63
            word = words.dtype.type(0)
            if first + k < taps * per_tap and first_column + column < c_out:
                word = filters[(first + k) * c_out + first_column + column]
            signs[k * PITCH + column] = word
        cuda.syncthreads()
        for k in range(DEPTH):
            left, right = load4(seen, k * PITCH + 4 * (thread >> 4)), load4(signs, k * PITCH + 4 * (thread & 15))
            for j in range(4):
                count[0, j] += cuda.popc(left[0] ^ right[j])
                count[1, j] += cuda.popc(left[1] ^ right[j])
                count[2, j] += cuda.popc(left[2] ^ right[j])
                count[3, j] += cuda.popc(left[3] ^ right[j])
        cuda.syncthreads()
    for i in range(4):
        for j in range(4):
            count[i, j] *= 2
    for tap in range(taps):  # what was counted for taps that look past the border goes out
        for i in range(4):
            row = first_row + 4 * (thread >> 4) + i
            if row < positions and not _sees(row, tap, displacement, size, grid, step):
                for j in range(4):
                    o = first_column + 4 * (thread & 15) + j
                    count[i, j] += plain[tap * c_out + o] if o < c_out else 0
    for i in range(4):
        row = first_row + 4 * (thread >> 4) + i
        for j in range(4):
            o = first_column + 4 * (thread & 15) + j
            if row < positions and o < c_out:
                total = y.dtype.type(taps * channels - count[i, j])
                y[row * c_out + o] = bias[o] + scale[row] * alpha[o] * total


# -- numbers by their signs -------------------------------------------------------------------------------------------


@device_function
def _through(dx, x):
    return dx if abs(x) <= ONE else ZERO


straight_through = of_two(_through, "straight_through", __name__)  # dx where |x| <= 1, else 0


@cuda_kernel(lambda x, y: _each(x.size), registers=16)
def sign(x: Floats, y: Floats):
    """y = -1 where x < 0, else 1."""
    i = cuda.grid(1)
    if i < x.size:
        y[i] = y.dtype.type(-1) if x[i] < ZERO else y.dtype.type(1)


@cuda_kernel(lambda weight, alpha, y: _each(weight.size), registers=32)
def sign_columns(weight: Matrix, alpha: Floats, y: Matrix):
    """y = alpha sign(weight), column by column."""
    i = cuda.grid(1)
    if i < weight.size:
        row = quotient(i, alpha.size)
        o = i - row * alpha.size
        y[row, o] = -alpha[o] if weight[row, o] < ZERO else alpha[o]


@cuda_kernel(lambda dbinary, weight, alpha, share, dweight: _each(weight.size), registers=32)
def binary_backward(dbinary: Matrix, weight: Matrix, alpha: Floats, share: Float, dweight: Matrix):
    """dweight = dbinary (share + alpha where |weight| <= 1)."""
    i = cuda.grid(1)
    if i < weight.size:
        row = quotient(i, alpha.size)
        o = i - row * alpha.size
        inner = alpha[o] if abs(weight[row, o]) <= ONE else weight.dtype.type(0)
        dweight[row, o] = dbinary[row, o] * (share + inner)
