"""Sequences of unequal length in batches, their lengths in passes, and states carried from batch to batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurojit.core.random import Key
from neurojit.layers.base import INFERENCE, Layer, Parameter
from neurojit.training import (
    SGD,
    Adam,
    ArrayBatches,
    Checkpoint,
    CrossEntropy,
    MeanSquaredError,
    SequenceBatches,
    StreamBatches,
    Trainer,
    accuracy,
    label_error_rate,
)
from neurojit.training.metrics import edit_distance
from tests.training.toys import assert_same_bits, weights

rng = np.random.default_rng(0)


class Running(Layer):
    """y_t = x_t weight + decay y_(t-1), in NumPy: over valid steps, from where the last pass ended if there is one."""

    def __init__(self, units, decay=0.5):
        self.units = units
        self.decay = decay

    def build(self, input_shape, key, dtype=np.float32):
        self.weight = Parameter(key.normal((input_shape[-1], self.units), 0.3, dtype))

    def forward(self, x, mode=INFERENCE):
        return self.vjp(x, mode)[0]

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        n, t, _ = x.shape
        lengths = np.full(n, t) if mode.lengths is None else mode.lengths
        valid = (np.arange(t) < lengths[:, None])[..., None]
        driven, y = x @ self.weight.value, np.zeros((n, t, self.units), x.dtype)
        state = np.zeros((n, self.units), x.dtype) if mode.carry is None else mode.carry.get(self, 0)
        for step in range(t):
            state = np.where(valid[:, step], driven[:, step] + self.decay * state, state)
            y[:, step] = state * valid[:, step]
        if mode.carry is not None:
            mode.carry[self] = state

        def backward(dy, need_dx=True):
            dy = dy * valid
            ddriven, later = np.zeros_like(dy), 0
            for step in reversed(range(t)):
                later = np.where(valid[:, step], dy[:, step] + self.decay * later, later)
                ddriven[:, step] = later * valid[:, step]
            return ddriven @ self.weight.value.T, {self.weight: np.einsum("ntf,ntu->fu", x, ddriven)}

        return y, backward


def ragged(lengths, features=2, dtype=np.float32):
    return [rng.normal(size=(length, features)).astype(dtype) for length in lengths]


# -- batches ----------------------------------------------------------------------------------------------------------


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=30),
    batch_size=st.integers(1, 8),
    sort_within=st.integers(1, 4),
    shuffle=st.booleans(),
)
def test_every_sequence_comes_once_with_its_length_target_and_weight(lengths, batch_size, sort_within, shuffle):
    x = [np.full((length, 1), i + 1) for i, length in enumerate(lengths)]
    steps = [np.full(length, i) for i, length in enumerate(lengths)]
    weight = np.arange(len(x)) + 1.0
    data = SequenceBatches(x, steps, weight, per_step=True, sort_within=sort_within)
    seen = []
    for batch in data.batches(batch_size, Key(3) if shuffle else None):
        found = batch.x[:, 0, 0] - 1
        own = np.array(lengths)[found]
        assert batch.x.shape[1] == own.max()
        np.testing.assert_array_equal(np.full(len(own), own.max()) if batch.lengths is None else batch.lengths, own)
        for row, i in enumerate(found):
            assert (batch.x[row, : own[row]] == i + 1).all()
            assert not batch.x[row, own[row] :].any()
            assert (batch.targets[row, : own[row]] == i).all()
            assert (batch.targets[row, own[row] :] == -100).all()
        assert len(batch) == own.sum()
        assert batch.weight == (own * weight[found]).sum()
        seen += found.tolist()
    assert sorted(seen) == list(range(len(x)))
    assert seen == sorted(seen) or shuffle
    assert len(data) == sum(lengths)


def test_sorting_saves_padding_and_the_order_is_the_keys_alone():
    x = ragged(rng.integers(1, 50, size=200))

    def shapes(sort_within, key):
        return [batch.x.shape[:2] for batch in SequenceBatches(x, sort_within=sort_within).batches(8, key)]

    def steps(found):
        return sum(n * t for n, t in found)

    assert steps(shapes(25, Key(0))) < 0.65 * steps(shapes(1, Key(0)))
    assert shapes(5, Key(0)) == shapes(5, Key(0)) != shapes(5, Key(1))
    longest = [t for _, t in shapes(25, Key(0))]
    assert longest != sorted(longest)


def test_arrays_with_and_without_lengths():
    x = rng.normal(size=(5, 7, 2))
    whole = next(SequenceBatches(x, np.arange(5)).batches(3))
    np.testing.assert_array_equal(whole.x, x[:3])
    assert whole.lengths is None
    part = next(SequenceBatches(x, np.arange(5), lengths=[2, 4, 3, 7, 7]).batches(3))
    np.testing.assert_array_equal(part.x, x[:3, :4])
    assert part.lengths.tolist() == [2, 4, 3]
    assert part.lengths.dtype == np.int64


def test_labels_of_any_length_and_values_for_each_step():
    x = ragged([3, 1, 2])
    labels = next(SequenceBatches(x, [[1], [2, 3, 4, 5], [6]]).batches(3))
    assert labels.targets.labels.tolist() == [[1, -100, -100, -100], [2, 3, 4, 5], [6, -100, -100, -100]]
    assert labels.targets.lengths.tolist() == labels.lengths.tolist() == [3, 1, 2]
    assert len(labels) == 3
    values = [np.ones((len(one), 1)) for one in x]
    batch = next(SequenceBatches(x, values, per_step=True).batches(3))
    np.testing.assert_array_equal(batch.targets[..., 0], [[1, 1, 1], [1, 0, 0], [1, 1, 0]])
    np.testing.assert_array_equal(batch.sample_weight, batch.targets[..., 0])


SEQUENCES = {
    "no sequences": (([],), {}, ValueError, "x: got an empty list"),
    "no steps": (([np.ones((2, 3)), np.ones((0, 3))],), {}, ValueError, r"x\[1\]: got shape \(0, 3\)"),
    "no steps in an array": ((np.ones((2, 0, 3)),), {}, ValueError, r"x: got shape \(2, 0, 3\)"),
    "other features": (([np.ones((2, 3)), np.ones((2, 4))],), {}, ValueError, r"x\[1\]: got steps of shape \(4,\)"),
    "a number": (([np.ones((2, 3)), 1.0],), {}, ValueError, r"x\[1\]: got shape \(\)"),
    "targets": (([np.ones((2, 3))], [1, 2]), {}, ValueError, "y: got 2 targets, wanted 1"),
    "steps": (([np.ones((2, 3))], [[1, 2, 3]]), {"per_step": True}, ValueError, r"y\[0\]: got 3 targets, wanted 2"),
    "steps of an array": ((np.ones((2, 3)), np.ones(2)), {"per_step": True}, ValueError, r"y: got shape \(2,\)"),
    "no steps' targets": ((np.ones((2, 3)),), {"per_step": True}, ValueError, "y: got None"),
    "weights": ((np.ones((2, 3)), None, [-1, 1]), {}, ValueError, "sample_weight"),
    "lengths too long": ((np.ones((2, 3)),), {"lengths": [1, 4]}, ValueError, "lengths: got 1 to 4, wanted 1 to 3"),
    "length 0": ((np.ones((2, 3)),), {"lengths": [0, 3]}, ValueError, "lengths: got 0 to 3, wanted 1 to 3"),
    "lengths too few": ((np.ones((2, 3)),), {"lengths": [1]}, ValueError, r"lengths: got shape \(1,\)"),
    "half lengths": ((np.ones((2, 3)),), {"lengths": [0.5, 1]}, TypeError, "lengths: got dtype float64"),
    "lengths twice": (([np.ones((2, 3))],), {"lengths": [2]}, ValueError, "lengths: got some beside a list"),
    "sort within 0": ((np.ones((2, 3)),), {"sort_within": 0}, ValueError, "sort_within: got 0"),
}


@pytest.mark.parametrize("case", SEQUENCES)
def test_bad_sequences_are_named(case):
    arguments, options, error, message = SEQUENCES[case]
    with pytest.raises(error, match=message):
        SequenceBatches(*arguments, **options)


@given(n=st.integers(2, 60), streams=st.integers(1, 7), steps=st.integers(1, 9))
def test_streams_go_on_from_batch_to_batch(n, streams, steps):
    symbols = np.arange(n)
    batches = list(StreamBatches(symbols, steps).batches(streams))
    inputs = np.concatenate([batch.x for batch in batches], axis=1)
    targets = np.concatenate([batch.targets for batch in batches], axis=1)
    np.testing.assert_array_equal(inputs.ravel(), np.arange(inputs.size))
    np.testing.assert_array_equal(targets, inputs + 1)
    assert all(batch.x.shape[1] == steps for batch in batches[:-1])
    assert n - 1 - len(inputs) < targets.size <= n - 1
    assert sum(len(batch) for batch in batches) == targets.size


@pytest.mark.parametrize(
    ("symbols", "message"),
    [([1], "symbols: got 1, wanted at least two"), ([], "symbols: got 0"), ([[1, 2]], "symbols: got 2 axes")],
)
def test_bad_streams_are_named(symbols, message):
    with pytest.raises(ValueError, match=message):
        StreamBatches(symbols)
    with pytest.raises(TypeError, match="symbols: got dtype float64"):
        StreamBatches([1.0, 2.0])


# -- passes -----------------------------------------------------------------------------------------------------------


def test_a_padded_batch_is_its_sequences_one_by_one():
    """One step of descent on a padded batch has the gradient of the mean over all valid steps."""
    x = ragged([3, 1, 5], dtype=np.float64)
    y = [rng.integers(0, 3, size=len(one)) for one in x]
    network = Running(3).make((5, 2), 0, np.float64)
    start = network.weight.value.copy()
    total, loss = np.zeros_like(start), 0.0
    for one, labels in zip(x, y, strict=True):
        outputs, backward = network.vjp(one[None])
        value, loss_backward = CrossEntropy().vjp(outputs, labels[None])
        total += backward(loss_backward())[1][network.weight] * len(one) / 9
        loss += value * len(one) / 9
    trainer = Trainer(network, CrossEntropy(), SGD(1.0), batch_size=3, max_epochs=1, metrics={"accuracy": accuracy})
    data = SequenceBatches(x, y, per_step=True)
    assert trainer.evaluate(data)["loss"] == pytest.approx(loss, rel=1e-12)
    hits = sum((network(one[None])[0].argmax(axis=1) == labels).sum() for one, labels in zip(x, y, strict=True))
    assert trainer.evaluate(data)["accuracy"] == pytest.approx(hits / 9)
    trainer.fit(data)
    np.testing.assert_allclose(network.weight.value, start - total, rtol=1e-12)


def test_losses_over_batches_weigh_steps():
    x = ragged([3, 1, 5, 2, 2, 7])
    y = [rng.integers(0, 3, size=len(one)) for one in x]
    weight = np.array([1.0, 2.0, 0.0, 3.0, 0.5, 1.0])
    network = Running(3).make((5, 2), 0)
    each = [CrossEntropy().value(network(one[None]), labels[None]) for one, labels in zip(x, y, strict=True)]
    trainer = Trainer(network, CrossEntropy(), SGD(0.0), batch_size=4, max_epochs=1)
    lengths = np.array([len(one) for one in x])
    for given_weight, counts in ((None, lengths), (weight, weight * lengths)):
        data = SequenceBatches(x, y, given_weight, per_step=True)
        wanted = (counts * each).sum() / counts.sum()
        assert trainer.evaluate(data)["loss"] == pytest.approx(wanted, rel=1e-6)


def test_padding_does_not_count_in_a_squared_error():
    x = ragged([3, 1], dtype=np.float64)
    y = [rng.normal(size=(len(one), 2)) for one in x]
    network = Running(2).make((3, 2), 0, np.float64)
    errors = [(network(one[None])[0] - values) ** 2 for one, values in zip(x, y, strict=True)]
    data = SequenceBatches(x, y, per_step=True)
    found = Trainer(network, MeanSquaredError(), SGD()).evaluate(data)["loss"]
    assert found == pytest.approx(np.concatenate(errors).mean(), rel=1e-12)


def test_accuracy_leaves_out_what_is_ignored():
    outputs = np.eye(3)[[[0, 1, 2], [2, 1, 0]]]
    assert accuracy(outputs, np.array([[0, 1, -100], [0, -100, -100]])) == pytest.approx(2 / 3)
    assert np.isnan(accuracy(outputs, np.full((2, 3), -100)))


# -- states that are carried on ---------------------------------------------------------------------------------------


def stream_trainer(stateful=True, **options):
    options = {"batch_size": 4, "max_epochs": 3, "random_state": 0} | options
    return Trainer(Embedded(5), CrossEntropy(), Adam(0.01), stateful=stateful, **options)


class Embedded(Running):
    """The same on one-hot symbols."""

    def build(self, input_shape, key, dtype=np.float32):
        super().build((5,), key, dtype)

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return super().vjp(np.eye(5, dtype=np.float32)[x], mode)


SYMBOLS = rng.integers(0, 5, size=200)


def test_evaluation_in_parts_is_that_of_the_whole():
    whole = stream_trainer().evaluate(StreamBatches(SYMBOLS, 1000))["loss"]
    parts = StreamBatches(SYMBOLS, 13)
    one_stream = stream_trainer(batch_size=1)
    assert one_stream.evaluate(parts)["loss"] == pytest.approx(whole, rel=1e-6)
    assert one_stream.evaluate(parts)["loss"] == one_stream.evaluate(parts)["loss"]
    assert stream_trainer(False, batch_size=1).evaluate(parts)["loss"] != pytest.approx(whole, rel=1e-6)


def test_training_starts_anew_in_each_epoch_and_is_not_disturbed_by_evaluation():
    starts = []

    class Watched(Trainer):
        def step(self, batch, key):
            starts.append(dict(self._carry))
            result = super().step(batch, key)
            self.evaluate(StreamBatches(SYMBOLS[:50], 13))
            return result

    watched = Watched(
        Embedded(5), CrossEntropy(), Adam(0.01), stateful=True, batch_size=4, max_epochs=2, random_state=0
    )
    watched.fit(StreamBatches(SYMBOLS, 13))
    assert [len(carry) for carry in starts] == [0, 1, 1, 1] * 2
    plain = stream_trainer(max_epochs=2)
    plain.fit(StreamBatches(SYMBOLS, 13))
    assert_same_bits(weights(watched), weights(plain))


def test_a_stateful_training_is_not_shuffled():
    trainer = stream_trainer()
    seen = []
    trainer.step = lambda batch, key: (seen.append(batch.x[:, 0].tolist()), (0.0, batch.x))[1]
    trainer.max_epochs = 1
    trainer.fit(ArrayBatches(SYMBOLS[:40].reshape(8, 5), SYMBOLS[:40].reshape(8, 5)))
    np.testing.assert_array_equal(np.concatenate(seen), SYMBOLS[:40].reshape(8, 5)[:, 0])


@pytest.mark.parametrize("kind", ["ragged", "stream"])
def test_a_resumed_training_has_the_bits_of_an_unbroken_one(tmp_path, kind):
    path = tmp_path / "c.safetensors"
    x = ragged(rng.integers(1, 9, size=40))
    y = [rng.integers(0, 3, size=len(one)) for one in x]

    def fit(trainer):
        data = SequenceBatches(x, y, per_step=True, sort_within=2) if kind == "ragged" else StreamBatches(SYMBOLS, 13)
        trainer.fit(data)
        return trainer

    def make(**options):
        options = {"batch_size": 4, "max_epochs": 4, "random_state": 0} | options
        network = Running(3) if kind == "ragged" else Embedded(5)
        return Trainer(network, CrossEntropy(), Adam(0.01), stateful=kind == "stream", **options)

    whole = fit(make())
    fit(make(max_epochs=2, callbacks=[Checkpoint(path)]))
    resumed = fit(make(random_state=9).resume(path))
    assert_same_bits(weights(whole), weights(resumed))
    np.testing.assert_array_equal(whole.history["loss"], resumed.history["loss"])


# -- reading labels ---------------------------------------------------------------------------------------------------


def naive_distance(one, other):
    if not len(one) or not len(other):
        return len(one) + len(other)
    return min(
        naive_distance(one[1:], other) + 1,
        naive_distance(one, other[1:]) + 1,
        naive_distance(one[1:], other[1:]) + (one[0] != other[0]),
    )


@given(one=st.lists(st.integers(0, 2), max_size=5), other=st.lists(st.integers(0, 2), max_size=5))
def test_edits_are_the_fewest(one, other):
    assert edit_distance(one, other) == edit_distance(np.array(other), np.array(one)) == naive_distance(one, other)


def test_label_error_rate_weighs_labels():
    assert label_error_rate([[1, 2], [3, 3]], [[1], [3, 3, 4]]) == 0.5
    assert label_error_rate([[1, 2], [3, 3]], [[1], [3, 3, 4]], [0, 2]) == pytest.approx(1 / 3)
    assert label_error_rate(["cat"], ["cat"]) == 0
    assert np.isnan(label_error_rate([[1]], [[]]))
