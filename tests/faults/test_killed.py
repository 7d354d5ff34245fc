"""A training that is killed in the middle of its checkpoints loses at most an epoch and ends with the same bits."""

import multiprocessing
import time

import numpy as np
import pytest

from neurojit.layers import BatchNorm, Dense, Dropout, ReLU, Sequential
from neurojit.training import AdamW, ArrayBatches, Callback, Checkpoint, CosineDecay, MeanSquaredError, Trainer

KILLS = 20
PATIENCE = 300  # seconds for a word of the child


class Tell(Callback):
    """Says which epoch is in the history, before and after the checkpoint is written."""

    def __init__(self, connection, word):
        self.connection = connection
        self.word = word

    def on_epoch_recorded(self, trainer, record):
        self.connection.send((self.word, record["epoch"]))


def make_trainer(callbacks=(), max_epochs=100_000):
    """So wide that a checkpoint, 6 MB, takes longer to write than an epoch; its dropout draws in every batch."""
    network = Sequential(Dense(500), BatchNorm(), ReLU(), Dropout(0.5), Dense(1))
    options = {"batch_size": 16, "max_epochs": max_epochs, "callbacks": callbacks, "random_state": 0}
    return Trainer(network, MeanSquaredError(), AdamW(1e-3), schedule=CosineDecay(500, unit="step"), **options)


def data():
    x = np.random.default_rng(0).standard_normal((40, 1000)).astype(np.float32)
    return ArrayBatches(x, x[:, :1])


def train(path, connection):
    """Go on from the file, if there is one, without end."""
    trainer = make_trainer([Tell(connection, "writing"), Checkpoint(path), Tell(connection, "written")])
    if path.exists():
        trainer.resume(path)
    trainer.fit(data())


def receive(connection):
    assert connection.poll(PATIENCE), "the child is silent"
    return connection.recv()


def kill_while_writing(path, share):
    """Train in a child, and kill it when about this share of its second checkpoint is written; the epoch of that."""
    context = multiprocessing.get_context("forkserver")
    connection, childs = context.Pipe()
    child = context.Process(target=train, args=(path, childs))
    child.start()
    childs.close()
    try:
        assert receive(connection)[0] == "writing"
        started = time.perf_counter()
        assert receive(connection)[0] == "written"
        seconds = time.perf_counter() - started
        word, epoch = receive(connection)
        assert word == "writing"
        time.sleep(share * seconds)
    finally:
        child.kill()
        child.join()
    while connection.poll():  # it may have been quicker than the first time
        try:
            word, epoch = connection.recv()
        except EOFError:
            break
    return epoch if word == "writing" else epoch + 1


@pytest.mark.slow
def test_a_training_killed_twenty_times_has_the_bits_of_an_unbroken_one(tmp_path):
    multiprocessing.get_context("forkserver").set_forkserver_preload(["neurojit.layers", "neurojit.training"])
    path = tmp_path / "checkpoint.safetensors"
    for share in np.random.default_rng(0).permutation((np.arange(KILLS) + 0.5) / KILLS):
        epoch = kill_while_writing(path, share)
        resumed = make_trainer().resume(path)
        assert epoch - 1 <= resumed.epoch <= epoch, "more than the epoch at hand was lost"
        assert len(resumed.history) == resumed.epoch
    assert len(list(tmp_path.glob("*.tmp"))) >= KILLS // 4, "few were killed while they wrote"

    resumed = make_trainer(max_epochs=resumed.epoch + 2).resume(path)
    resumed.fit(data())
    unbroken = make_trainer(max_epochs=resumed.epoch)
    unbroken.fit(data())
    assert resumed.epoch > KILLS
    np.testing.assert_array_equal(resumed.history["loss"], unbroken.history["loss"])
    assert resumed.updates == unbroken.updates
    for name, array in unbroken.network.state().items():
        np.testing.assert_array_equal(resumed.network.state()[name], array, err_msg=name)
