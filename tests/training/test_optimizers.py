"""Optimizers equal their papers' equations, PyTorch's, and themselves on any number of threads."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurojit.functional import optimizer as functional
from neurojit.layers.base import Parameter
from neurojit.training import SGD, Adam, AdamW, RMSprop
from tests.reference import optimizer as reference

ORACLES = [
    (SGD, "SGD", {"learning_rate": 0.001}),
    (SGD, "SGD", {"learning_rate": 0.05, "weight_decay": 0.1}),
    (SGD, "SGD", {"learning_rate": 0.02, "momentum": 0.9}),
    (SGD, "SGD", {"learning_rate": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05}),
    (RMSprop, "RMSprop", {}),
    (RMSprop, "RMSprop", {"alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    (RMSprop, "RMSprop", {"momentum": 0.9}),
    (RMSprop, "RMSprop", {"centered": True, "alpha": 0.95}),
    (RMSprop, "RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.01, "eps": 1e-2}),
    (Adam, "Adam", {}),
    (Adam, "Adam", {"learning_rate": 0.1, "betas": (0.5, 0.9), "eps": 1e-2, "weight_decay": 0.1}),
    (Adam, "Adam", {"betas": (0.0, 0.999)}),
    (AdamW, "AdamW", {}),
    (AdamW, "AdamW", {"learning_rate": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.3}),
]


def name_of(case):
    return f"{case[1]}-{case[2]}"


@pytest.mark.parametrize("case", ORACLES, ids=name_of)
def test_twenty_steps_equal_torch(case, rng, torch):
    cls, torch_name, options = case
    values = [np.asarray(rng.normal(size=shape)) for shape in ((3, 4), (5,), ())]
    ours = [Parameter(value.copy()) for value in values]
    theirs = [torch.tensor(value, requires_grad=True) for value in values]
    torch_options = {("lr" if name == "learning_rate" else name): option for name, option in options.items()}
    optimizer, oracle = cls(**options), getattr(torch.optim, torch_name)(theirs, **torch_options)
    for _ in range(20):
        gradients = [rng.normal(size=value.shape) for value in values]
        optimizer.update(dict(zip(ours, gradients, strict=True)))
        for tensor, gradient in zip(theirs, gradients, strict=True):
            tensor.grad = torch.tensor(gradient)
        oracle.step()
        for parameter, tensor in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(parameter.value, tensor.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cls", [SGD, RMSprop, Adam, AdamW])
def test_defaults_are_torchs(cls, torch):
    """All but SGD's learning rate: 0.01, where PyTorch went from asking for one to 0.001."""
    theirs = inspect.signature(getattr(torch.optim, cls.__name__)).parameters
    for name, parameter in inspect.signature(cls).parameters.items():
        if (cls, name) == (SGD, "learning_rate"):
            continue
        assert parameter.default == theirs["lr" if name == "learning_rate" else name].default, name


shapes = st.lists(st.integers(0, 5), min_size=0, max_size=3).map(tuple)
rates = st.floats(1e-4, 1.0)


def normals(rng, count, shape):
    return [np.asarray(rng.normal(size=shape)) for _ in range(count)]


