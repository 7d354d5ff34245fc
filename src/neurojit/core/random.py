"""Counter-based random numbers: a draw depends on its key and its index alone.

Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3) turns
a 64-bit key and a 128-bit counter into four random words. No state is carried, so any thread, in any order, gets the
same number for the same index.
"""

import dataclasses
import numbers
import os
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from neurojit.core.jit import kernel

_MASK64 = (1 << 64) - 1
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint32(0x9E3779B9)
_WEYL_1 = np.uint32(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_ROUNDS = 10

Shape = int | tuple[int, ...]


@kernel
def philox(c0, c1, c2, c3, key0, key1):
    """Four random uint32 words from a counter of four and a key of two uint32 words."""
    for _ in range(_ROUNDS):
        product0 = _MULTIPLIER_0 * np.uint64(c0)
        product1 = _MULTIPLIER_1 * np.uint64(c2)
        c0, c1, c2, c3 = (
            np.uint32(np.uint32(product1 >> _32) ^ c1 ^ key0),
            np.uint32(product1 & _LOW),
            np.uint32(np.uint32(product0 >> _32) ^ c3 ^ key1),
            np.uint32(product0 & _LOW),
        )
        key0 = np.uint32(key0 + _WEYL_0)
        key1 = np.uint32(key1 + _WEYL_1)
    return c0, c1, c2, c3


@kernel
def random_words(index, key):
    """Four random uint32 words for a 64-bit index and a 64-bit key."""
    index, key = np.uint64(index), np.uint64(key)
    return philox(
        np.uint32(index & _LOW),
        np.uint32(index >> _32),
        np.uint32(0),
        np.uint32(0),
        np.uint32(key & _LOW),
        np.uint32(key >> _32),
    )


@kernel
def unit_interval(word):
    """A uint32 word as a float64 in the open interval (0, 1)."""
    return (np.float64(word) + 0.5) * 2.0**-32


@kernel
def fill_words(out, key):
    """out[i] = random uint32 word i of the key's stream."""
    for block in range((out.size + 3) // 4):
        words = random_words(block, key)
        for lane in range(min(4, out.size - 4 * block)):
            out[4 * block + lane] = words[lane]


@kernel
def fill_normal(out, key):
    """out[i] = standard normal draw i of the key's stream (Box and Muller 1958)."""
    for pair in range((out.size + 1) // 2):
        words = random_words(pair, key)
        radius = np.sqrt(-2.0 * np.log(unit_interval(words[0])))
        angle = 2.0 * np.pi * unit_interval(words[1])
        out[2 * pair] = radius * np.cos(angle)
        if 2 * pair + 1 < out.size:
            out[2 * pair + 1] = radius * np.sin(angle)


def _mix(word):
    """SplitMix64's finaliser (Steele, Lea and Flood 2014): a bijection that scatters near-by integers."""
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK64
    return word ^ (word >> 31)


@dataclasses.dataclass(frozen=True)
class Key:
    """The name of a stream of random numbers.

    A key never changes: draw twice from one key and the numbers are the same. `child` derives independent keys, one
    for each layer, epoch or batch.

    Parameters
    ----------
    value : int
        64-bit name of the stream.

    Examples
    --------
    >>> from neurojit.core.random import Key
    >>> key = Key.from_random_state(0)
    >>> bool((key.child(1).uniform(3) == key.child(1).uniform(3)).all())
    True
    """

    value: int

    @classmethod
    def from_random_state(cls, random_state: Any = None) -> "Key":
        """The key of a scikit-learn `random_state`: an int, a NumPy generator, or None for a fresh one."""
        if random_state is None:
            return cls(int.from_bytes(os.urandom(8), "little"))
        if isinstance(random_state, Key):
            return random_state
        if isinstance(random_state, numbers.Integral) and not isinstance(random_state, bool):
            if random_state < 0:
                raise ValueError(f"random_state: got {random_state}, wanted an integer >= 0")
            return cls(_mix((int(random_state) + 0x9E3779B97F4A7C15) & _MASK64))
        if isinstance(random_state, np.random.Generator):
            return cls(int(random_state.integers(1 << 63)))
        if isinstance(random_state, np.random.RandomState):
            return cls(int(random_state.randint(1 << 62, dtype=np.int64)))
        raise TypeError(
            f"random_state: got {type(random_state).__name__}, wanted an int, a numpy RandomState or Generator, or None"
        )

    def child(self, index: int) -> "Key":
        """The key of sub-stream `index`."""
        return Key(_mix((_mix(self.value) + (int(index) + 1) * 0x9E3779B97F4A7C15) & _MASK64))

    def words(self, size: int) -> np.ndarray:
        """`size` random uint32 words, shape (size,)."""
        out = np.empty(size, np.uint32)
        fill_words(out, np.uint64(self.value))
        return out

    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Uniform draws between `low` and `high`, of the given shape; rounding to `dtype` may reach either."""
        out = np.empty(shape, dtype)
        unit = (self.words(out.size) + 0.5) * 2.0**-32
        out[...] = (low + (high - low) * unit).reshape(out.shape)
        return out

    def normal(self, shape: Shape, std: float = 1.0, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Normal draws with mean 0 and standard deviation `std`, of the given shape."""
        out = np.empty(shape, np.float64)
        fill_normal(out.reshape(-1), np.uint64(self.value))
        return (std * out).astype(dtype)

    def permutation(self, size: int) -> np.ndarray:
        """The integers 0 to size - 1 in random order, shape (size,), int64."""
        words = self.words(2 * size).reshape(2, size).astype(np.uint64)
        return np.argsort((words[0] << np.uint64(32)) | words[1], kind="stable")
