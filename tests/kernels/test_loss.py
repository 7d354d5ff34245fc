"""Sums of losses do not depend on where the arrays lie."""

import numpy as np
import pytest

from neurojit.kernels.cpu import loss


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_squared_error_has_the_same_bits_wherever_arrays_lie(dtype):
    rng = np.random.default_rng(0)
    for size in (3, 12, 31):
        values = rng.standard_normal((2, size)).astype(dtype)
        sums = set()
        for gap in range(40):  # from arrays side by side to arrays far apart
            memory = np.zeros(3 * (size + gap), dtype)
            prediction, target, difference = (memory[i * (size + gap) :][:size] for i in range(3))
            prediction[:], target[:] = values
            partial = np.zeros(1, dtype)
            loss.squared_error(prediction, target, difference, partial)
            np.testing.assert_array_equal(difference, values[0] - values[1])
            sums.add(partial[0])
        assert len(sums) == 1
