"""Normalization of each sample: instance, group, layer and root-mean-square, against definitions and PyTorch."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import normalization as reference

EPS = 1e-3
# name: function of x, gamma and beta; its definition without them
CASES = {
    "instance": (lambda x, g, b: F.instance_norm(x, g, b, eps=EPS), lambda x: reference.instance_norm(x, EPS)),
    "group": (lambda x, g, b: F.group_norm(x, g, b, groups=2, eps=EPS), lambda x: reference.group_norm(x, 2, EPS)),
    "one group": (lambda x, g, b: F.group_norm(x, g, b, groups=1, eps=EPS), lambda x: reference.group_norm(x, 1, EPS)),
    "layer": (lambda x, g, b: F.layer_norm(x, g, b, eps=EPS), lambda x: reference.layer_norm(x, (x.ndim - 1,), EPS)),
    "rms": (lambda x, g, b: F.rms_norm(x, g, eps=EPS) + b, lambda x: reference.rms_norm(x, (x.ndim - 1,), EPS)),
}


def arrays(shape, dtype=np.float32):
    rng = np.random.default_rng(1)
    x = (3 * rng.standard_normal(shape) + 2).astype(dtype)
    return x, *rng.standard_normal((2, shape[-1])).astype(dtype)


@hypothesis.given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.sampled_from([2, 4, 6, 64, 70]),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from(sorted(CASES)),
)
@hypothesis.settings(max_examples=60)
def test_equals_the_definition(shape, channels, dtype, name):
    function, definition = CASES[name]
    x, gamma, beta = arrays((*shape, channels), dtype)
    y = function(x, gamma, beta)
    assert y.dtype == dtype
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(y, definition(x) * gamma + beta, **tolerance)


@pytest.mark.parametrize("shape", [(3, 4), (2, 5, 6), (1, 1, 2), (2, 9, 9, 130), (2, 3, 2, 2, 8), (5, 700)])
def test_pullbacks_equal_central_differences(shape):
    x, gamma, beta = arrays(shape, np.float64)
    few = {"max_entries": 30}
    if x.ndim > 2 and x.size > 2:  # of one value there is no variance, and the differences are all rounding
        gradcheck(F.instance_norm, x, gamma, beta, **few)
        gradcheck(F.instance_norm, x, **few)
    for groups in (1, 2):
        gradcheck(F.group_norm, x, gamma, beta, groups=groups, **few)
    gradcheck(F.group_norm, x, beta=beta, groups=1, **few)
    gradcheck(F.layer_norm, x, gamma, beta, **few)
    gradcheck(F.layer_norm, x, beta=beta, **few)
    gradcheck(F.rms_norm, x, gamma, **few)
    gradcheck(F.rms_norm, x, **few)


@pytest.mark.parametrize("axis", [0, 1, -2, (1, 2), (2, 1), (-1, -2, -3), (3, 1), (0, 1, 2, 3)])
def test_any_axes(axis):
    x = np.random.default_rng(2).standard_normal((3, 4, 2, 5))
    axes = tuple(a % 4 for a in (axis if isinstance(axis, tuple) else (axis,)))
    weights = np.random.default_rng(3).standard_normal((2, *(x.shape[a] for a in axes)))
    spread = [np.moveaxis(w[(...,) + (None,) * (4 - len(axes))], range(len(axes)), axes) for w in weights]
    expected = reference.layer_norm(x, axes, EPS) * spread[0] + spread[1]
    y = F.layer_norm(x, *weights, axis=axis, eps=EPS)
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-9)
    assert y.flags.c_contiguous
    expected = reference.rms_norm(x, axes, EPS) * spread[0]
    np.testing.assert_allclose(F.rms_norm(x, weights[0], axis=axis, eps=EPS), expected, rtol=1e-9, atol=1e-9)
    gradcheck(F.layer_norm, x, *weights, axis=axis, max_entries=30)
    gradcheck(F.rms_norm, x, weights[0], axis=axis, max_entries=30)


@pytest.mark.parametrize("shape", [(2, 9, 7, 64), (4, 3, 3, 20)])
def test_equals_pytorch(shape, torch):
    x, gamma, beta = arrays(shape)
    functions = torch.nn.functional
    given = [torch.from_numpy(a.copy()).requires_grad_() for a in (x, gamma, beta)]
    image = given[0].permute(0, 3, 1, 2)
    dy = np.random.default_rng(4).standard_normal(shape).astype(np.float32)
    pairs = {
        "instance": (F.instance_norm.vjp(x, gamma, beta), functions.instance_norm(image, None, None, *given[1:])),
        "group": (F.group_norm.vjp(x, gamma, beta, groups=4), functions.group_norm(image, 4, *given[1:])),
        "layer": (F.layer_norm.vjp(x, gamma, beta), functions.layer_norm(given[0], shape[-1:], *given[1:])),
        "rms": (F.rms_norm.vjp(x, gamma), functions.rms_norm(given[0], shape[-1:], given[1], 1e-5)),
    }
    for name, ((y, backward), expected) in pairs.items():
        expected = expected if name in ("layer", "rms") else expected.permute(0, 2, 3, 1)
        np.testing.assert_allclose(y, expected.detach(), rtol=1e-5, atol=2e-5, err_msg=name)
        found = backward(dy)
        wanted = torch.autograd.grad(expected, given[: len(found)], torch.from_numpy(dy), retain_graph=True)
        for ours, theirs in zip(found, wanted, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-4, err_msg=name)


@pytest.mark.parametrize("name", ["instance_norm", "group_norm", "layer_norm"])
def test_a_large_mean_costs_no_more_than_in_pytorch(name, torch):
    x = (1e4 + np.random.default_rng(5).standard_normal((4, 31, 33, 64))).astype(np.float32)
    image = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    functions = torch.nn.functional
    ours, theirs, exact = {
        "instance_norm": lambda f: (F.instance_norm(x), functions.instance_norm(image), functions.instance_norm(f)),
        "group_norm": lambda f: (F.group_norm(x, groups=8), functions.group_norm(image, 8), functions.group_norm(f, 8)),
        "layer_norm": lambda f: (
            F.layer_norm(x, axis=(1, 2, 3)),
            functions.layer_norm(image, image.shape[1:]),
            functions.layer_norm(f, f.shape[1:]),
        ),
    }[name](image.double())
    exact = exact.permute(0, 2, 3, 1).numpy()
    error = np.abs(ours - exact).max()
    assert error <= max(np.abs(theirs.permute(0, 2, 3, 1).numpy() - exact).max(), 1e-3)


@pytest.mark.parametrize("name", CASES)
def test_layouts_and_no_samples(name):
    function, _ = CASES[name]
    x, gamma, beta = arrays((3, 5, 4, 6))
    check_forms(lambda x: function(x, gamma, beta), x)
    assert function(x[:0], gamma, beta).shape == (0, 5, 4, 6)
    for op in (F.layer_norm, F.instance_norm):
        _, backward = op.vjp(x[:0], gamma, beta)
        dx, dgamma, dbeta = backward(x[:0])
        assert dx.shape == (0, 5, 4, 6)
        np.testing.assert_array_equal([dgamma, dbeta], 0)


@pytest.mark.parametrize("name", CASES)
def test_a_nan_stays_in_its_set(name):
    x, gamma, beta = arrays((3, 5, 4, 6))
    x[1, 2, 3, 0] = np.nan
    y = CASES[name][0](x, gamma, beta)
    assert np.isnan(y[1, 2, 3, 0])
    assert np.isfinite(y[[0, 2]]).all()


def test_same_bits_for_any_number_of_threads(same_bits):
    x, gamma, beta = arrays((8, 30, 30, 24))

    def both_ways():
        results = []
        for op, options in ((F.instance_norm, {}), (F.group_norm, {"groups": 3}), (F.layer_norm, {})):
            y, backward = op.vjp(x, gamma, beta, **options)
            results += [y, *backward(y)]
        y, backward = F.rms_norm.vjp(x, gamma)
        return *results, y, *backward(y)

    same_bits(both_ways)


X = np.zeros((4, 5, 6), np.float32)
BAD = [
    (lambda: F.instance_norm(X[0, 0]), ValueError, "x: got shape (6,)"),
    (lambda: F.instance_norm(X, np.ones(5, np.float32)), ValueError, "gamma: got shape (5,)"),
    (lambda: F.instance_norm(X, eps=0), ValueError, "eps: got 0"),
    (lambda: F.group_norm(X, groups=4), ValueError, "groups: got 4"),
    (lambda: F.group_norm(X, groups=0), ValueError, "groups: got 0"),
    (lambda: F.group_norm(X, groups=1.5), TypeError, "groups: got 1.5"),
    (lambda: F.layer_norm(X, axis=3), ValueError, "axis: got 3"),
    (lambda: F.layer_norm(X, axis=(1, -2)), ValueError, "axis: got (1, -2)"),
    (lambda: F.layer_norm(X, axis=()), TypeError, "axis: got ()"),
    (lambda: F.layer_norm(X, axis=None), TypeError, "axis: got None"),
    (lambda: F.layer_norm(X, np.ones(6, np.float32), axis=(1, 2)), ValueError, "gamma: got shape (6,)"),
    (lambda: F.layer_norm(X, beta=np.ones(6)), TypeError, "beta: got float64"),
    (lambda: F.layer_norm(X, eps=-1), ValueError, "eps: got -1"),
    (lambda: F.rms_norm(X[:, :, :0]), ValueError, "x: got shape (4, 5, 0)"),
    (lambda: F.rms_norm(X.astype(str)), TypeError, "x: got dtype"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
