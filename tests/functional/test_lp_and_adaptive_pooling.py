"""Norms over windows, and as many means as asked for: against the definition, central differences and PyTorch."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import pooling as reference

LP = {1: F.lp_pool1d, 2: F.lp_pool2d, 3: F.lp_pool3d}


@pytest.mark.parametrize("rank", LP)
@pytest.mark.parametrize("p", [1, 2, 3, 2.5])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_lp_pool_equals_the_definition(rank, p, ceil_mode):
    x = np.random.default_rng(1).standard_normal((2, *(6, 5, 4)[:rank], 3))
    options = {"window": (3, 2, 2)[:rank], "stride": (2, 1, 2)[:rank], "padding": ((2, 1), (0, 1), (0, 0))[:rank]}
    options |= {"p": p, "ceil_mode": ceil_mode}
    expected = reference.lp_pool(x, **options)
    np.testing.assert_allclose(LP[rank](x, **options), expected, rtol=1e-12)
    y = LP[rank](x.astype(np.float32), **options)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=2e-6)
    gradcheck(LP[rank], x, max_entries=60, **options)


@pytest.mark.parametrize("p", [2, 4, 3])
def test_lp_pool_equals_pytorch(p, torch):
    x = np.random.default_rng(2).uniform(-1 if p % 2 == 0 else 0, 1, (2, 9, 8, 5)).astype(np.float32)
    image = torch.from_numpy(x).permute(0, 3, 1, 2).requires_grad_()
    expected = torch.nn.functional.lp_pool2d(image, p, 3, 2)
    y, backward = F.lp_pool2d.vjp(x, 3, p=p, stride=2)
    np.testing.assert_allclose(y, expected.detach().permute(0, 2, 3, 1), rtol=1e-5)
    (dx,) = torch.autograd.grad(expected.sum(), image)
    np.testing.assert_allclose(backward(np.ones_like(y)), dx.permute(0, 2, 3, 1), rtol=1e-4, atol=1e-6)


def test_lp_pool_of_zeros_and_of_a_nan():
    x = np.zeros((1, 4, 2, 1))
    x[0, 3, 1] = np.nan
    y, backward = F.lp_pool2d.vjp(x, 2)
    np.testing.assert_array_equal(y.ravel(), [0, np.nan])
    np.testing.assert_array_equal(backward(np.ones_like(y))[0, :2], 0)


@hypothesis.given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_adaptive_avg_pool_equals_the_definition(size, output_size):
    x = np.random.default_rng(3).standard_normal((2, *size, 3))
    y = F.adaptive_avg_pool2d(x, output_size)
    np.testing.assert_allclose(y, reference.adaptive_avg_pool2d(x, output_size), rtol=1e-12, atol=1e-14)
    gradcheck(F.adaptive_avg_pool2d, x, output_size=output_size, max_entries=30)


@pytest.mark.parametrize("output_size", [1, 7, (3, 5), (20, 11)])
def test_adaptive_avg_pool_equals_pytorch(output_size, torch):
    x = np.random.default_rng(4).standard_normal((2, 10, 13, 33)).astype(np.float32)
    image = torch.from_numpy(x).permute(0, 3, 1, 2).requires_grad_()
    expected = torch.nn.functional.adaptive_avg_pool2d(image, output_size)
    y, backward = F.adaptive_avg_pool2d.vjp(x, output_size)
    np.testing.assert_allclose(y, expected.detach().permute(0, 2, 3, 1), rtol=1e-5, atol=1e-6)
    dy = np.random.default_rng(5).standard_normal(y.shape).astype(np.float32)
    (dx,) = torch.autograd.grad(expected, image, torch.from_numpy(dy).permute(0, 3, 1, 2))
    np.testing.assert_allclose(backward(dy), dx.permute(0, 2, 3, 1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("call", [lambda x: F.lp_pool2d(x, 2), lambda x: F.adaptive_avg_pool2d(x, (2, 4))])
def test_layouts_and_no_images(call):
    x = np.random.default_rng(6).standard_normal((3, 6, 6, 5)).astype(np.float32)
    check_forms(call, x)
    assert call(x[:0]).shape == (0, *call(x).shape[1:])


X = np.zeros((2, 6, 6, 2), np.float32)
BAD = [
    (lambda: F.lp_pool2d(X, 2, p=0.5), ValueError, "p: got 0.5"),
    (lambda: F.lp_pool2d(X, 2, p=np.inf), ValueError, "p: got inf"),
    (lambda: F.lp_pool1d(X[0], 2, p="2"), TypeError, "p: got '2'"),
    (lambda: F.lp_pool2d(X, 2, padding=2), ValueError, "padding: got (2, 2)"),
    (lambda: F.lp_pool3d(X, 2), ValueError, "x: got 4 axes"),
    (lambda: F.adaptive_avg_pool2d(X, 0), ValueError, "output_size: got 0"),
    (lambda: F.adaptive_avg_pool2d(X, None), TypeError, "output_size: got None"),
    (lambda: F.adaptive_avg_pool2d(X[0], 2), ValueError, "x: got 3 axes"),
    (lambda: F.adaptive_avg_pool2d(X[:, :0], 2), ValueError, "x: got shape (2, 0, 6, 2)"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
