"""Penalties add to the gradients of a training's loss."""

import numpy as np
import pytest

from neurojit.layers import Dense, Sequential, Tanh
from neurojit.training import SGD, ArrayBatches, MeanSquaredError, Penalty, Trainer


class WeightDecay(Penalty):
    """0.5 rate |W|^2 of all matrices."""

    def __init__(self, rate):
        self.rate = rate
        self.seen = []

    def vjp(self, network, passes):
        self.seen.append([type(use.layer).__name__ for use in passes])
        matrices = [p for p in network.named_parameters().values() if p.value.ndim > 1]
        value = 0.5 * self.rate * sum(float(np.square(p.value).sum()) for p in matrices)
        return value, {p: self.rate * p.value for p in matrices}


X = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
DATA = ArrayBatches(X, np.sin(X[:, :1]))


def trained(penalties=(), weight_decay=0.0, **options):
    network = Sequential(Dense(4, use_bias=False), Tanh(), Dense(1, use_bias=False))
    optimizer = SGD(0.1, weight_decay=weight_decay)
    trainer = Trainer(
        network,
        MeanSquaredError(),
        optimizer,
        batch_size=4,
        max_epochs=3,
        random_state=0,
        penalties=penalties,
        **options,
    )
    return trainer.fit(DATA), network.state()


def test_a_penalty_on_weights_is_weight_decay():
    decay = WeightDecay(0.05)
    history, state = trained([decay])
    wanted, wanted_state = trained(weight_decay=0.05)
    np.testing.assert_allclose(history["loss"], wanted["loss"], rtol=1e-5)  # the loss alone, without the penalty
    for name, array in wanted_state.items():
        np.testing.assert_allclose(state[name], array, rtol=1e-5, atol=1e-7)
    assert decay.seen == [["Dense", "Tanh", "Dense", "Sequential"]] * 9
    _, both = trained([WeightDecay(0.02), WeightDecay(0.03)])
    np.testing.assert_allclose(both["0.weight"], state["0.weight"], rtol=1e-5, atol=1e-7)


def test_what_is_added_is_clipped_too():
    def reach(penalties):
        network = Sequential(Dense(1)).make((3,), 0)
        before = network[0].weight.value.copy()
        trainer = Trainer(
            network,
            MeanSquaredError(),
            SGD(1.0),
            batch_size=12,
            max_epochs=1,
            penalties=penalties,
            clip_norm=0.01,
            random_state=0,
        )
        trainer.fit(DATA)
        return np.linalg.norm(network[0].weight.value - before)

    assert reach([WeightDecay(1e6)]) == pytest.approx(0.01, rel=1e-3)


def test_a_penalty_of_nothing_changes_nothing():
    history, state = trained()
    again, again_state = trained([WeightDecay(0.0)])
    np.testing.assert_array_equal(history["loss"], again["loss"])
    np.testing.assert_array_equal(state["0.weight"], again_state["0.weight"])


def test_refuses_what_is_no_penalty():
    with pytest.raises(TypeError, match=r"penalties\[1\]: got float, wanted an instance of Penalty"):
        trained([WeightDecay(0.1), 0.1])
    with pytest.raises(TypeError, match="Penalty: a penalty declares vjp"):
        trained([Penalty()])
