"""Activations: against exact values, central differences and PyTorch."""

import functools
import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import activation as reference

NAMES = ["relu", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh", "softplus"]
NAMES += ["hard_sigmoid", "hard_swish", "thresholded_relu"]
EXTREMES = np.array([np.nan, np.inf, -np.inf, 0.0, 1e30, -1e30, 1e-30, -1e-30, 88.8, -88.8, 104.0, -104.0])
CASES = {name: (getattr(F, name), getattr(reference, name), {}) for name in NAMES}
CASES |= {
    "leaky_relu(0.3)": (F.leaky_relu, reference.leaky_relu, {"slope": 0.3}),
    "elu(1.7)": (F.elu, reference.elu, {"alpha": 1.7}),
    "celu(1.7)": (F.celu, reference.celu, {"alpha": 1.7}),
    "hard_sigmoid(0.2, 0.4)": (F.hard_sigmoid, reference.hard_sigmoid, {"slope": 0.2, "offset": 0.4}),
    "thresholded_relu(0.25)": (F.thresholded_relu, reference.thresholded_relu, {"threshold": 0.25}),
    "gelu(approximate)": (F.gelu, reference.gelu, {"approximate": True}),
}


def exact(function, x, options):
    return np.array([function(float(v), **options) for v in x.ravel()]).reshape(x.shape)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_definition(name, dtype):
    op, function, options = CASES[name]
    x = np.concatenate([EXTREMES, np.linspace(-20, 20, 1001), np.linspace(-1, 1, 1001)]).astype(dtype)
    y = op(x, **options)
    expected = exact(function, x, options)
    assert y.dtype == dtype
    tolerance = {"rtol": 1e-6, "atol": 5e-7} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(y, expected, **tolerance)


@hypothesis.given(st.lists(st.integers(0, 5), min_size=0, max_size=4), st.sampled_from(NAMES))
def test_any_shape(shape, name):
    x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    before = x.copy()
    y = getattr(F, name)(x)
    assert y.shape == x.shape
    np.testing.assert_allclose(y, exact(getattr(reference, name), x, {}), rtol=1e-6, atol=5e-7)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("name", CASES)
def test_pullback_equals_central_differences(name):
    op, _, options = CASES[name]
    x = np.random.default_rng(2).uniform(-4, 4, (3, 5, 7))
    gradcheck(op, x[np.newaxis], **options)


@pytest.mark.parametrize("name", CASES)
def test_gradients_at_extremes_are_numbers(name):
    op, _, options = CASES[name]
    for dtype in (np.float32, np.float64):
        y, backward = op.vjp(EXTREMES[1:].astype(dtype), **options)
        assert np.isfinite(backward(np.ones_like(y))).all()
        y, backward = op.vjp(np.full(3, np.nan, dtype), **options)
        assert np.isnan(y).all()


FLOATS = np.sort(
    np.concatenate(
        [
            np.arange(0, 0x7F800000, 4099, dtype=np.uint32).view(np.float32),
            -np.arange(0, 0x7F800000, 4099, dtype=np.uint32).view(np.float32),
            np.linspace(-12, 12, 1 << 20, dtype=np.float32),
            np.nextafter(np.float32(0.625), np.float32([0, 1])),
            np.arange(0x3F300000, 0x3F320000, dtype=np.uint32).view(np.float32),  # around ln 2
        ]
    )
)


@pytest.mark.parametrize(("op", "function"), [(F.sigmoid, lambda x: 1 / (1 + np.exp(-x))), (F.tanh, np.tanh)])
def test_float32_is_accurate_and_monotone(op, function):
    with np.errstate(over="ignore"):
        wanted = function(FLOATS.astype(np.float64))
    got = op(FLOATS)
    error = np.abs(got - wanted)
    assert error.max() <= 1e-7
    normal = np.abs(wanted) >= 2.0**-126
    assert (error[normal] / np.spacing(np.abs(wanted[normal]).astype(np.float32))).max() <= 4
    assert (np.diff(got) >= 0).all()
    ends = op(np.array([-np.inf, np.inf, np.nan], np.float32))
    np.testing.assert_array_equal(ends, [function(-math.inf), 1, np.nan])


# PyTorch's names where they are others, with what its function takes besides.
RENAMED = {"hard_sigmoid": "hardsigmoid", "hard_swish": "hardswish", "thresholded_relu": "threshold"}


@pytest.mark.parametrize("name", [name for name in CASES if name != "hard_sigmoid(0.2, 0.4)"])
def test_equals_pytorch(name, torch):
    op, _, options = CASES[name]
    theirs = getattr(torch.nn.functional, RENAMED.get(op.__name__, op.__name__))
    if op is F.thresholded_relu:
        options = {"threshold": 1.0, **options}
        theirs = functools.partial(theirs, value=0.0)
    renamed = {"slope": ("negative_slope", 0.3), "approximate": ("approximate", "tanh")}
    options_there = dict(renamed.get(key, (key, value)) for key, value in options.items())
    x = np.random.default_rng(3).uniform(-6, 6, 1000).astype(np.float32)
    given = torch.from_numpy(x.copy()).requires_grad_()
    expected = theirs(given, **options_there)
    y, backward = op.vjp(x, **options)
    np.testing.assert_allclose(y, expected.detach(), rtol=2e-6, atol=1e-6)
    dy = np.random.default_rng(4).standard_normal(1000).astype(np.float32)
    (dx,) = torch.autograd.grad(expected, given, torch.from_numpy(dy))
    np.testing.assert_allclose(backward(dy), dx, rtol=1e-5, atol=2e-6)


# -- slopes that are learned ------------------------------------------------------------------------------------------


SLOPES = [
    ((2, 3, 4), (4,)),
    ((2, 3, 4), (3, 4)),
    ((2, 3, 4), ()),
    ((2, 3, 4), (1,)),
    ((2, 3, 4), (3, 1)),
    ((0, 3), (3,)),
]
SLOPES += [((300, 70), (70,)), ((2, 3, 4), (2, 3, 4)), ((), ()), ((3, 1), (1,)), ((2, 3, 4), (2, 1, 4))]


@pytest.mark.parametrize(("shape", "slopes"), SLOPES)
def test_prelu(shape, slopes):
    rng = np.random.default_rng(10)
    x, slope = np.asarray(rng.standard_normal(shape)), np.asarray(rng.uniform(-0.5, 0.5, slopes))
    expected = np.vectorize(reference.prelu, otypes=[float])(x, np.broadcast_to(slope, shape))
    np.testing.assert_array_equal(F.prelu(x, slope), expected)
    if x.size:
        gradcheck(F.prelu, x, slope)
    _, backward = F.prelu.vjp(x, slope)
    assert [gradient.shape for gradient in backward(np.ones(shape))] == [shape, slopes]


def test_prelu_equals_pytorch(torch):
    x, slope = np.random.default_rng(11).standard_normal((2, 40, 7)).astype(np.float32), np.linspace(-1, 1, 7)
    slope = slope.astype(np.float32)
    given, theirs = (torch.from_numpy(a).requires_grad_() for a in (x.transpose(0, 2, 1).copy(), slope.copy()))
    expected = torch.nn.functional.prelu(given, theirs)
    y, backward = F.prelu.vjp(x, slope)
    np.testing.assert_array_equal(y, expected.detach().permute(0, 2, 1))
    dx, dslope = backward(y)
    found = torch.autograd.grad(expected, (given, theirs), expected.detach())
    np.testing.assert_allclose(dx, found[0].permute(0, 2, 1), rtol=1e-6)
    np.testing.assert_allclose(dslope, found[1], rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: F.prelu(x, np.ones(3, np.float32)), ValueError, "slope: got shape (3,)"),
        (lambda x: F.prelu(x, np.ones((1, 4, 2), np.float32)), ValueError, "slope: got shape (1, 4, 2)"),
        (lambda x: F.prelu(x, np.ones(2)), TypeError, "slope: got float64"),
        (lambda x: F.celu(x, 0), ValueError, "alpha: got 0"),
        (lambda x: F.celu.vjp(x, -1.0), ValueError, "alpha: got -1.0"),
        (lambda x: F.softmax(x, axis=2), ValueError, "axis: got 2"),
        (lambda x: F.log_softmax(x, axis=None), TypeError, "axis: got None"),
    ],
)
def test_bad_options(call, error, message):
    with pytest.raises(error) as raised:
        call(np.zeros((4, 2), np.float32))
    assert str(raised.value).startswith(message)


