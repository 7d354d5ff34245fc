"""A training taken up again goes on to the bits of one that was never broken off."""

import json

import numpy as np
import pytest

from neurojit.core.statefile import read_state, write_state
from neurojit.training import (
    SGD,
    Adam,
    AdamW,
    Checkpoint,
    CosineDecay,
    EarlyStopping,
    ReduceOnPlateau,
    RMSprop,
    Trainer,
    WarmUp,
)
from tests.training.toys import Linear, Squared, line_batches

TIMES = ("seconds", "samples_per_second")


def make_trainer(optimizer=AdamW, schedule=lambda: None, callbacks=(), **options):
    options = {"batch_size": 16, "max_epochs": 6, "random_state": 0} | options
    network = Linear(2, noise=0.2)
    return Trainer(network, Squared(), optimizer(), schedule=schedule(), callbacks=callbacks, **options)


def fit(trainer):
    trainer.fit(line_batches(), line_batches(n=10, seed=1))
    return trainer


def without_times(trainer):
    return [{name: value for name, value in record.items() if name not in TIMES} for record in trainer.history]


def assert_same_training(one, other):
    for name, array in one.network.state().items():
        np.testing.assert_array_equal(array, other.network.state()[name], err_msg=name)
    assert without_times(one) == without_times(other)
    assert one.updates == other.updates


OPTIMIZERS = [
    SGD,
    lambda: SGD(0.05, momentum=0.9, nesterov=True),
    lambda: RMSprop(centered=True, momentum=0.5),
    Adam,
    AdamW,
]
SCHEDULES = [
    lambda: None,
    lambda: WarmUp(5, then=CosineDecay(20, unit="step")),
    lambda: WarmUp(5, then=ReduceOnPlateau(patience=0, factor=0.5, threshold=0.5)),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_resumed_training_has_the_bits_of_an_unbroken_one(optimizer, schedule, tmp_path):
    path = tmp_path / "c.safetensors"
    whole = fit(make_trainer(optimizer, schedule))
    fit(make_trainer(optimizer, schedule, [Checkpoint(path)], max_epochs=3))
    # Another random_state and learning rate: the file's are taken.
    resumed = make_trainer(optimizer, schedule, random_state=9)
    resumed.optimizer.learning_rate = 7.0
    resumed.resume(path)
    assert resumed.epoch == 3
    assert_same_training(whole, fit(resumed))


def test_a_built_network_is_loaded_too(tmp_path):
    path = tmp_path / "c.safetensors"
    whole = fit(make_trainer())
    fit(make_trainer(max_epochs=2)).save(path)
    resumed = make_trainer()
    resumed.network.make((3,), 5)
    assert_same_training(whole, fit(resumed.resume(path)))


def test_callbacks_go_on_where_they_were(tmp_path):
    """The file is written after early stopping looked at the epoch, whichever comes first in the list."""
    path = tmp_path / "c.safetensors"

    def callbacks():
        kinds = {"monitor": "loss", "mode": "max"}
        return [Checkpoint(path), EarlyStopping(patience=4, **kinds), EarlyStopping(patience=9, **kinds)]

    whole = fit(make_trainer(callbacks=callbacks(), max_epochs=9))
    assert whole.history.stopped == "loss has not improved since epoch 1"
    assert len(whole.history) == 5
    fit(make_trainer(callbacks=callbacks(), max_epochs=3))
    resumed = make_trainer(callbacks=callbacks(), max_epochs=9).resume(path)
    _, first, second = resumed.callbacks
    assert (first.waited, second.waited, first.best_epoch) == (2, 2, 1)
    assert_same_training(whole, fit(resumed))
    assert resumed.history.stopped == whole.history.stopped


def test_a_callback_the_file_does_not_know_starts_anew(tmp_path):
    fit(make_trainer(max_epochs=2)).save(tmp_path / "c.safetensors")
    stopping = EarlyStopping(patience=1, monitor="loss", mode="max")
    resumed = make_trainer(callbacks=[stopping]).resume(tmp_path / "c.safetensors")
    assert (stopping.waited, stopping.best_epoch) == (0, 0)
    assert fit(resumed).history.stopped is not None


def test_a_training_may_be_saved_before_it_began(tmp_path):
    make_trainer().save(tmp_path / "c.safetensors")
    resumed = make_trainer(random_state=1).resume(tmp_path / "c.safetensors")
    assert resumed.epoch == 0
    fit(resumed)
    assert len(resumed.history) == 6


def test_a_frozen_parameter_has_no_memory_to_save(tmp_path):
    trainer = make_trainer(max_epochs=1)
    trainer.network.make((3,), 0).weight.trainable = False
    fit(trainer).save(tmp_path / "c.safetensors")
    assert list(read_state(tmp_path / "c.safetensors", "neurojit.checkpoint")["optimizer"]["parameters"]) == ["bias"]


# -- the file ---------------------------------------------------------------------------------------------------------


def test_a_state_comes_back_as_it_was(tmp_path):
    arrays = [np.float64(1.5), np.zeros((0, 3)), np.arange(6.0).reshape(2, 3).T, np.ones(2, np.float32)]
    state = {f"a{i}": np.asarray(array) for i, array in enumerate(arrays)}
    state = {"deep": {"er": state}, "best": float("inf"), "key": 2**64 - 1, "none": None, "rate": 0.1, "empty": {}}
    write_state(tmp_path / "s", state, "kind")
    loaded = read_state(tmp_path / "s", "kind")
    ours, theirs = state["deep"].pop("er"), loaded["deep"].pop("er")
    assert loaded == state
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(theirs[name], array)
        assert (theirs[name].dtype, theirs[name].shape) == (array.dtype, array.shape)


def test_damaged_foreign_and_newer_files_are_named(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "c.safetensors"
    fit(make_trainer(max_epochs=1)).save(path)
    whole = path.read_bytes()
    for length in (0, 5, 60, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"path: got .*c.safetensors', truncated or no neurojit.checkpoint file"):
            make_trainer().resume(path)
    save_file({"a": np.ones(2)}, path)
    with pytest.raises(ValueError, match=r"path: got .* of another program, wanted one of kind 'neurojit.checkpoint'"):
        make_trainer().resume(path)
    save_file({}, path, {"format": "neurojit.checkpoint", "version": "99", "state": json.dumps({})})
    with pytest.raises(ValueError, match="of version 99, wanted at most 1: a newer neurojit wrote it, upgrade"):
        make_trainer().resume(path)
    with pytest.raises(FileNotFoundError):
        make_trainer().resume(tmp_path / "nothing")


def test_a_file_of_another_network_or_optimizer_is_named(tmp_path):
    path = tmp_path / "c.safetensors"
    fit(make_trainer(max_epochs=1)).save(path)
    with pytest.raises(ValueError, match=r"state\['weight'\]: got .* wanted .* for SGD"):
        make_trainer(lambda: SGD(momentum=0.9)).resume(path)
    other = Trainer(Linear(5), Squared(), AdamW())
    with pytest.raises(ValueError, match=r"state\['bias'\]: got shape \(2,\), wanted \(5,\)"):
        other.resume(path)
