"""Rows times a number each."""

from neurojit.core.cuda import Floats, Launch, cuda, cuda_kernel, quotient

THREADS = 256


@cuda_kernel(lambda x, factor, y: Launch(-(-x.size // THREADS), THREADS), registers=32)
def scale_rows(x: Floats, factor: Floats, y: Floats):
    """y[r, c] = factor[r] x[r, c], for as many rows as factors."""
    i = cuda.grid(1)
    if i < x.size:
        y[i] = factor[quotient(i, quotient(x.size, factor.size))] * x[i]
