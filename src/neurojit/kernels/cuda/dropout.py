"""Dropout: which elements stay depends on the key and their index alone; x and y are 1-D arrays of one length.

The CPU drops the same elements. A thread takes four of them.
"""

from neurojit.core.cuda import Bits, Float, Floats, Launch, Word, cuda, cuda_kernel
from neurojit.kernels.cuda.random_words import four_words

THREADS = 256


@cuda_kernel(lambda x, threshold, scale, key, y: Launch(-(-x.size // (4 * THREADS)), THREADS), registers=40)
def dropout(x: Floats, threshold: Word, scale: Float, key: Bits, y: Floats):
    """y = scale x where the random word of the element is at least `threshold`, else 0."""
    c0, c1, c2, c3 = four_words(cuda.grid(1), key)
    i, zero = 4 * cuda.grid(1), x.dtype.type(0)
    if i < x.size:
        y[i] = scale * x[i] if c0 >= threshold else zero
    if i + 1 < x.size:
        y[i + 1] = scale * x[i + 1] if c1 >= threshold else zero
    if i + 2 < x.size:
        y[i + 2] = scale * x[i + 2] if c2 >= threshold else zero
    if i + 3 < x.size:
        y[i + 3] = scale * x[i + 3] if c3 >= threshold else zero
