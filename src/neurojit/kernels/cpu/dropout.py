"""Dropout: which elements stay depends on the key and their index alone, so nothing is stored for the way back.

x and y are 1-D arrays of one length and type.
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.core.random import random_words
from neurojit.kernels.cpu.chunks import CHUNK, chunk_count


@kernel
def _dropout(x, first, threshold, scale, key, y):
    """y = scale x where the random word of the element is at least `threshold`, else 0; `first` is x[0]'s index."""
    zero = x.dtype.type(0)
    for block in range(x.size // 4):
        i = 4 * block
        w0, w1, w2, w3 = random_words(first // 4 + block, key)
        y[i] = scale * x[i] if w0 >= threshold else zero
        y[i + 1] = scale * x[i + 1] if w1 >= threshold else zero
        y[i + 2] = scale * x[i + 2] if w2 >= threshold else zero
        y[i + 3] = scale * x[i + 3] if w3 >= threshold else zero
    words = random_words((first + x.size) // 4, key)
    for i in range(x.size // 4 * 4, x.size):
        y[i] = scale * x[i] if words[i % 4] >= threshold else zero


@parallel_kernel
def dropout(x, threshold, scale, key, y):
    """`_dropout` on all threads; a chunk is a whole number of blocks of four words."""
    scale = x.dtype.type(scale)
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _dropout(x[i:j], i, np.uint32(threshold), scale, key, y[i:j])
