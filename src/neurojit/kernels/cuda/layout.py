"""The same numbers in another order: axes exchanged."""

from neurojit.core.cuda import Floats, Int, Launch, cuda, cuda_kernel, quotient

THREADS = 256
TILE, PITCH, STRIPES = 32, 33, 8  # one more number a row: threads of a warp then meet in no bank


def _exchange_plan(x, rows, columns, y):
    return Launch(x.size // max(1, rows * columns) * -(-rows // TILE) * -(-columns // TILE), (TILE, STRIPES))


@cuda_kernel(_exchange_plan, registers=40)
def exchange_axes(x: Floats, rows: Int, columns: Int, y: Floats):
    """y[b, c, r] = x[b, r, c], in tiles, so that loads and stores are both of neighbouring numbers."""
    tile = cuda.shared.array((TILE, PITCH), x.dtype)
    lane, stripe = cuda.threadIdx.x, cuda.threadIdx.y
    down, across = quotient(rows + TILE - 1, TILE), quotient(columns + TILE - 1, TILE)
    line = quotient(cuda.blockIdx.x, across)
    batch = quotient(line, down)
    first_row, first_column = TILE * (line - batch * down), TILE * (cuda.blockIdx.x - line * across)
    start = batch * rows * columns
    for k in range(stripe, TILE, STRIPES):
        if first_row + k < rows and first_column + lane < columns:
            tile[k, lane] = x[start + (first_row + k) * columns + first_column + lane]
    cuda.syncthreads()
    for k in range(stripe, TILE, STRIPES):
        if first_row + lane < rows and first_column + k < columns:
            y[start + (first_column + k) * rows + first_row + lane] = tile[lane, k]
