"""separate_kernel: products of columns and rows."""

import numpy as np
import pytest

import neurojit.functional as F


def test_kernels_of_rank_one_come_apart_exactly():
    sobel = np.outer([1.0, 2.0, 1.0], [1.0, 0.0, -1.0])
    column, row, error = F.separate_kernel(sobel)
    np.testing.assert_array_equal(np.outer(column, row), sobel)
    assert error == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_best_product_and_its_error(dtype, rng):
    kernel = rng.standard_normal((4, 3)).astype(dtype)
    column, row, error = F.separate_kernel(kernel)
    assert column.dtype == row.dtype == dtype
    values = np.linalg.svd(kernel.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(error, np.sqrt((values[1:] ** 2).sum()), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(kernel - np.outer(column, row)), error, rtol=1e-5)


def test_a_bank_is_factored_kernel_by_kernel(rng):
    bank = rng.standard_normal((3, 5, 2, 4))
    bank[..., 1, 2] = np.outer([1.0, 2.0, 4.0], [1.0, 0.5, 0.0, -2.0, 3.0])
    bank[..., 0, 0] = 0
    column, row, error = F.separate_kernel(bank)
    assert (column.shape, row.shape, error.shape) == ((3, 2, 4), (5, 2, 4), (2, 4))
    assert error[1, 2] == error[0, 0] == 0
    for c, o in np.ndindex(2, 4):
        alone = F.separate_kernel(bank[..., c, o])
        np.testing.assert_allclose(np.outer(column[:, c, o], row[:, c, o]), np.outer(*alone[:2]), atol=1e-12)


def test_two_convolutions_do_what_one_does(rng):
    kernel = np.outer(rng.standard_normal(3), rng.standard_normal(5))
    column, row, _ = F.separate_kernel(kernel)
    x = rng.standard_normal((2, 8, 9, 1))
    step = F.conv2d(x, column.reshape(3, 1, 1, 1), padding=(1, 0))
    expected = F.conv2d(x, kernel.reshape(3, 5, 1, 1), padding=(1, 2))
    np.testing.assert_allclose(F.conv2d(step, row.reshape(1, 5, 1, 1), padding=(0, 2)), expected, atol=1e-12)


@pytest.mark.parametrize("kernel", [np.ones(3), np.ones((0, 3)), np.ones((3, 3, 0))])
def test_bad_input_is_named(kernel):
    with pytest.raises(ValueError, match="kernel: got shape"):
        F.separate_kernel(kernel)
    with pytest.raises(TypeError, match="kernel: got dtype"):
        F.separate_kernel(kernel.astype(complex))
