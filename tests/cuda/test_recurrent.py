"""Recurrent layers, losses and estimators on the device give what they give on the CPU."""

import numpy as np
import pytest

import neurojit as nj
import neurojit.functional as F
from neurojit.core.cuda import on_device, to_device, use_target
from neurojit.core.random import Key
from neurojit.kernels.cuda import walks
from neurojit.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    ConvLSTM,
    Dense,
    Embedded,
    Embedding,
    LastStep,
    Mode,
    Sequential,
    Stacked,
    TimeDistributed,
)

pytest.importorskip("greenlet", reason="the emulator of kernels needs greenlet")
from tests.cuda.recurrent_cases import BY_STEP, leaves
from tests.emulator.target import Emulator

TOKENS = np.array([[1, 0, 3, 1], [2, 2, 1, 0]])
LENGTHS = np.array([3, 2])


@pytest.fixture
def device():
    with use_target(Emulator(watches=False)) as emulator:
        yield emulator


def both_passes(layer, x, mode, where):
    """Output, gradient to x and gradients to the parameters by name."""
    layer.to(where)
    names = {parameter: name for name, parameter in layer.named_parameters().items()}
    x = to_device(x) if where == "cuda" and x.dtype.kind == "f" else x
    y, backward = layer.vjp(x, mode)
    dy = np.random.default_rng(1).standard_normal(y.shape)
    dx, gradients = backward(to_device(dy) if where == "cuda" else dy, need_dx=x.dtype.kind == "f")
    named = {names[parameter]: gradient for parameter, gradient in gradients.items()}
    return leaves([y, layer.forward(x, mode), dx, [named[name] for name in sorted(named)]]), sorted(named)


