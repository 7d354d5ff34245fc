"""Parts of rows, and what is the same for all steps; arrays are flat."""

from neurojit.core.cuda import Floats, Int, Launch, cuda, cuda_kernel, quotient

THREADS = 256


def _copy_plan(x, x_width, x_first, y, y_width, y_first, columns):
    return Launch(-(-(y.size // y_width * columns) // THREADS), THREADS)


@cuda_kernel(_copy_plan, registers=32)
def copy_columns(x: Floats, x_width: Int, x_first: Int, y: Floats, y_width: Int, y_first: Int, columns: Int):
    """y[r, y_first + j] = x[r, x_first + j] for so many columns j of x (rows, x_width) and y (rows, y_width)."""
    i = cuda.grid(1)
    row = quotient(i, columns)
    j = i - row * columns
    if row * y_width < y.size:
        y[row * y_width + y_first + j] = x[row * x_width + x_first + j]


@cuda_kernel(lambda x, factor, y: Launch(-(-y.size // THREADS), THREADS), registers=32)
def scale_steps(x: Floats, factor: Floats, y: Floats):
    """y[s, k] = x[s, k] factor[k], for as many steps as x has."""
    i = cuda.grid(1)
    if i < y.size:
        y[i] = x[i] * factor[i - quotient(i, factor.size) * factor.size]
