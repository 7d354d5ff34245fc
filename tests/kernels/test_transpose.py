"""Rows as columns through registers, against NumPy."""

import numpy as np
import pytest

from neurojit.core.jit import kernel
from neurojit.core.simd import address, keep
from neurojit.core.sparse import SERIES
from neurojit.core.transpose import transpose


@kernel
def _transposed(source, count, target):
    transpose(source, address(source, 0), count, source.shape[1], address(target, 0), target.shape[1])
    keep(source)
    keep(target)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("count", [0, 1, 15, 16, 50])
def test_transpose(dtype, count):
    source = np.arange(80.0 * SERIES, dtype=dtype).reshape(80, SERIES)
    target = np.full((SERIES, 60), -1, dtype)
    _transposed(source, count, target)
    np.testing.assert_array_equal(target[:, :count], source[:count].T)
    assert (target[:, count:] == -1).all()