LAYERS = {
    "stacked": (Stacked(RNN(3), GRU(2, learn_initial_state=True, reset_after=True), dropout=0.5), "x", None),
    "bidirectional": (Bidirectional(LSTM(2, return_sequences=True, learn_initial_state=True)), "x", LENGTHS),
    "last step": (Sequential(Bidirectional(RNN(2, return_sequences=True), merge="sum"), LastStep()), "x", LENGTHS),
    "by step": (TimeDistributed(Dense(3)), "x", LENGTHS),
    "embedding": (Sequential(Embedding(4, 2), RNN(2, recurrent_dropout=0.5)), "tokens", None),
    "table": (Embedded(Embedding(4, 2), LSTM(2, return_sequences=True)), "tokens", LENGTHS),
    "images": (ConvLSTM(2, 3, learn_initial_state=True, peephole=True), "film", None),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(device, name):
    layer, kind, lengths = LAYERS[name]
    rng = np.random.default_rng(0)
    x = {"x": rng.standard_normal((2, 4, 3)), "film": rng.standard_normal((1, 2, 2, 3, 1)), "tokens": TOKENS}[kind]
    layer.make(x.shape[1:], 0, np.float64)
    mode = Mode(training=True, key=Key(2), lengths=lengths)
    expected, names = both_passes(layer, x, mode, "cpu")
    found, found_names = both_passes(layer, x, mode, "cuda")
    assert names == found_names
    assert len(found) == len(expected)
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", BY_STEP, ids=str)
def test_a_product_for_each_step(device, case):
    for got, wanted in zip(case.run(np.float64, to_device), case.run(np.float64, np.array), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)
    assert not any(name.startswith("walks") for name in device.launched)


def test_a_grid_that_meets_has_room(device, monkeypatch):
    batch = [to_device(np.ones(shape, np.float32)) for shape in ((2, 3, 1), (1, 3), (3, 3))]
    F.rnn(batch[0], None, *batch[1:])
    assert "walks.rnn_forward" in device.launched
    monkeypatch.setattr(device, "processors", 1)  # room for two blocks, where three are wanted
    device.launched.clear()
    y, _ = F.rnn(batch[0], None, *batch[1:])
    assert "walks.rnn_forward" not in device.launched
    with pytest.raises(ValueError, match="rnn_forward: got 3 blocks that meet, wanted at most 2 for each of 1"):
        walks.rnn_forward(*[y.reshape(-1)] * 2, 0, *[y.reshape(-1)] * 3, 3, 1, y.reshape(-1))


def test_states_are_carried_on(device):
    layer = LSTM(2, return_sequences=True).make((4, 3), 0, np.float64)
    x = np.random.default_rng(0).standard_normal((2, 4, 3))
    whole = layer.forward(x)
    layer.to("cuda")
    mode = Mode(carry={})
    parts = [layer.forward(to_device(np.ascontiguousarray(part)), mode).numpy() for part in np.split(x, 2, axis=1)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-12)


def test_what_is_not_there_says_so(device):
    x, w = to_device(np.ones((2, 3, 1), np.float32)), to_device(np.ones((1, 1), np.float32))
    with pytest.raises(NotImplementedError, match="checkpoint_every: got 2, wanted None for arrays on the device"):
        F.rnn(x, None, w, w, checkpoint_every=2)
    with pytest.raises(NotImplementedError, match=r"rnn\.stream: got arrays on the device"):
        F.rnn.stream(np.zeros((1, 1), np.float32), w, w)
    with pytest.raises(NotImplementedError, match="stream: got a layer on the device"):
        RNN(2).make((3, 1), 0).to("cuda").stream()
    with pytest.raises(ValueError, match="x: got token 4, wanted 0 to 3"):
        F.rnn(np.array([[4]]), None, to_device(np.ones((4, 1), np.float32)), w)
    with pytest.raises(TypeError, match="weight_hh: got an array on the host"):
        F.rnn(x, None, w, w.numpy())


def test_tokens_may_be_on_the_device(device):
    table = np.random.default_rng(0).standard_normal((4, 2))
    found = F.rnn(to_device(TOKENS), None, to_device(table), to_device(np.eye(2)))[0]
    np.testing.assert_allclose(found.numpy(), F.rnn(TOKENS, None, table, np.eye(2))[0], atol=1e-12)
    np.testing.assert_array_equal(F.embedding(to_device(TOKENS), to_device(table)).numpy(), table[TOKENS])


def sequences():
    """Six sequences of two or three steps, whose sum tells the class."""
    rng = np.random.default_rng(0)
    x = [rng.standard_normal((2 + i % 2, 1)) for i in range(6)]
    return x, np.array([float(one.sum() > 0) for one in x])


OPTIONS = {"units": 2, "max_epochs": 2, "batch_size": 3, "random_state": 0}


def test_a_classifier_trains_on_the_device_and_is_loaded_on_the_cpu(device, tmp_path):
    x, y = sequences()
    options = OPTIONS | {"cell": "gru", "bidirectional": True}
    model = nj.RecurrentClassifier(device="cuda", **options).fit(x, y)
    on_cpu = nj.RecurrentClassifier(**options).fit(x, y)
    assert all(on_device(array) for array in model.network_.state().values())
    np.testing.assert_allclose(model.loss_curve_, on_cpu.loss_curve_, rtol=1e-9)
    probabilities = model.predict_proba(x)
    np.testing.assert_allclose(probabilities, on_cpu.predict_proba(x), atol=1e-9)
    model.save(tmp_path / "model.safetensors")
    loaded = nj.load(tmp_path / "model.safetensors")
    assert loaded.network_.device == "cpu"
    np.testing.assert_allclose(loaded.predict_proba(x), probabilities, atol=1e-9)


def test_a_regressor(device):
    x, y = sequences()
    found, expected = (
        nj.RecurrentRegressor(cell="rnn", device=where, **OPTIONS).fit(x, y) for where in ("cuda", "cpu")
    )
    np.testing.assert_allclose(found.predict(x), expected.predict(x), atol=1e-9)


def test_labelers(device):
    x, _ = sequences()
    y = [(one[:, 0] > 0).astype(int) for one in x]
    found, expected = (nj.SequenceLabeler(cell="rnn", device=where, **OPTIONS).fit(x, y) for where in ("auto", "cpu"))
    assert found.network_.device == "cuda"
    for got, wanted in zip(found.predict_proba(x), expected.predict_proba(x), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-9)
    labels = [[label[0]] for label in y]
    found, expected = (nj.CTCLabeler(cell="rnn", device=where, **OPTIONS).fit(x, labels) for where in ("cuda", "cpu"))
    np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_, rtol=1e-9)
    for got, wanted in zip(found.predict_proba(x), expected.predict_proba(x), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-9)


def test_a_language_model(device):
    text, options = "abcab abcab a", OPTIONS | {"cell": "rnn", "n_layers": 1, "embedding_size": 2, "sequence_length": 3}
    found, expected = (nj.LanguageModel(device=where, **options).fit(text) for where in ("cuda", "cpu"))
    assert found.score("abc") == pytest.approx(expected.score("abc"), rel=1e-5)
    assert found.sample(2, "ab", random_state=0) == expected.sample(2, "ab", random_state=0)
    assert found.beam_search("ab", 2, width=2) == expected.beam_search("ab", 2, width=2)
    stream = found.stream("ab")
    again = found.stream().load_state(stream.state())
    np.testing.assert_array_equal(again.feed("c").log_probabilities, stream.feed("c").log_probabilities)
