"""Training of real networks: the same bits whatever the threads, and across a break."""

import numpy as np
import pytest

from neurojit.layers import BatchNorm, Conv2d, Dense, Dropout, Flatten, MaxPool2d, ReLU, Sequential
from neurojit.training import AdamW, ArrayBatches, Checkpoint, CrossEntropy, Trainer, accuracy


def make_trainer(max_epochs, callbacks=(), random_state=0):
    network = Sequential(Conv2d(4, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2), Flatten(), Dropout(0.3), Dense(3))
    options = {"batch_size": 20, "clip_norm": 1.0, "metrics": {"accuracy": accuracy}, "callbacks": callbacks}
    return Trainer(network, CrossEntropy(), AdamW(0.01), max_epochs=max_epochs, random_state=random_state, **options)


@pytest.fixture
def images():
    """Images of three classes, told apart by which third is bright."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, size=90)
    x = rng.normal(0.0, 0.5, size=(90, 6, 6, 1)).astype(np.float32)
    for row, target in zip(x, targets, strict=True):
        row[2 * target : 2 * target + 2] += 1.0
    return ArrayBatches(x, targets)


def test_the_same_bits_on_any_number_of_threads(images, same_bits):
    def train():
        trainer = make_trainer(max_epochs=2)
        trainer.fit(images)
        return tuple(trainer.network.state().values())

    same_bits(train)


def test_running_statistics_and_dropout_go_on_after_a_break(images, tmp_path):
    path = tmp_path / "c.safetensors"
    whole = make_trainer(max_epochs=4)
    whole.fit(images, images)
    make_trainer(2, [Checkpoint(path)]).fit(images, images)
    resumed = make_trainer(4, random_state=5).resume(path)
    resumed.fit(images, images)
    assert any("running" in name for name in whole.network.state())
    for name, array in whole.network.state().items():
        np.testing.assert_array_equal(resumed.network.state()[name], array, err_msg=name)
    np.testing.assert_array_equal(whole.history["validation_loss"], resumed.history["validation_loss"])


def test_a_small_network_learns(images):
    trainer = make_trainer(max_epochs=15)
    history = trainer.fit(images)
    assert trainer.evaluate(images)["accuracy"] > 0.97
    assert history["loss"][-1] < history["loss"][0] / 2
