"""Drawing without replacement: Floyd's algorithm (Bentley and Floyd 1987, Programming pearls)."""

import numpy as np

from neurojit.core.jit import kernel

_32 = np.uint64(32)


@kernel
def choose_distinct(words, n, chosen):
    """chosen[r] = distinct integers below n, in increasing order; words and chosen (rows, k), k <= n."""
    rows, k = chosen.shape
    taken = np.full(n, -1, np.int64)
    for r in range(rows):
        for i in range(k):
            last = n - k + i
            draw = np.int64((np.uint64(words[r, i]) * np.uint64(last + 1)) >> _32)
            draw = last if taken[draw] == r else draw
            taken[draw] = r
            chosen[r, i] = draw
        chosen[r].sort()
