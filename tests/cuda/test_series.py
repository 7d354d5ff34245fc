"""Word vectors, reservoirs and liquids on the device, by their estimators."""

import numpy as np
import pytest

import neurojit as nj
from neurojit.core.cuda import use_target
from neurojit.text import device_training

pytest.importorskip("greenlet", reason="the emulator of kernels needs greenlet")
from tests.emulator.target import Emulator

RNG = np.random.default_rng(0)
WAVES = [np.sin(0.4 * np.arange(n))[:, np.newaxis] for n in (7, 5)]


@pytest.fixture
def device():
    with use_target(Emulator(watches=False)) as emulator:
        yield emulator


def test_word_vectors(device, tmp_path, monkeypatch):
    monkeypatch.setattr(device_training, "_LEAST_WALKERS", 2)
    text = ["one two three", "two one three"]
    options = {"vector_size": 4, "window": 1, "min_count": 1, "negative": 2, "epochs": 1, "random_state": 0}
    model = nj.Word2Vec(device="cuda", sample=0, **options).fit(text)
    assert "word2vec.skip_gram_sums" in device.launched
    again = nj.Word2Vec(device="auto", sample=0, **options).fit(text)
    np.testing.assert_array_equal(again.vectors_, model.vectors_)
    assert model.loss_curve_[0] > 0
    model.save(tmp_path / "words.safetensors")
    np.testing.assert_array_equal(nj.load(tmp_path / "words.safetensors").vectors_, model.vectors_)
    with pytest.raises(ValueError, match="objective: got 'softmax', wanted 'negative-sampling' for device='cuda'"):
        nj.Word2Vec(device="cuda", objective="softmax").fit(text)


@pytest.mark.parametrize("n_layers", [1, 2])
def test_echo_states(device, n_layers, tmp_path):
    options = {"n_units": 6, "fan_in": 2, "washout": 0, "ridge": 1e-3, "n_layers": n_layers, "random_state": 0}
    model = nj.EchoStateRegressor(device="cuda", **options).fit(WAVES, WAVES)
    assert model.reservoir_.device == "cuda"
    expected = nj.EchoStateRegressor(**options).fit(WAVES, WAVES)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-8)
    for found, wanted in zip(model.predict(WAVES), expected.predict(WAVES), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-8)
    np.testing.assert_allclose(model.generate(3, prime=WAVES[0]), expected.generate(3, prime=WAVES[0]), atol=1e-8)
    model.save(tmp_path / "model.safetensors")
    loaded = nj.load(tmp_path / "model.safetensors")
    assert loaded.reservoir_.device == "cpu"
    np.testing.assert_allclose(loaded.predict(WAVES[0]), expected.predict(WAVES[0]), atol=1e-8)


def test_learning_in_the_loop_is_refused(device):
    with pytest.raises(ValueError, match="device: got 'cuda' with a FORCE readout, wanted 'cpu'"):
        nj.EchoStateRegressor(6, fan_in=2, readout="force", feedback=True, washout=0, device="cuda").fit(WAVES, WAVES)


def test_states_as_features(device):
    options = {"n_units": 6, "fan_in": 2, "random_state": 0}
    found = nj.ReservoirTransformer(device="cuda", **options).fit_transform(WAVES)
    for states, expected in zip(found, nj.ReservoirTransformer(**options).fit_transform(WAVES), strict=True):
        np.testing.assert_allclose(states, expected, atol=1e-12)
    labels = ["long", "short"]
    made = nj.EchoStateClassifier(device="cuda", **options).fit(WAVES, labels)
    assert list(made.predict(WAVES)) == labels


def test_liquids(device):
    options = {"shape": (1, 2, 2), "n_substeps": 3, "random_state": 0}
    model = nj.LiquidStateRegressor(device="cuda", **options).fit(WAVES, WAVES)
    assert "spiking.liquids" in device.launched
    expected = nj.LiquidStateRegressor(**options).fit(WAVES, WAVES)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-8)
    classifier = nj.LiquidStateClassifier(device="cuda", n_segments=1, **options).fit(WAVES, [0, 1])
    assert classifier.predict(WAVES).shape == (2,)
