"""Softmax: the same bits wherever its arrays lie."""

import numpy as np
import pytest

from neurojit.kernels.cpu import softmax as kernels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kernel", ["softmax_forward", "log_softmax_forward"])
@pytest.mark.parametrize("classes", [5, 19])
def test_same_bits_wherever_the_result_lies(kernel, classes, dtype, rng):
    memory = np.zeros(4096, dtype)
    size = 2 * classes
    for _ in range(20):
        memory[:size] = rng.random(size)
        x, results = memory[:size].reshape(2, classes), set()
        for gap in (0, 2, 6, 30, 1000):
            y = memory[size + gap : 2 * size + gap].reshape(2, classes)
            getattr(kernels, kernel)(x, y)
            results.add(y.tobytes())
        assert len(results) == 1
