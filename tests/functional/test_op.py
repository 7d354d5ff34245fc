"""What every operation does: bind its arguments, hand out gradients in their order, and check the cotangent."""

import copy
import inspect
import pickle

import numpy as np
import pytest

from neurojit.functional.op import Op, op


@op("x", "weight", "bias")
def affine(x, weight, bias=None, *, scale=1.0):
    """An affine map."""
    return scale * (x * weight + (0.0 if bias is None else bias))


asked = []  # the wrt that each pullback was given


@affine.define_vjp
def _(x, weight, bias=None, *, scale=1.0):
    def pullback(dy, wrt):
        asked.append(wrt)
        gradients = (scale * dy * weight, scale * dy * x, scale * dy)
        return tuple(g if wanted else None for g, wanted in zip(gradients, wrt, strict=True))

    return affine(x, weight, bias, scale=scale), pullback


@op("x")
def halves(x):
    return x[:1], (x[1:2], x[2:])


@halves.define_vjp
def _(x):
    def pullback(dy, wrt):
        da, (db, dc) = dy
        return (np.concatenate([da, db, dc]),)

    return halves(x), pullback


@pytest.fixture
def xwb(rng):
    return [rng.standard_normal(3) for _ in range(3)]


def test_looks_like_its_function():
    assert affine.__name__ == "affine"
    assert affine.__doc__ == "An affine map."
    assert list(inspect.signature(affine).parameters) == ["x", "weight", "bias", "scale"]
    assert "affine(x, weight, bias=None, *, scale=1.0)" in repr(affine)


def test_value_is_the_calls(xwb):
    np.testing.assert_array_equal(affine.vjp(*xwb, scale=2.0)[0], affine(*xwb, scale=2.0))


def test_gradients_come_for_the_arrays_given_in_the_order_of_the_signature(xwb):
    x, weight, bias = xwb
    dy = np.ones(3)
    for y_and_backward in (affine.vjp(x, weight, bias), affine.vjp(bias=bias, weight=weight, x=x)):
        dx, dweight, dbias = y_and_backward[1](dy)
        np.testing.assert_array_equal(dx, weight)
        np.testing.assert_array_equal(dweight, x)
        np.testing.assert_array_equal(dbias, dy)
    assert len(affine.vjp(x, weight)[1](dy)) == 2
    assert len(affine.vjp(x, weight, None)[1](dy)) == 2


def test_a_single_gradient_comes_bare():
    _, backward = halves.vjp(np.arange(4.0))
    np.testing.assert_array_equal(backward((np.array([1.0]), (np.array([2.0]), np.array([3.0, 4.0])))), [1, 2, 3, 4])


def test_wrt_reaches_the_pullback(xwb):
    x, weight, bias = xwb
    dy = np.ones(3)
    asked.clear()
    _, backward = affine.vjp(x, weight, bias)
    dx, dweight, dbias = backward(dy, wrt=(False, True, True))
    assert dx is None
    np.testing.assert_array_equal(dweight, x)
    np.testing.assert_array_equal(dbias, dy)
    _, backward = affine.vjp(x, weight)
    backward(dy)
    backward(dy, (False, True))
    assert asked == [(False, True, True), (True, True, False), (False, True, False)]


def test_wrt_has_one_value_for_each_array_given(xwb):
    _, backward = affine.vjp(*xwb[:2])
    with pytest.raises(ValueError, match=r"wrt: got 3 values .* wanted 2, one for each array given to affine"):
        backward(np.ones(3), wrt=(True, True, True))


@pytest.mark.parametrize(
    ("dy", "error", "message"),
    [
        (np.ones(2), ValueError, r"dy: got shape \(2,\), wanted \(3\)"),
        (np.ones((3, 1)), ValueError, "dy: got shape"),
        (np.ones(3, np.float32), TypeError, "dy: got float32, wanted float64"),
        ("abc", TypeError, "dy: got dtype"),
    ],
)
def test_the_cotangent_is_checked(xwb, dy, error, message):
    _, backward = affine.vjp(*xwb)
    with pytest.raises(error, match=message):
        backward(dy)


def test_nested_cotangents_are_checked():
    _, backward = halves.vjp(np.arange(4.0))
    one = np.ones(1)
    for dy, message in [
        (one, "dy: got ndarray, wanted a tuple of 2 gradients"),
        ((one, one), r"dy\[1\]: got ndarray, wanted a tuple of 2"),
        ((one, (one, one)), r"dy\[1\]\[1\]: got shape \(1,\), wanted \(2\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            backward(dy)


def test_differentiable_arguments_are_named_in_order():
    with pytest.raises(TypeError, match="not arguments in the order"):
        op("weight", "x")(lambda x, weight: x)
    with pytest.raises(TypeError, match="not arguments in the order"):
        op("z")(lambda x: x)


def test_is_copied_and_pickled_by_name():
    from neurojit.functional.dense import dense

    assert isinstance(dense, Op)
    assert copy.deepcopy(dense) is dense
    assert pickle.loads(pickle.dumps(dense)) is dense  # noqa: S301
