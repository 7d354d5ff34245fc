"""The loop: what a fit does, in which order, with which random numbers, and how it ends."""

import math

import numpy as np
import pytest

from neurojit.core.random import Key
from neurojit.layers.base import INFERENCE, Layer, Parameter, add_gradients
from neurojit.training import SGD, Adam, ArrayBatches, Trainer
from tests.training.toys import Linear, Squared, assert_same_bits, line, line_batches, make_trainer, weights

# -- what a fit does --------------------------------------------------------------------------------------------------


def test_full_batch_descent_is_the_equation():
    x, y = line(dtype=np.float64)
    network = Linear(2).make((3,), 0, np.float64)
    weight, bias = network.weight.value.copy(), network.bias.value.copy()
    losses = []
    for _ in range(5):
        difference = x @ weight + bias - y
        losses.append((difference**2).mean())
        weight -= 0.1 * x.T @ difference * 2 / difference.size
        bias -= 0.1 * difference.sum(axis=0) * 2 / difference.size
    trainer = make_trainer(network, SGD(0.1), batch_size=40, max_epochs=5, shuffle=False)
    history = trainer.fit(ArrayBatches(x, y))
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)
    np.testing.assert_allclose(network.weight.value, weight, rtol=1e-12)
    np.testing.assert_allclose(network.bias.value, bias, rtol=1e-12)


def test_the_record_of_an_epoch():
    trainer = make_trainer(metrics={"first": lambda outputs, targets: targets[:, 0].mean()})
    data = line_batches(n=40)
    history = trainer.fit(data, line_batches(n=7, seed=1))
    assert history.keys() == [
        *("epoch", "loss", "first", "validation_loss", "validation_first"),
        *("learning_rate", "samples_per_second", "seconds"),
    ]
    assert list(history["epoch"]) == [1, 2, 3]
    np.testing.assert_allclose(history["first"], data.y[:, 0].mean(), rtol=1e-5)
    assert all(isinstance(value, int | float) for record in history for value in record.values())
    assert (trainer.epoch, trainer.updates, history.stopped) == (3, 9, None)


def test_the_loss_of_an_epoch_weighs_its_batches():
    x, y = line(n=40)
    weight = np.random.default_rng(0).uniform(0, 2, size=40)
    trainer = make_trainer(Linear(2), SGD(0.0), max_epochs=1)
    data = ArrayBatches(x, y, weight)
    trainer.fit(data)
    errors = ((trainer.network(x) - y) ** 2).mean(axis=1)
    wanted = (weight * errors).sum() / weight.sum()
    assert trainer.history[-1]["loss"] == pytest.approx(wanted, rel=1e-6)
    assert trainer.evaluate(data)["loss"] == pytest.approx(wanted, rel=1e-6)
    assert trainer.evaluate(ArrayBatches(x, y))["loss"] == pytest.approx(errors.mean(), rel=1e-6)


def test_validation_is_inference_in_batches_and_changes_nothing():
    sizes = []

    class Watched(Linear):
        def forward(self, x, mode=INFERENCE):
            sizes.append(len(x))
            assert not mode.training
            return super().forward(x, mode)

    with_validation, without = make_trainer(Watched(2, noise=0.1)), make_trainer()
    with_validation.fit(line_batches(), line_batches(n=20, seed=1))
    without.fit(line_batches())
    assert sizes == [16, 4] * 3
    assert_same_bits(weights(with_validation), weights(without))


def test_fit_again_does_nothing_until_more_epochs_are_asked_for():
    whole, parts = make_trainer(max_epochs=5), make_trainer(max_epochs=2)
    whole.fit(line_batches())
    parts.fit(line_batches())
    parts.fit(line_batches())
    assert parts.epoch == 2
    parts.max_epochs = 5
    parts.fit(line_batches())
    assert_same_bits(weights(whole), weights(parts))


def test_epochs_one_by_one_are_a_fit():
    whole, single = make_trainer(), make_trainer()
    whole.fit(line_batches())
    records = [single.run_epoch(line_batches()) for _ in range(3)]
    assert_same_bits(weights(whole), weights(single))
    assert records == list(single.history)


def test_inputs_take_the_precision_of_the_network():
    x, y = line(dtype=np.float64)
    network = Linear(2).make((3,), 0, np.float32)
    make_trainer(network).fit(ArrayBatches(x, y))
    assert network.weight.value.dtype == np.float32
    unbuilt = make_trainer(Linear(2))
    unbuilt.fit(ArrayBatches(x, y))
    assert unbuilt.network.weight.value.dtype == np.float64


# -- random numbers ---------------------------------------------------------------------------------------------------


def test_a_random_state_is_a_training():
    runs = [make_trainer(random_state=state) for state in (1, 1, 2, np.random.default_rng(3), Key(4))]
    for trainer in runs:
        trainer.fit(line_batches())
    assert_same_bits(weights(runs[0]), weights(runs[1]))
    for other in runs[2:]:
        assert not np.array_equal(runs[0].network.weight.value, other.network.weight.value)


def test_a_network_is_built_as_its_own_make_would():
    trainer = make_trainer(random_state=7)
    trainer.build(line_batches())
    assert_same_bits(weights(trainer), Linear(2).make((3,), 7).state())


