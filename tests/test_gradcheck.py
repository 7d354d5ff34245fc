"""gradcheck passes right pullbacks and catches wrong ones, naming argument, entry and both values."""

import numpy as np
import pytest

from neurojit.functional.op import op
from neurojit.layers.base import Layer, Mode, Parameter
from neurojit.testing import gradcheck


@op("x", "weight", "shift")
def affine(x, weight, shift=None, *, power=1):
    return (x @ weight + (0.0 if shift is None else shift)) ** power


@affine.define_vjp
def _(x, weight, shift=None, *, power=1):
    z = x @ weight + (0.0 if shift is None else shift)

    def pullback(dy, wrt):
        dz = dy * power * z ** (power - 1)
        dx = dz @ weight.T if wrt[0] else None
        dweight = x.T @ dz if wrt[1] else None
        return dx, dweight, (dz.sum(axis=0) if wrt[2] else None)

    return z**power, pullback


@op("x", "state")
def step(x, state, index):
    h, c = state
    return h * x, (c + x, h[index])


@step.define_vjp
def _(x, state, index):
    h, _c = state

    def pullback(dy, wrt):
        dproduct, (dsum, dpicked) = dy
        dh = dproduct * x
        dh[index] += dpicked
        return dproduct * h + dsum, (dh, dsum.copy())

    return step(x, state, index), pullback


def arrays(rng, *shapes):
    return [rng.standard_normal(shape) for shape in shapes]


def with_pullback(wrong, forward=affine):
    """`affine` with another pullback: wrong(dx, dweight) -> what it returns."""

    @op("x", "weight")
    def broken(x, weight):
        return forward(x, weight)

    @broken.define_vjp
    def _(x, weight):
        y, right = affine.vjp(x, weight)

        def pullback(dy, wrt):
            return wrong(*right(dy))

        return y, pullback

    return broken


def test_passes_right_pullbacks(rng):
    x, weight, shift = arrays(rng, (3, 4), (4, 2), (2,))
    gradcheck(affine, x, weight)
    gradcheck(affine, x, weight, shift, power=3)
    gradcheck(affine, x.astype(np.float32), weight=weight, shift=shift, power=2)


def test_takes_nested_arguments_and_results(rng):
    x, h, c = arrays(rng, 3, 3, 3)
    gradcheck(step, x, (h, c), np.array([2, 0]))
    with pytest.raises(ValueError, match=r"wanted names from \['x', 'state\[0\]', 'state\[1\]'\]"):
        gradcheck(step, x, (h, c), np.array([2, 0]), wrt=["index"])


def test_takes_plain_functions_and_scalars(rng):
    class Product:
        def __call__(self, x, scale, times):
            return float(np.sum(x) * scale * times)

        def vjp(self, x, scale, times):
            return self(x, scale, times), lambda dy: (dy * times * scale * np.ones_like(x), dy * times * np.sum(x))

    gradcheck(Product(), rng.standard_normal(3), np.array(2.0), 3)


@pytest.mark.parametrize("power", [1, 2])
def test_takes_empty_arrays(power):
    gradcheck(affine, np.empty((0, 2)), np.ones((2, 3)), power=power)


def test_names_argument_entry_and_values(rng):
    def wrong(dx, dweight):
        dweight[2, 1] *= 2
        return dx, dweight

    x, weight = arrays(rng, (3, 4), (4, 2))
    with pytest.raises(
        AssertionError, match=r"broken: gradient of weight at \(2, 1\): analytic .+, numeric .+, 1 of 8"
    ):
        gradcheck(with_pullback(wrong), x, weight)
    gradcheck(with_pullback(wrong), x, weight, wrt=["x"])
    gradcheck(with_pullback(wrong), x, weight, wrt=(True, False))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda dx, dweight: (0 * dx, dweight), "gradient of x at"),
        (lambda dx, dweight: (dx, -dweight), "gradient of weight at"),
        (lambda dx, dweight: (dx * (1 + 1e-4), dweight), "gradient of x at"),
        (lambda dx, dweight: (dx * np.nan, dweight), "gradient of x at"),
        (lambda dx, dweight: (dx, dweight.T), r"gradient of weight: got \(\(2, 4\), 'float64'\), wanted \(4, 2\)"),
        (lambda dx, dweight: (dx.astype(np.float32), dweight), "gradient of x: got"),
        (lambda dx, dweight: (None, dweight), "gradient of x: got None"),
    ],
    ids=["zero", "sign", "one part in ten thousand", "nan", "shape", "precision", "missing"],
)
def test_catches_wrong_gradients(rng, wrong, message):
    with pytest.raises(AssertionError, match=message):
        gradcheck(with_pullback(wrong), *arrays(rng, (3, 4), (4, 2)))


