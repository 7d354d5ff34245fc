"""Dropout: which elements stay depends on the key and their index alone, so nothing is stored for the way back.

x and y are 1-D arrays of one length and type.
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import CHUNK, chunk_count

_WORDS = 1024  # words drawn at a time: they stay in the first-level cache; CHUNK is a multiple
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@kernel
def fill_words(first, key, words):
    """words[i] = word first + i of the key's stream, as core.random's `random_words` gives; first a multiple of 4.

    The rounds of Philox stand in the loop's body, in 64-bit arithmetic: so LLVM works on several blocks at once.
    """
    for block in range(words.size // 4):
        index = np.uint64(first // 4 + block)
        c0, c1, c2, c3 = index & _LOW, index >> _32, np.uint64(0), np.uint64(0)
        key0, key1 = key & _LOW, key >> _32
        for _ in range(10):
            product0, product1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
            c0 = (product1 >> _32) ^ c1 ^ key0
            c2 = (product0 >> _32) ^ c3 ^ key1
            c1, c3 = product1 & _LOW, product0 & _LOW
            key0 = (key0 + np.uint64(0x9E3779B9)) & _LOW
            key1 = (key1 + np.uint64(0xBB67AE85)) & _LOW
        words[4 * block] = np.uint32(c0)
        words[4 * block + 1] = np.uint32(c1)
        words[4 * block + 2] = np.uint32(c2)
        words[4 * block + 3] = np.uint32(c3)


@kernel
def _dropout(x, first, threshold, scale, key, y):
    """y = scale x where the random word of the element is at least `threshold`, else 0; `first` is x[0]'s index."""
    zero, scale = x.dtype.type(0), x.dtype.type(scale)
    words = np.empty(_WORDS, np.uint32)
    for start in range(0, x.size, _WORDS):
        part, out = x[start : start + _WORDS], y[start : start + _WORDS]
        fill_words(first + start, key, words)
        for i in range(part.size):
            out[i] = scale * part[i] if words[i] >= threshold else zero


@parallel_kernel
def dropout(x, threshold, scale, key, y):
    """`_dropout` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _dropout(x[i:j], i, threshold, scale, key, y[i:j])