def test_every_epoch_has_its_order_and_every_batch_its_key():
    orders, keys = [], []

    class Watched(Trainer):
        def step(self, batch, key):
            orders.append(batch.x[:, 0].tolist())
            keys.append(key)
            return super().step(batch, key)

    trainer = Watched(Linear(1), Squared(), SGD(), batch_size=5, max_epochs=2, random_state=0)
    x = np.arange(10.0)[:, None] / 10
    trainer.fit(ArrayBatches(x, x))
    first, second = orders[0] + orders[1], orders[2] + orders[3]
    assert sorted(first) == sorted(second) == x[:, 0].tolist()
    assert first != second
    assert keys == [trainer.key.child(epoch).child(batch) for epoch in (0, 1) for batch in (0, 1)]
    ordered = Watched(Linear(1), Squared(), SGD(), batch_size=5, max_epochs=1, shuffle=False, random_state=0)
    ordered.fit(ArrayBatches(x, x))
    assert orders[-2] + orders[-1] == x[:, 0].tolist()


def test_the_same_bits_on_any_number_of_threads(same_bits):
    """One weight is large enough for the optimizer's and the norm's parallel kernels."""
    x, y = line(n=32, features=400, units=400)

    def train():
        trainer = make_trainer(Linear(400, noise=0.1), max_epochs=2, clip_norm=0.5)
        trainer.fit(ArrayBatches(x, y))
        return tuple(trainer.network.state().values())

    same_bits(train)


# -- parameters -------------------------------------------------------------------------------------------------------


def test_frozen_parameters_stay():
    network = Linear(2).make((3,), 0)
    network.weight.trainable = False
    before = network.weight.value.copy()
    trainer = make_trainer(network, Adam(0.1, weight_decay=0.1))
    trainer.fit(line_batches())
    np.testing.assert_array_equal(network.weight.value, before)
    assert network.bias.value.any()
    assert list(trainer.state()["optimizer"]["parameters"]) == ["bias"]


def test_a_wholly_frozen_network_only_counts():
    network = Linear(2).make((3,), 0).freeze()
    before = network.weight.value.copy()
    history = make_trainer(network, clip_norm=1.0).fit(line_batches())
    np.testing.assert_array_equal(network.weight.value, before)
    assert len(history) == 3


class Twice(Layer):
    """y = f(f(x)): one layer used twice, so its parameters are tied."""

    def __init__(self, layer):
        self.layer = layer

    def children(self):
        return {"layer": self.layer}

    def build(self, input_shape, key, dtype=np.float32):
        self.layer.make(input_shape, key, dtype)

    def vjp(self, x, mode=INFERENCE):
        middle, first = self.layer.vjp(x, mode)
        y, second = self.layer.vjp(middle, mode)

        def backward(dy, need_dx=True):
            dy, gradients = second(dy)
            dx, found = first(dy, need_dx)
            return dx, add_gradients(gradients, found)

        return y, backward


def test_tied_parameters_take_one_step_along_both_gradients():
    x, y = line(units=3, dtype=np.float64)
    network = Twice(Linear(3)).make((3,), 0, np.float64)
    start = network.layer.weight.value.copy()

    def loss():
        return Squared().value(network.vjp(x)[0], y)

    numeric, value = np.empty_like(start), network.layer.weight.value
    for i in np.ndindex(start.shape):
        value[i] = start[i] + 1e-6
        above = loss()
        value[i] = start[i] - 1e-6
        numeric[i] = (above - loss()) / 2e-6
        value[i] = start[i]
    trainer = make_trainer(network, SGD(0.1), batch_size=40, max_epochs=1)
    trainer.fit(ArrayBatches(x, y))
    np.testing.assert_allclose(value, start - 0.1 * numeric, rtol=1e-6)
    assert list(trainer.state()["optimizer"]["parameters"]) == ["layer.weight", "layer.bias"]


def test_nobody_asks_for_the_gradient_to_the_data():
    asked = []

    class Watched(Linear):
        def vjp(self, x, mode=INFERENCE):
            y, backward = super().vjp(x, mode)
            return y, lambda dy, need_dx=True: (asked.append(need_dx), backward(dy, need_dx))[1]

    make_trainer(Watched(2), max_epochs=1).fit(line_batches(n=20))
    assert asked == [False, False]


def test_clip_norm_bounds_the_step():
    trainer = make_trainer(Linear(2), SGD(1.0), batch_size=40, max_epochs=1, clip_norm=1e-3)
    trainer.build(line_batches())
    before = weights(trainer)
    trainer.fit(line_batches())
    step = math.sqrt(sum(((array - before[name]) ** 2).sum() for name, array in weights(trainer).items()))
    assert step == pytest.approx(1e-3, rel=2e-3)


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "lenet"}, "network: got str, wanted an instance of Layer"),
        ({"optimizer": "adam"}, "optimizer: got str, wanted an instance of Optimizer"),
        ({"batch_size": 0}, "batch_size: got 0"),
        ({"max_epochs": -1}, "max_epochs: got -1, wanted an integer >= 0"),
        ({"clip_norm": 0.0}, "clip_norm: got 0.0, wanted a number > 0"),
        ({"schedule": 0.1}, "schedule: got float, wanted an instance of Schedule"),
        ({"callbacks": [print]}, r"callbacks\[0\]: got builtin_function_or_method, wanted an instance of Callback"),
        ({"random_state": "zero"}, "random_state: got str"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make_trainer(**options)


def test_data_that_is_no_source_is_named():
    x, y = line()
    with pytest.raises(TypeError, match="train: got tuple, wanted a data source such as ArrayBatches"):
        make_trainer().fit((x, y))
    with pytest.raises(TypeError, match="validation: got tuple, wanted a data source"):
        make_trainer().fit(line_batches(), (x, y))


def test_parameters_are_plain_objects_to_the_optimizer():
    assert Adam().state({"w": Parameter(np.ones(2))}) == {"learning_rate": 0.001, "parameters": {}}