def test_catches_one_wrong_entry_of_a_large_array(rng):
    def wrong(dx, dweight):
        dx[7, 3] += 1.0
        return dx, dweight

    with pytest.raises(AssertionError, match="gradient of x"):
        gradcheck(with_pullback(wrong), *arrays(rng, (30, 4), (4, 2)), max_entries=5)
    gradcheck(affine, *arrays(rng, (30, 4), (4, 2)), max_entries=5)


def test_catches_a_value_other_than_the_calls(rng):
    broken = with_pullback(lambda *gradients: gradients, forward=lambda x, weight: affine(x, weight) + 1e-3)
    with pytest.raises(AssertionError, match="vjp's value"):
        gradcheck(broken, *arrays(rng, (3, 4), (4, 2)))


def test_catches_a_pullback_that_changes_what_it_keeps(rng):
    def wrong(dx, dweight, calls=[]):  # noqa: B006
        calls.append(1)
        return dx * len(calls), dweight

    with pytest.raises(AssertionError, match="gradient of x asked for alone"):
        gradcheck(with_pullback(wrong), *arrays(rng, (3, 4), (4, 2)))


def test_catches_a_modified_input(rng):
    class Scribbler:
        def __call__(self, x):
            return 2 * x

        def vjp(self, x):
            y = 2 * x

            def backward(dy):
                x[...] += 1.0
                return 2 * dy

            return y, backward

    with pytest.raises(AssertionError, match="x was modified"):
        gradcheck(Scribbler(), rng.standard_normal(3))


class Affine(Layer):
    """A layer with running statistics and an error of `wrong` in its weight's gradient."""

    def __init__(self, wrong=0.0):
        self.wrong = wrong

    def build(self, input_shape, key, dtype=np.float32):
        self.weight = Parameter(key.child(0).normal((input_shape[-1], 2), dtype=dtype))
        self.shift = Parameter(np.ones(2, dtype))
        self.passes = np.zeros(1)

    def forward(self, x, mode=None):
        self.ensure_built(x)
        self.passes += mode is not None and mode.training
        return affine(x, self.weight.value, self.shift.value) * (1 + self.passes)

    def vjp(self, x, mode=None):
        y = self.forward(x, mode)
        _, pullback = affine.vjp(x, self.weight.value, self.shift.value)
        scale = 1 + self.passes

        def backward(dy, need_dx=True):
            dx, dweight, dshift = pullback(scale * dy, (need_dx, True, True))
            gradients = {self.weight: dweight + self.wrong, self.shift: dshift}
            return dx, {p: g for p, g in gradients.items() if p.trainable}

        return y, backward


def test_checks_input_and_parameters_of_a_layer(rng):
    x = rng.standard_normal((3, 4))
    layer = Affine()
    gradcheck(layer, x)
    gradcheck(layer, x, mode=Mode(training=True))
    assert layer.passes == 0, "running statistics are put back"
    with pytest.raises(AssertionError, match=r"Affine: gradient of weight at"):
        gradcheck(Affine(wrong=1e-2), x)
    gradcheck(Affine(wrong=1e-2), x, wrt=["x", "shift"])


def test_leaves_out_frozen_parameters(rng):
    x = rng.standard_normal((3, 4))
    layer = Affine(wrong=1.0).make((4,), 0, np.float64)
    layer.weight.trainable = False
    gradcheck(layer, x)


def test_refuses_what_it_cannot_check(rng):
    x = rng.standard_normal((3, 4))
    with pytest.raises(TypeError, match="f: got function, wanted an operation, a layer or a function with vjp"):
        gradcheck(lambda x: x, x)
    with pytest.raises(ValueError, match="f: got parameter weight in float32, wanted a layer made in float64"):
        gradcheck(Affine().make((4,)), x)
    with pytest.raises(TypeError, match="wanted one batch and at most 'mode'"):
        gradcheck(Affine(), x, x)