@given(shape=shapes, rate=rates, momentum=st.sampled_from([0.5, 0.9]), nesterov=st.booleans(), decay=st.just(0.1))
def test_sgd_is_its_equation(shape, rate, momentum, nesterov, decay):
    rng = np.random.default_rng(1)
    value, gradient, velocity = normals(rng, 3, shape)
    wanted = reference.sgd(value, gradient, velocity, rate, momentum, nesterov, decay)
    options = {"learning_rate": rate, "momentum": momentum, "nesterov": nesterov, "weight_decay": decay}
    kept = gradient.copy()
    functional.sgd_update(value, gradient, velocity, **options)
    for got, want in zip((value, velocity), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(gradient, kept)


@given(shape=shapes, rate=rates, momentum=st.sampled_from([0.0, 0.9]), centered=st.booleans())
def test_rmsprop_is_its_equation(shape, rate, momentum, centered):
    rng = np.random.default_rng(2)
    value, gradient, mean, velocity = normals(rng, 4, shape)
    square = np.asarray(mean**2 + rng.uniform(0.5, 1, size=shape))
    wanted = reference.rmsprop(value, gradient, square, mean, velocity, rate, 0.9, 1e-3, 0.1, momentum, centered)
    options = {"learning_rate": rate, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}
    functional.rmsprop_update(value, gradient, square, mean, velocity, momentum=momentum, centered=centered, **options)
    for got, want in zip((value, square, mean, velocity), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


@given(shape=shapes, rate=rates, updates=st.integers(1, 1000), decoupled=st.booleans())
def test_adam_is_its_equation(shape, rate, updates, decoupled):
    rng = np.random.default_rng(3)
    value, gradient, mean = normals(rng, 3, shape)
    square = np.asarray(rng.uniform(0.5, 1, size=shape))
    wanted = reference.adam(value, gradient, mean, square, updates, rate, (0.9, 0.99), 1e-3, 0.1, decoupled)
    options = {"learning_rate": rate, "betas": (0.9, 0.99), "eps": 1e-3, "weight_decay": 0.1, "decoupled": decoupled}
    functional.adam_update(value, gradient, mean, square, updates=updates, **options)
    for got, want in zip((value, mean, square), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


LARGE = [SGD(momentum=0.9, nesterov=True), RMSprop(weight_decay=0.1), AdamW()]


@pytest.mark.parametrize("kind", LARGE, ids=repr)
def test_large_arrays_take_the_same_steps_as_small_ones_on_any_threads(kind, rng, same_bits):
    size = 2 * functional._PARALLEL_SIZE + 7
    start = rng.normal(size=size).astype(np.float32)
    gradients = rng.normal(size=(2, size)).astype(np.float32)

    def train(pieces):
        parameters = [Parameter(piece.copy()) for piece in np.array_split(start, pieces)]
        kind._memories = {}
        for gradient in gradients:
            kind.update(dict(zip(parameters, np.array_split(gradient, pieces), strict=True)))
        return np.concatenate([parameter.value for parameter in parameters])

    same_bits(lambda: train(1))
    np.testing.assert_allclose(train(1), train(5), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("make", [SGD, lambda: SGD(momentum=0.9), RMSprop, Adam, AdamW])
def test_gradients_of_any_layout_are_taken_and_left_alone(make, rng):
    value, gradient = rng.normal(size=(2, 4, 6)).astype(np.float32)
    layouts = {"plain": gradient.copy(), "fortran": np.asfortranarray(gradient), "read-only": gradient.copy()}
    layouts["reversed"] = gradient[::-1, ::-1].copy()[::-1, ::-1]
    layouts["read-only"].flags.writeable = False
    results = []
    for layout in layouts.values():
        parameter, optimizer = Parameter(value.copy()), make()
        optimizer.update({parameter: layout})
        np.testing.assert_array_equal(layout, gradient)
        results.append(parameter.value)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_each_parameter_counts_its_own_updates(rng):
    """A parameter that was frozen at first takes its bias correction from its own first step."""
    late, alone = Parameter(np.ones(3)), Parameter(np.ones(3))
    early, optimizer, fresh = Parameter(np.ones(3)), Adam(), Adam()
    gradient = rng.normal(size=3)
    optimizer.update({early: gradient})
    optimizer.update({early: gradient, late: gradient})
    fresh.update({alone: gradient})
    np.testing.assert_array_equal(late.value, alone.value)


@pytest.mark.parametrize("make", [SGD, lambda: SGD(momentum=0.9), RMSprop, lambda: RMSprop(centered=True), AdamW])
def test_a_loaded_state_goes_on_to_the_same_bits(make, rng):
    gradients = rng.normal(size=(4, 3))
    whole, broken, loaded = (Parameter(np.ones(3)) for _ in range(3))
    optimizer, first, second = make(), make(), make()
    for gradient in gradients:
        optimizer.update({whole: gradient})
    first.learning_rate = second.learning_rate = optimizer.learning_rate
    for gradient in gradients[:2]:
        first.update({broken: gradient})
    loaded.value[...] = broken.value
    second.load_state(first.state({"w": broken}), {"w": loaded})
    for gradient in gradients[2:]:
        second.update({loaded: gradient})
    np.testing.assert_array_equal(loaded.value, whole.value)


def test_a_loaded_state_is_a_copy(rng):
    parameter = Parameter(np.ones(3))
    optimizer, other = Adam(0.5), Adam()
    optimizer.update({parameter: rng.normal(size=3)})
    other.load_state(optimizer.state({"w": parameter}), {"w": parameter})
    assert other.learning_rate == 0.5
    other.update({parameter: rng.normal(size=3)})
    assert optimizer.state({"w": parameter})["parameters"]["w"]["updates"] == 1
    one, two = (o.state({"w": parameter})["parameters"]["w"]["mean"] for o in (optimizer, other))
    assert not np.shares_memory(one, two)
    assert not np.array_equal(one, two)


def test_a_state_that_does_not_fit_is_an_error_and_changes_nothing():
    parameter = Parameter(np.ones(3))
    adam, sgd = Adam(), SGD(momentum=0.9)
    adam.update({parameter: np.ones(3)})
    with pytest.raises(ValueError, match=r"state\['w'\]: got \['mean', 'square', 'updates'\], wanted"):
        sgd.load_state(adam.state({"w": parameter}), {"w": parameter})
    with pytest.raises(ValueError, match=r"state: got unknown parameters \['w'\]"):
        adam.load_state(adam.state({"w": parameter}), {"v": parameter})
    with pytest.raises(ValueError, match=r"state\['w'\]\['mean'\]: got shape \(3,\), wanted \(4,\)"):
        adam.load_state(adam.state({"w": parameter}), {"w": Parameter(np.ones(4))})
    assert adam.state({"w": parameter})["parameters"]["w"]["updates"] == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(-1.0), "learning_rate: got -1.0, wanted a number >= 0"),
        (lambda: SGD("fast"), "learning_rate: got 'fast', wanted a number"),
        (lambda: SGD(float("nan")), "learning_rate: got nan"),
        (lambda: SGD(momentum=-0.1), "momentum: got -0.1"),
        (lambda: SGD(nesterov=True), "momentum: got 0.0, wanted a number > 0 for nesterov=True"),
        (lambda: RMSprop(alpha=1.0), "alpha: got 1.0, wanted a number >= 0 and < 1"),
        (lambda: RMSprop(eps=-1e-8), "eps: got -1e-08"),
        (lambda: Adam(betas=0.9), "betas: got 0.9, wanted two numbers"),
        (lambda: Adam(betas=(0.9, 1.5)), r"betas\[1\]: got 1.5"),
        (lambda: AdamW(weight_decay=True), "weight_decay: got True, wanted a number"),
    ],
)
def test_bad_options_are_named(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@pytest.mark.parametrize(
    ("value", "gradient", "message"),
    [
        (np.ones(3), np.ones(4), r"gradient: got shape \(4,\), wanted \(3"),
        (np.ones(3), np.ones(3, np.float32), "gradient: got float32, wanted float64"),
        (np.ones(3, int), np.ones(3), "value: got dtype int64"),
        ([1.0], np.ones(1), "value: got list, wanted a numpy array"),
        (np.ones((3, 2)).T, np.ones((2, 3)), "value: got a read-only or non-contiguous array"),
        (np.broadcast_to(1.0, 3), np.ones(3), "value: got a read-only or non-contiguous array"),
    ],
)
def test_bad_arrays_are_named(value, gradient, message):
    with pytest.raises((TypeError, ValueError), match=message):
        functional.sgd_update(value, gradient, learning_rate=0.1)


def test_bad_memories_are_named():
    one, other = np.ones(3), np.ones(3, np.float32)
    with pytest.raises(TypeError, match="velocity: got float32, wanted float64"):
        functional.sgd_update(one, one.copy(), other, learning_rate=0.1)
    with pytest.raises(ValueError, match=r"square: got shape \(2,\), wanted \(3,\)"):
        functional.adam_update(one, one.copy(), one.copy(), np.ones(2), updates=1, learning_rate=0.1)
    with pytest.raises(ValueError, match="updates: got 0, wanted an integer >= 1"):
        functional.adam_update(one, one.copy(), one.copy(), one.copy(), updates=0, learning_rate=0.1)
    with pytest.raises(ValueError, match=r"mean, velocity: got None, wanted arrays for momentum=0.9"):
        functional.rmsprop_update(one, one.copy(), one.copy(), learning_rate=0.1, momentum=0.9)
