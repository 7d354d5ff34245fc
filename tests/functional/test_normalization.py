"""Batch normalization: against the definition, central differences and PyTorch."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import normalization as reference

SHAPES = [(5, 3), (1, 1), (3, 2, 4), (2, 3, 4, 5), (2, 9, 9, 130), (3, 600), (40, 33, 17)]


def arrays(shape, dtype=np.float32):
    rng = np.random.default_rng(1)
    x = (3 * rng.standard_normal(shape) + 2).astype(dtype)
    gamma, beta, mean = rng.standard_normal((3, shape[-1])).astype(dtype)
    return x, gamma, beta, mean, rng.uniform(0.5, 2, shape[-1]).astype(dtype)


@hypothesis.given(st.lists(st.integers(1, 6), min_size=2, max_size=4), st.sampled_from([np.float32, np.float64]))
@hypothesis.settings(max_examples=30)
def test_equals_the_definition(shape, dtype):
    x, gamma, beta, mean, var = arrays(tuple(shape), dtype)
    seen = []
    y = F.batch_norm(x, gamma, beta, eps=1e-3, observe=lambda *moments: seen.append(moments))
    expected_mean, expected_var = reference.moments(x)
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-9, "atol": 1e-9}
    assert y.dtype == dtype
    np.testing.assert_allclose(y, reference.batch_norm(x, gamma, beta, expected_mean, expected_var, 1e-3), **tolerance)
    ((batch_mean, batch_var, count),) = seen
    np.testing.assert_allclose(batch_mean, expected_mean, **tolerance)
    np.testing.assert_allclose(batch_var, expected_var, **tolerance)
    assert count == x.size // x.shape[-1]
    y = F.batch_norm(x, gamma, beta, mean=mean, var=var)
    np.testing.assert_allclose(y, reference.batch_norm(x, gamma, beta, mean, var, 1e-5), **tolerance)


@pytest.mark.parametrize("shape", SHAPES)
def test_pullback_equals_central_differences(shape):
    x, gamma, beta, mean, var = arrays(shape, np.float64)
    gradcheck(F.batch_norm, x, gamma, beta, max_entries=30)
    gradcheck(F.batch_norm, x, gamma, beta, mean=mean, var=var, max_entries=30)
    gradcheck(F.batch_norm, x, beta=beta, max_entries=30)
    gradcheck(F.batch_norm, x, max_entries=30)


@pytest.mark.parametrize("shape", [(64, 10), (8, 5, 3), (4, 14, 14, 64)])
def test_equals_pytorch(shape, torch):
    x, gamma, beta, mean, var = arrays(shape)
    given = [torch.from_numpy(a.copy()).requires_grad_() for a in (x, gamma, beta)]
    rows = given[0].reshape(-1, shape[-1])
    dy = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    for moments, training in (({}, True), ({"mean": mean, "var": var}, False)):
        running = (None, None) if training else (torch.from_numpy(mean), torch.from_numpy(var))
        expected = torch.nn.functional.batch_norm(rows, *running, *given[1:], training).reshape(shape)
        y, backward = F.batch_norm.vjp(x, gamma, beta, **moments)
        np.testing.assert_allclose(y, expected.detach(), rtol=1e-5, atol=1e-5)
        for ours, theirs in zip(backward(dy), torch.autograd.grad(expected, given, torch.from_numpy(dy)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-4)


def test_a_large_mean_does_no_harm():
    x = (1e4 + np.random.default_rng(3).standard_normal((4096, 3))).astype(np.float32)
    seen = []
    F.batch_norm(x, observe=lambda *moments: seen.extend(moments))
    expected = x.astype(np.float64)
    np.testing.assert_allclose(seen[0], expected.mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(seen[1], expected.var(axis=0), rtol=1e-3)


def test_a_large_mean_costs_no_more_than_in_pytorch(torch):
    x = (1e4 + np.random.default_rng(4).standard_normal((8, 31, 33, 64))).astype(np.float32)
    rows = torch.from_numpy(x).reshape(-1, 64)
    theirs, exact = (torch.nn.functional.batch_norm(r, None, None, training=True) for r in (rows, rows.double()))
    ours, theirs = F.batch_norm(x).reshape(-1, 64), theirs.numpy()
    assert np.abs(ours - exact.numpy()).max() <= max(np.abs(theirs - exact.numpy()).max(), 1e-3)


def test_one_value_a_channel_becomes_beta():
    y, backward = F.batch_norm.vjp(np.array([[5.0, -3.0]]), np.ones(2), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(y, [[1.0, 2.0]])
    np.testing.assert_array_equal(backward(np.ones((1, 2)))[0], 0)


def test_an_empty_batch_gives_an_empty_result():
    seen = []
    ones = np.ones(3, np.float32)
    y, backward = F.batch_norm.vjp(np.empty((0, 4, 3), np.float32), ones, ones, observe=lambda *m: seen.append(m))
    dx, dgamma, dbeta = backward(y)
    assert dx.shape == (0, 4, 3)
    np.testing.assert_array_equal(dgamma, 0)
    np.testing.assert_array_equal(dbeta, 0)
    assert not seen


def test_layouts():
    x, gamma, beta, *_ = arrays((6, 4, 5))
    check_forms(lambda x: F.batch_norm(x, gamma, beta), x)


def test_same_bits_for_any_number_of_threads(same_bits):
    x, gamma, beta, *_ = arrays((8, 30, 30, 24))

    def both_ways():
        y, backward = F.batch_norm.vjp(x, gamma, beta)
        return y, backward(y)

    same_bits(both_ways)


X = np.zeros((4, 3), np.float32)
BAD = [
    (lambda: F.batch_norm(X[0]), ValueError, "x: got shape (3,)"),
    (lambda: F.batch_norm(X[:, :0]), ValueError, "x: got shape (4, 0)"),
    (lambda: F.batch_norm(X, np.ones(4, np.float32)), ValueError, "gamma: got shape (4,)"),
    (lambda: F.batch_norm(X, beta=np.ones(3)), TypeError, "beta: got float64"),
    (lambda: F.batch_norm(X, mean=np.ones(3, np.float32)), ValueError, "mean, var: got one of them"),
    (lambda: F.batch_norm(X, eps=0), ValueError, "eps: got 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