# -- softmax ----------------------------------------------------------------------------------------------------------


@hypothesis.given(
    st.lists(st.integers(0, 4), max_size=2),
    st.integers(1, 40),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from(["softmax", "log_softmax"]),
)
def test_softmax_equals_the_definition(leading, classes, dtype, name):
    x = (5 * np.random.default_rng(5).standard_normal((*leading, classes))).astype(dtype)
    expected = np.apply_along_axis(getattr(reference, name), -1, x.astype(np.float64)) if x.size else np.empty(x.shape)
    y = getattr(F, name)(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-6)


@pytest.mark.parametrize("op", [F.softmax, F.log_softmax])
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax_along_any_axis(op, axis):
    x = np.random.default_rng(6).standard_normal((4, 2, 7))
    gradcheck(op, x, axis=axis)
    np.testing.assert_allclose(op(x, axis=axis), np.moveaxis(op(np.moveaxis(x, axis, -1)), -1, axis), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_extremes(dtype):
    x = np.array([[-np.inf, 0, 0], [1e4, 1e4, -1e4], [np.nan, 1, 2], [np.inf, 0, 1], [-np.inf] * 3], dtype)
    none = [np.nan] * 3
    np.testing.assert_allclose(F.softmax(x), [[0, 0.5, 0.5], [0.5, 0.5, 0], none, none, none])
    half = -math.log(2)
    np.testing.assert_allclose(
        F.log_softmax(x), [[-np.inf, half, half], [half, half, half - 2e4], none, none, none], rtol=1e-6
    )
    for sign in (1, -1):
        x = sign * np.abs(np.random.default_rng(7).standard_normal((3, 50))).astype(dtype) * 300
        np.testing.assert_allclose(F.softmax(x), F.softmax(x - x.max(axis=1, keepdims=True)), rtol=1e-4)


# -- for all ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, "softmax", "log_softmax"])
def test_layouts(name):
    check_forms(getattr(F, name), np.random.default_rng(8).standard_normal((4, 3, 5)).astype(np.float32))


@pytest.mark.parametrize("name", ["relu", "gelu", "softmax", "log_softmax"])
def test_same_bits_for_any_number_of_threads(name, same_bits):
    x = np.random.default_rng(9).standard_normal((300, 333)).astype(np.float32)

    def both_ways():
        y, backward = getattr(F, name).vjp(x)
        return y, backward(x)

    same_bits(both_ways)


@pytest.mark.parametrize("name", [*NAMES, "softmax", "log_softmax"])
def test_bad_input(name):
    with pytest.raises(TypeError, match="x: got dtype <U1"):
        getattr(F, name)(np.array(["a"]))
    if "softmax" in name:
        with pytest.raises(ValueError, match=r"x: got shape \(3, 0\)"):
            getattr(F, name)(np.empty((3, 0)))
