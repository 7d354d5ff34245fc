"""Local response normalization: against the definition, central differences and PyTorch."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import normalization as reference


@hypothesis.given(
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.integers(1, 20),
    st.integers(1, 7),
    st.sampled_from([0.75, 0.5, 1.0, 2.0]),
)
def test_equals_the_definition(shape, channels, size, beta):
    x = 3 * np.random.default_rng(1).standard_normal((*shape, channels))
    options = {"size": size, "alpha": 0.3, "beta": beta, "k": 2.0}
    expected = reference.local_response_norm(x, **options)
    np.testing.assert_allclose(F.local_response_norm(x, **options), expected, rtol=1e-12)
    y = F.local_response_norm(x.astype(np.float32), **options)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 5, 30])
def test_pullback_equals_central_differences(size):
    x = np.random.default_rng(2).standard_normal((2, 3, 17))
    gradcheck(F.local_response_norm, x, size=size, alpha=0.5, beta=0.75, k=1.5)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_equals_pytorch(size, torch):
    x = np.random.default_rng(3).standard_normal((2, 6, 5, 20)).astype(np.float32)
    image = torch.from_numpy(x).permute(0, 3, 1, 2).requires_grad_()
    expected = torch.nn.functional.local_response_norm(image, size, alpha=0.1)
    y, backward = F.local_response_norm.vjp(x, size=size, alpha=0.1)
    np.testing.assert_allclose(y, expected.detach().permute(0, 2, 3, 1), rtol=1e-5)
    (dx,) = torch.autograd.grad(expected.sum(), image)
    np.testing.assert_allclose(backward(np.ones_like(y)), dx.permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5)


def test_layouts():
    check_forms(F.local_response_norm, np.random.default_rng(4).standard_normal((3, 4, 6)).astype(np.float32))


def test_same_bits_for_any_number_of_threads(same_bits):
    x = np.random.default_rng(5).standard_normal((700, 65)).astype(np.float32)

    def both_ways():
        y, backward = F.local_response_norm.vjp(x)
        return y, backward(x)

    same_bits(both_ways)


X = np.zeros((2, 3), np.float32)
BAD = [
    (lambda: F.local_response_norm(X[0]), ValueError, "x: got shape (3,)"),
    (lambda: F.local_response_norm(X, size=0), ValueError, "size: got 0"),
    (lambda: F.local_response_norm(X, size=2.5), TypeError, "size: got 2.5"),
    (lambda: F.local_response_norm(X, alpha=-1.0), ValueError, "alpha: got -1.0"),
    (lambda: F.local_response_norm(X, k=0), ValueError, "k: got 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
