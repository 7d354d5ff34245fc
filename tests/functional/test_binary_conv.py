"""binary_conv2d and binary_dense: against the definition, gradients against differences straight through the signs."""

import numpy as np
import pytest

import neurojit.functional as F
from tests.functional.awkward import check_forms
from tests.reference import binary_conv as reference
from tests.reference.conv import conv

DEFAULTS = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
# name: shape of x, of the weights, options as the reference takes them
CASES = {
    "few channels": ((2, 5, 6, 3), (3, 2, 3, 4), {}),
    "a word of channels": ((1, 5, 4, 64), (3, 3, 64, 5), {"padding": ((1, 1), (1, 1))}),
    "words and a rest": ((2, 4, 4, 131), (3, 3, 131, 18), {"padding": ((1, 0), (0, 2))}),
    "stride and dilation": (
        (1, 9, 8, 7),
        (2, 3, 7, 33),
        {"stride": (2, 1), "dilation": (2, 3), "padding": ((1, 1), (3, 2))},
    ),
    "pointwise": ((3, 3, 3, 70), (1, 1, 70, 9), {}),
    "no images": ((0, 4, 4, 5), (3, 3, 5, 2), {}),
}


def arrays(case, dtype):
    """x, weight, bias; some values are zero, whose sign is +1, and some larger than 1, where no gradient passes."""
    shape, weight_shape, options = CASES[case]
    rng = np.random.default_rng(1)
    x, weight, bias = (rng.standard_normal(s).astype(dtype) for s in (shape, weight_shape, weight_shape[-1:]))
    x[..., 0] = 0
    return x, weight, bias, DEFAULTS | options


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_definition(case, dtype):
    x, weight, bias, options = arrays(case, dtype)
    tolerance = {"rtol": 1e-5, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-11}
    y = F.binary_conv2d(x, weight, bias, **options)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, reference.xnor_conv(x, weight, bias, **options), **tolerance)
    y = F.binary_conv2d(x, weight, binary_input=False, **options)
    np.testing.assert_allclose(y, reference.weight_conv(x, weight, **options), **tolerance)


def differences(function, at, dy, eps=1e-6):
    """Central differences of sum(dy * function) in every entry of `at`."""
    gradient = np.empty_like(at)
    for i in range(at.size):
        step = np.zeros_like(at)
        step.flat[i] = eps
        gradient.flat[i] = np.sum(dy * (function(at + step) - function(at - step))) / (2 * eps)
    return gradient


@pytest.mark.parametrize("binary_input", [True, False])
@pytest.mark.parametrize("case", ["few channels", "stride and dilation"])
def test_gradients_go_straight_through_the_signs(case, binary_input):
    x, weight, bias, options = arrays(case, np.float64)
    weight *= 2  # some beyond 1
    x, weight = x[:, :, :, :3], weight[:, :, :3, :2]
    bias = bias[:2]
    y, backward = F.binary_conv2d.vjp(x, weight, bias, binary_input=binary_input, **options)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx, dweight, dbias = backward(dy)
    alpha, filters = reference.alpha(weight), reference.sign(weight)
    scale = reference.k(x, weight.shape[:2], **options) if binary_input else 1
    seen = (lambda v: reference.straight(v, x)) if binary_input else (lambda v: v)

    def through_x(v):
        return conv(seen(v), alpha * filters, **options, groups=1) * scale

    def through_product(v):  # v stands for alpha sign(w)
        return conv(seen(x), v, **options, groups=1) * scale

    np.testing.assert_allclose(dx, differences(through_x, x, dy), rtol=1e-6, atol=1e-7)
    dproduct = differences(through_product, alpha * filters, dy)
    expected = dproduct * (1 / weight[..., 0].size + alpha * (np.abs(weight) <= 1))
    np.testing.assert_allclose(dweight, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(dbias, dy.sum(axis=(0, 1, 2)), rtol=1e-12)
    assert (np.abs(weight) > 1).any()
    assert not binary_input or (dx[np.abs(x) > 1] == 0).all()


def test_the_vjp_gives_the_same_value_and_skips_what_is_not_asked_for():
    x, weight, bias, options = arrays("words and a rest", np.float32)
    y, backward = F.binary_conv2d.vjp(x, weight, bias, **options)
    np.testing.assert_array_equal(y, F.binary_conv2d(x, weight, bias, **options))
    dx, dweight, _ = backward(y, wrt=(True, False, True))
    assert dweight is None
    np.testing.assert_array_equal(dx, backward(y)[0])


def test_counts_stay_exact():
    x = np.where(np.random.default_rng(3).random((1, 6, 6, 1000)) < 0.5, -1, 1).astype(np.float32)
    weight = np.where(np.random.default_rng(4).random((3, 3, 1000, 2)) < 0.5, -1, 1).astype(np.float32)
    np.testing.assert_array_equal(F.binary_conv2d(x, weight), F.conv2d(x.astype(float), weight.astype(float)))


@pytest.mark.parametrize("binary_input", [True, False])
def test_dense_is_a_convolution_of_one_pixel(binary_input, rng):
    x, weight, bias = rng.standard_normal((5, 70)), rng.standard_normal((70, 3)), rng.standard_normal(3)
    y, backward = F.binary_dense.vjp(x, weight, bias, binary_input=binary_input)
    left = reference.sign(x) * np.abs(x).mean(axis=1, keepdims=True) if binary_input else x
    expected = left @ (np.abs(weight).mean(axis=0) * reference.sign(weight)) + bias
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(F.binary_dense(x, weight, bias, binary_input=binary_input), y)
    window, other = F.binary_conv2d.vjp(x[:, None, None], weight[None, None], bias, binary_input=binary_input)
    for mine, theirs in zip(backward(y), other(window), strict=True):
        np.testing.assert_array_equal(mine, theirs.reshape(mine.shape))


def test_memory_layouts():
    x, weight, bias, options = arrays("words and a rest", np.float32)
    check_forms(lambda form: F.binary_conv2d(form, weight, bias, **options), x)


def test_same_bits_for_any_number_of_threads(same_bits):
    rng = np.random.default_rng(5)
    x, weight = rng.standard_normal((4, 20, 20, 80), np.float32), rng.standard_normal((3, 3, 80, 40), np.float32)

    def run():
        y, backward = F.binary_conv2d.vjp(x, weight, padding=1)
        return y, *backward(y)

    same_bits(run)


X, WEIGHT = np.ones((1, 4, 4, 3)), np.ones((3, 3, 3, 2))
BAD = {
    "channels": (lambda: F.binary_conv2d(X[..., :2], WEIGHT), ValueError, "weight: got shape"),
    "mode": (lambda: F.binary_conv2d(X, WEIGHT, binary_input="xnor"), TypeError, "binary_input: got 'xnor'"),
    "stride": (lambda: F.binary_conv2d(X, WEIGHT, stride=0), ValueError, "stride: got 0"),
    "dilation": (lambda: F.binary_conv2d(X, WEIGHT, dilation=-1), ValueError, "dilation: got -1"),
    "window": (lambda: F.binary_conv2d(X[:, :2], WEIGHT), ValueError, "window: got 3"),
    "bias": (lambda: F.binary_conv2d(X, WEIGHT, np.ones(3)), ValueError, "bias: got shape"),
    "precision": (lambda: F.binary_conv2d(X.astype(np.float32), WEIGHT), TypeError, "weight: got float64"),
    "dense": (lambda: F.binary_dense(np.ones((2, 3)), np.ones((4, 2))), ValueError, "weight: got shape"),
    "dense, of images": (lambda: F.binary_dense(X, np.ones((3, 2))), ValueError, "x: got 4 axes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()
