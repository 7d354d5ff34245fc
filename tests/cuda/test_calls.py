"""How operations, layers and a training take arrays on the device."""

import pickle
import sys
import types

import numpy as np
import pytest

import neurojit as nj
import neurojit.functional as F
from neurojit.core.cuda import DeviceArray, on_device, to_device, use_target
from neurojit.functional import devices
from neurojit.kernels.cpu import columns
from neurojit.layers import BatchNorm, Conv2d, Dense, Dropout, Flatten, MaxPool2d, ReLU, Residual, Sequential
from neurojit.training import Adam, ArrayBatches, CrossEntropy, MeanSquaredError, Trainer, accuracy

pytest.importorskip("greenlet", reason="the emulator of kernels needs greenlet")
from tests.emulator.target import Emulator


@pytest.fixture
def device():
    with use_target(Emulator(watches=False)) as emulator:
        yield emulator


def test_host_and_device_do_not_mix(device):
    x, weight = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)
    with pytest.raises(TypeError, match="weight: got an array on the host, wanted one on the device"):
        F.dense(to_device(x), weight)
    with pytest.raises(TypeError, match="x: got an array on the host"):
        F.dense(x, weight=to_device(weight))
    y, backward = F.dense.vjp(to_device(x), to_device(weight))
    with pytest.raises(TypeError, match="dy: got ndarray, wanted DeviceArray"):
        backward(y.numpy())


def test_errors_name_the_argument(device):
    with pytest.raises(TypeError, match="x: got int64 on the device, wanted float32 or float64"):
        F.relu(to_device(np.arange(3)))
    with pytest.raises(TypeError, match="weight: got float64 on the device, wanted float32 like the other"):
        F.dense(to_device(np.ones((2, 3), np.float32)), to_device(np.ones((3, 4))))
    with pytest.raises(ValueError, match=r"weight: got shape \(2, 4\)"):
        F.dense(to_device(np.ones((2, 3))), to_device(np.ones((2, 4))))
    with pytest.raises(NotImplementedError, match=r"columns\.channel_sums has no CUDA kernel yet"):
        devices.kernel_for(columns.channel_sums, to_device([1.0]))


def test_sums_of_arrays_on_the_device(device):
    x = to_device(np.arange(5.0))
    np.testing.assert_array_equal((x + x).numpy(), 2 * np.arange(5.0))
    np.testing.assert_array_equal((np.float64(3) * x).numpy(), 3 * np.arange(5.0))
    np.testing.assert_array_equal((-x).numpy(), -np.arange(5.0))
    for other in (to_device(np.ones(4)), to_device(np.ones(5, np.float32)), 1.0):
        with pytest.raises(TypeError, match="wanted an array on the device of shape"):
            x + other


def test_arrays_of_other_libraries_come_back_as_the_like(device, monkeypatch):
    class Array:
        """Made by a library that is not there."""

        def __init__(self, array):
            self.array = array
            self.__cuda_array_interface__ = {**array.__array_interface__, "strides": None}

    Array.__module__ = "fancy.arrays"
    monkeypatch.setitem(devices._MAKERS, "fancy", lambda library, array: library.wrap(array))
    monkeypatch.setitem(sys.modules, "fancy", types.SimpleNamespace(wrap=lambda array: Array(array.numpy())))
    x = np.array([-1.0, 2.0], np.float32)
    y, backward = F.relu.vjp(Array(x))
    assert type(y) is type(backward(Array(x))) is type(F.relu(Array(x))) is Array
    np.testing.assert_array_equal(y.array, [0, 2])
    np.testing.assert_array_equal(backward(Array(x)).array, [0, 2])


def test_pickles_hold_the_values(device):
    x = to_device(np.arange(3.0))
    again = pickle.loads(pickle.dumps(x))  # noqa: S301
    assert isinstance(again, DeviceArray)
    np.testing.assert_array_equal(again.numpy(), np.arange(3.0))


def network():
    # Before normalization a bias has no gradient but rounding errors, of which Adam makes steps like any others.
    layers = (
        Conv2d(4, 3, padding=1, use_bias=False),
        BatchNorm(),
        ReLU(),
        MaxPool2d(2),
        Residual(Conv2d(4, 1)),
        Flatten(),
    )
    return Sequential(*layers, Dropout(0.2), Dense(3)).make((5, 5, 2), 0, np.float64)


def trained(where, loss, targets):
    """The history and the weights of a training of two epochs, and what the network gives."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, 5, 5, 2))
    weight = rng.random(8)
    made = network().to(where)
    trainer = Trainer(made, loss, Adam(0.01), batch_size=4, max_epochs=2, clip_norm=1.0, random_state=0)
    history = trainer.fit(ArrayBatches(x, targets, weight), validation=ArrayBatches(x, targets))
    assert made.device == where
    return history, made.to("cpu").state()


@pytest.mark.parametrize("loss", [CrossEntropy(label_smoothing=0.1), MeanSquaredError()], ids=["classes", "values"])
def test_a_network_is_trained_as_on_the_cpu(device, loss):
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 3, 8) if isinstance(loss, CrossEntropy) else rng.standard_normal((8, 3))
    history, weights = trained("cuda", loss, targets)
    expected_history, expected = trained("cpu", loss, targets)
    for name in ("loss", "validation_loss"):
        np.testing.assert_allclose(history[name], expected_history[name], rtol=1e-9)
    assert weights.keys() == expected.keys()
    for name, value in weights.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-9, err_msg=name)


def test_checkpoints_of_a_network_on_the_device(device, tmp_path):
    x, y = np.ones((4, 3), np.float32), np.array([0, 1, 0, 1])

    def trainer():
        made = Sequential(Dense(2)).make((3,), 0).to("cuda")
        return Trainer(made, CrossEntropy(), Adam(0.01), max_epochs=1, random_state=0, metrics={"accuracy": accuracy})

    first = trainer()
    first.fit(ArrayBatches(x, y))
    first.save(tmp_path / "checkpoint.safetensors")
    second = trainer().resume(tmp_path / "checkpoint.safetensors")
    assert second.epoch == 1
    for name, value in first.network.state().items():
        np.testing.assert_array_equal(second.network.state()[name].numpy(), value.numpy())


def test_an_estimator_trains_on_the_device_and_is_loaded_on_the_cpu(device, tmp_path):
    x, y = np.random.default_rng(0).standard_normal((8, 6)).astype(np.float32), [0, 1] * 4
    small = Sequential(Flatten(), Dense(4), ReLU(), Dense(2))
    model = nj.ConvNetClassifier(small, device="cuda", max_epochs=2, random_state=0).fit(x, y)
    assert on_device(model.network_.state()["1.weight"])
    probabilities = model.predict_proba(x)
    on_cpu = nj.ConvNetClassifier(small, max_epochs=2, random_state=0).fit(x, y)
    np.testing.assert_allclose(probabilities, on_cpu.predict_proba(x), atol=1e-5)
    model.save(tmp_path / "model.safetensors")
    loaded = nj.load(tmp_path / "model.safetensors")
    assert loaded.network_.device == "cpu"
    np.testing.assert_allclose(loaded.predict_proba(x), probabilities, atol=1e-6)
