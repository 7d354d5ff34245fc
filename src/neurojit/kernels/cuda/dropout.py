"""Dropout: which elements stay depends on the key and their index alone; x and y are 1-D arrays of one length.

The words are those of core.random (Philox4x32-10), so that the CPU drops the same elements. A thread takes the four
words of a counter.
"""

import numpy as np

from neurojit.core.cuda import Bits, Float, Floats, Launch, Word, cuda, cuda_kernel

THREADS = 256
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@cuda_kernel(lambda x, threshold, scale, key, y: Launch(-(-x.size // (4 * THREADS)), THREADS), registers=40)
def dropout(x: Floats, threshold: Word, scale: Float, key: Bits, y: Floats):
    """y = scale x where the random word of the element is at least `threshold`, else 0."""
    index = np.uint64(cuda.grid(1))
    c0, c1, c2, c3 = index & _LOW, index >> _32, np.uint64(0), np.uint64(0)
    key0, key1 = key & _LOW, key >> _32
    for _ in range(10):
        product0, product1 = _MULTIPLIER_0 * c0, _MULTIPLIER_1 * c2
        c0 = (product1 >> _32) ^ c1 ^ key0
        c2 = (product0 >> _32) ^ c3 ^ key1
        c1, c3 = product1 & _LOW, product0 & _LOW
        key0 = (key0 + _WEYL_0) & _LOW
        key1 = (key1 + _WEYL_1) & _LOW
    i, zero = 4 * cuda.grid(1), x.dtype.type(0)
    if i < x.size:
        y[i] = scale * x[i] if c0 >= threshold else zero
    if i + 1 < x.size:
        y[i + 1] = scale * x[i + 1] if c1 >= threshold else zero
    if i + 2 < x.size:
        y[i + 2] = scale * x[i + 2] if c2 >= threshold else zero
    if i + 3 < x.size:
        y[i + 3] = scale * x[i + 3] if c3 >= threshold else zero
