"""Sums of outer products: against NumPy, and the same bits however they are shared out."""

import numpy as np
import pytest

from neurojit.core.simd import ROWS
from neurojit.kernels.cpu.outer_products import add_products


def addresses(rows):
    return rows.ctypes.data + np.arange(len(rows)) * rows.strides[0]


@pytest.mark.parametrize("count", [0, 1, 255, 600])
@pytest.mark.parametrize("width", [1, 32, 37, 150])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_numpy_in_any_number_of_tasks(count, width, dtype):
    rng = np.random.default_rng(0)
    heights = np.array([3, 17, 1, 2 * ROWS])
    parts = [rng.standard_normal((count, height)).astype(dtype) for height in heights]
    b = rng.standard_normal((count, width)).astype(dtype)
    starts = np.concatenate([[0], np.cumsum(-(-heights // ROWS) * ROWS)])
    tables = np.array([addresses(part) for part in parts]).reshape(len(parts), count)
    begin = rng.standard_normal((starts[-1], width)).astype(dtype)
    found = []
    for tasks in (1, 2, 7):
        total = begin.copy()
        add_products(tables, heights, addresses(b), tasks, total)
        found.append(total)
    wanted = begin.astype(np.float64)
    for start, height, part in zip(starts, heights, parts, strict=False):
        wanted[start : start + height] += part.T.astype(np.float64) @ b
    np.testing.assert_allclose(found[0], wanted, atol=1e-4 if dtype == np.float32 else 1e-12)
    for total in found[1:]:
        np.testing.assert_array_equal(total, found[0])
