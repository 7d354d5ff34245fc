"""Random words by their number: those of core.random (Philox4x32-10), so that the CPU draws the same."""

import numpy as np

from neurojit.core.cuda import device_function

_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@device_function
def four_words(counter, key):
    """Words 4 counter to 4 counter + 3 of a key's stream, each below 2^32, as uint64."""
    index = np.uint64(counter)
    c0, c1, c2, c3 = index & _LOW, index >> _32, np.uint64(0), np.uint64(0)
    key0, key1 = key & _LOW, key >> _32
    for _ in range(10):
        product0, product1 = _MULTIPLIER_0 * c0, _MULTIPLIER_1 * c2
        c0 = (product1 >> _32) ^ c1 ^ key0
        c2 = (product0 >> _32) ^ c3 ^ key1
        c1, c3 = product1 & _LOW, product0 & _LOW
        key0 = (key0 + _WEYL_0) & _LOW
        key1 = (key1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@device_function
def below(word, n):
    """A random word as an integer from 0 to n - 1."""
    return np.int64((word * np.uint64(n)) >> _32)
