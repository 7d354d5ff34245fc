"""The global norm is exact, in a fixed order, and clips as PyTorch does."""

import math

import numpy as np
import pytest

from neurojit.functional.optimizer import clip_by_global_norm, global_norm


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_norm_is_summed_in_float64(dtype, rng):
    arrays = [rng.normal(size=shape).astype(dtype) for shape in ((100, 7), (3,), (), (0, 4), (2, 3, 4))]
    exact = math.sqrt(math.fsum(float(v) ** 2 for array in arrays for v in array.ravel()))
    assert global_norm(arrays) == pytest.approx(exact, rel=1e-14)


def test_large_float32_gradients_do_not_overflow():
    assert global_norm([np.full(4, 1e30, np.float32)]) == pytest.approx(2e30, rel=1e-6)


def test_the_norm_has_the_same_bits_on_any_number_of_threads(rng, same_bits):
    array = rng.normal(size=300_001).astype(np.float32)
    same_bits(lambda: global_norm([array, array[:5]]))


def test_nothing_is_0():
    assert global_norm([]) == 0.0
    assert clip_by_global_norm([], 1.0) == ([], 0.0)


@pytest.mark.parametrize("max_norm", [0.1, 3.0, 1e3])
def test_clipping_equals_torch(max_norm, rng, torch):
    gradients = [rng.normal(size=(3, 4)), rng.normal(size=5)]
    tensors = [torch.zeros(g.shape, dtype=torch.float64) for g in gradients]
    for tensor, gradient in zip(tensors, gradients, strict=True):
        tensor.grad = torch.tensor(gradient)
    wanted = torch.nn.utils.clip_grad_norm_(tensors, max_norm)
    kept = [g.copy() for g in gradients]
    clipped, norm = clip_by_global_norm(gradients, max_norm)
    assert norm == pytest.approx(wanted.item(), rel=1e-13)
    for ours, theirs, before, now in zip(clipped, tensors, kept, gradients, strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-13)
        np.testing.assert_array_equal(now, before)


def test_precision_is_kept(rng):
    clipped, _ = clip_by_global_norm([rng.normal(size=9).astype(np.float32)], 0.1)
    assert clipped[0].dtype == np.float32
    assert global_norm(clipped) == pytest.approx(0.1, rel=1e-4)


def test_nan_comes_through():
    clipped, norm = clip_by_global_norm([np.array([1.0, np.nan])], 1.0)
    assert math.isnan(norm)
    assert np.isnan(clipped[0]).all()
