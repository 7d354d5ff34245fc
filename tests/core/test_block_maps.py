"""Maps of small blocks: T x T^T for every channel, from and to scattered addresses."""

import numpy as np
import pytest

from neurojit.core import simd
from neurojit.core.block_maps import block_map
from neurojit.core.jit import kernel
from neurojit.core.simd import address

FIRST = np.array([[1, 0, -1], [0.5, 2, 0], [0, -1, 1], [3, 1, -1]])
SECOND = np.array([[1, 1, 0, 0], [0, -1, 0, 4]])
_map = block_map(FIRST, SECOND)


@kernel
def _mapped(x, bias, channels, y):
    """x (3, 3, c), bias (c,), y (2, 2, c): the first `channels` channels of y."""
    sources, targets = np.empty(9, np.int64), np.empty(4, np.int64)
    for i in range(9):
        sources[i] = address(x, i * x.shape[2])
    for i in range(4):
        targets[i] = address(y, i * y.shape[2])
    _map(x, address(sources, 0), channels, address(targets, 0), address(bias, 0))
    simd.keep(sources)
    simd.keep(targets)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [0, 1, 5, 16, 21, 40])
def test_equals_matrix_products(channels, dtype, rng):
    x, bias = rng.standard_normal((3, 3, channels + 1)).astype(dtype), rng.standard_normal(channels + 1).astype(dtype)
    y = np.full((2, 2, channels + 1), 7, dtype)
    _mapped(x, bias, channels, y)
    matrix = SECOND @ FIRST
    expected = np.einsum("ia,abc,jb->ijc", matrix, x, matrix) + bias
    np.testing.assert_allclose(y[..., :channels], expected[..., :channels], atol=50 * np.finfo(dtype).eps * 10)
    assert (y[..., channels] == 7).all(), "wrote past its channels"
