"""Each callback does what it says, at its moment, and leaves no half file behind."""

import csv
import io

import numpy as np
import pytest

from neurojit.training import (
    Adam,
    Callback,
    Checkpoint,
    CSVLog,
    EarlyStopping,
    ProgressBar,
    Trainer,
)
from tests.training.toys import Linear, Squared, line_batches


def make_trainer(*callbacks, **options):
    options = {"batch_size": 16, "max_epochs": 4, "random_state": 0} | options
    return Trainer(Linear(2, noise=0.1), Squared(), Adam(0.05), callbacks=callbacks, **options)


def read_csv(path):
    return list(csv.reader(path.read_text().splitlines()))


class Scripted(Callback):
    """Puts given numbers into the epochs' records as "score", and remembers the weights of each epoch's end."""

    def __init__(self, *scores):
        self.scores, self.weights = scores, []

    def on_epoch_end(self, trainer, record):
        record["score"] = self.scores[trainer.epoch]
        self.weights.append(trainer.network.weight.value.copy())


class Recorder(Callback):
    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def on_fit_start(self, trainer):
        self.calls.append(("fit start", self.name))

    def on_epoch_start(self, trainer):
        self.calls.append(("epoch start", self.name, trainer.epoch))

    def on_batch_end(self, trainer, batch, loss):
        self.calls.append(("batch", self.name, len(batch)))

    def on_epoch_end(self, trainer, record):
        self.calls.append(("epoch end", self.name, len(trainer.history)))

    def on_epoch_recorded(self, trainer, record):
        assert trainer.history[-1] == record
        self.calls.append(("recorded", self.name, len(trainer.history)))

    def on_fit_end(self, trainer):
        self.calls.append(("fit end", self.name))

    def close(self):
        self.calls.append(("close", self.name))


def test_the_order_of_hooks():
    calls = []
    make_trainer(Recorder("a", calls), Recorder("b", calls), max_epochs=1, batch_size=30).fit(line_batches(n=40))
    hooks = [("epoch start", 0), ("batch", 30), ("batch", 10), ("epoch end", 0), ("recorded", 1)]
    wanted = [("fit start", name) for name in "ab"]
    wanted += [(hook, name, value) for hook, value in hooks for name in "ab"]
    wanted += [("fit end", "a"), ("fit end", "b"), ("close", "b"), ("close", "a")]
    assert calls == wanted


class Failing(Callback):
    def __init__(self, hook, epoch=1):
        def fail(trainer, *details):
            if trainer.epoch >= epoch:
                raise RuntimeError(f"{hook} failed")

        setattr(self, hook, fail)


@pytest.mark.parametrize("hook", ["on_epoch_start", "on_batch_end", "on_epoch_end", "on_epoch_recorded"])
def test_an_error_in_a_hook_comes_through_with_files_whole_and_everything_closed(hook, tmp_path):
    calls = []
    callbacks = [Recorder("a", calls), CSVLog(tmp_path / "log.csv"), Checkpoint(tmp_path / "c.safetensors")]
    trainer = make_trainer(*callbacks[:2], Failing(hook), callbacks[2])
    with pytest.raises(RuntimeError, match=f"{hook} failed"):
        trainer.fit(line_batches())
    assert ("fit end", "a") not in calls
    assert calls[-1] == ("close", "a")
    assert [row[0] for row in read_csv(tmp_path / "log.csv")] == ["epoch", "1"]
    written = ["log.csv"] if hook == "on_epoch_recorded" else ["c.safetensors", "log.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == written
    if len(written) == 2:
        assert make_trainer().resume(tmp_path / "c.safetensors").epoch == 1


# -- early stopping ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("restore_best", "epoch"), [(True, 2), (False, 4)])
def test_early_stopping_stops_after_its_patience_with_the_weights_of_the_best_epoch(restore_best, epoch):
    script = Scripted(0.1, 0.5, 0.5, 0.2, 0.9)
    stopping = EarlyStopping("score", patience=2, restore_best=restore_best)
    trainer = make_trainer(script, stopping, max_epochs=9)
    history = trainer.fit(line_batches())
    assert history.stopped == "score has not improved since epoch 2"
    assert len(history) == 4
    assert (stopping.best, stopping.best_epoch) == (0.5, 2)
    np.testing.assert_array_equal(trainer.network.weight.value, script.weights[epoch - 1])


def test_early_stopping_restores_the_best_weights_of_a_fit_that_was_not_stopped():
    script = Scripted(3.0, 1.0, 2.0, 2.0)
    trainer = make_trainer(script, EarlyStopping("score", patience=9, mode="min"))
    assert trainer.fit(line_batches()).stopped is None
    np.testing.assert_array_equal(trainer.network.weight.value, script.weights[1])


def test_small_improvements_do_not_count():
    script = Scripted(1.0, 1.05, 1.2, 1.25, 1.3)
    trainer = make_trainer(script, EarlyStopping("score", patience=1, min_delta=0.1), max_epochs=5)
    trainer.fit(line_batches())
    assert len(trainer.history) == 2


def test_early_stopping_begins_anew_with_a_new_training():
    stopping = EarlyStopping("score", patience=1)
    make_trainer(Scripted(9.0, 8.0), stopping).fit(line_batches())
    script = Scripted(1.0, 2.0, 1.0)
    trainer = make_trainer(script, stopping)
    trainer.fit(line_batches())
    assert stopping.best_epoch == 2
    np.testing.assert_array_equal(trainer.network.weight.value, script.weights[1])


def test_the_validation_loss_is_watched_by_default():
    stopping = EarlyStopping(patience=2)
    trainer = make_trainer(stopping)
    history = trainer.fit(line_batches(), line_batches(n=10, seed=3))
    assert stopping.best == history["validation_loss"].min()
    with pytest.raises(ValueError, match=r"monitor: got 'validation_loss', wanted one of .*validation data"):
        make_trainer(EarlyStopping()).fit(line_batches())


# -- checkpoints ------------------------------------------------------------------------------------------------------


def epochs_written(path, checkpoint, script=None, max_epochs=4):
    """After which epochs a checkpoint was written."""
    epochs = []

    class Watch(Callback):
        def on_epoch_recorded(self, trainer, record):
            if path.exists():
                epochs.append(make_trainer().resume(path).epoch)

    make_trainer(*filter(None, [script, checkpoint]), Watch(), max_epochs=max_epochs).fit(line_batches())
    return sorted(set(epochs))


def test_checkpoints_are_written_every_so_many_epochs_or_at_the_best(tmp_path):
    path = tmp_path / "c.safetensors"
    assert epochs_written(path, Checkpoint(path)) == [1, 2, 3, 4]
    path.unlink()
    assert epochs_written(path, Checkpoint(path, every=2)) == [2, 4]
    path.unlink()
    assert epochs_written(path, Checkpoint(path, monitor="score"), Scripted(1.0, 3.0, 2.0, 3.0)) == [1, 2]
    assert [found.name for found in tmp_path.iterdir()] == ["c.safetensors"]


def test_a_checkpoint_that_fails_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "c.safetensors"
    make_trainer(Checkpoint(path), max_epochs=1).fit(line_batches())
    before = path.read_bytes()

    def save_half(arrays, file, metadata):
        file.write_bytes(before[:50])
        raise OSError("disk full")

    monkeypatch.setattr("safetensors.numpy.save_file", save_half)
    with pytest.raises(OSError, match="disk full"):
        make_trainer(Checkpoint(path)).fit(line_batches())
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["c.safetensors"]


@pytest.mark.parametrize("kind", [Checkpoint, CSVLog])
def test_a_folder_that_is_missing_is_an_error_before_training(kind, tmp_path):
    trainer = make_trainer(kind(tmp_path / "nowhere" / "file"))
    with pytest.raises(FileNotFoundError, match=r"path: got .*nowhere"):
        trainer.fit(line_batches())
    assert trainer.updates == 0


# -- logs and bars ----------------------------------------------------------------------------------------------------


def test_the_log_has_a_header_and_a_row_an_epoch_and_is_continued(tmp_path):
    path = tmp_path / "log.csv"
    trainer = make_trainer(CSVLog(path), max_epochs=2)
    trainer.fit(line_batches())
    trainer.max_epochs = 3
    history = trainer.fit(line_batches())
    rows = read_csv(path)
    assert rows[0] == history.keys()
    assert [[float(value) for value in row] for row in rows[1:]] == [list(record.values()) for record in history]


def test_rows_survive_an_interrupt(tmp_path):
    path, seen = tmp_path / "log.csv", []

    class Interrupt(Callback):
        def on_batch_end(self, trainer, batch, loss):
            if trainer.epoch == 2:
                seen.append(path.read_text())
                raise KeyboardInterrupt

    make_trainer(CSVLog(path), Interrupt()).fit(line_batches())
    assert seen == [path.read_text()]
    assert len(seen[0].splitlines()) == 3


def test_a_log_of_other_columns_is_not_continued(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,accuracy\n1,0.5\n")
    with pytest.raises(ValueError, match=r"path: got .*log.csv' with columns \['epoch', 'accuracy'\], wanted"):
        make_trainer(CSVLog(path)).fit(line_batches())
    assert path.read_text() == "epoch,accuracy\n1,0.5\n"


def test_the_bar_shows_loss_score_and_samples_per_second():
    screen = io.StringIO()
    bar = ProgressBar(file=screen)
    trainer = make_trainer(bar, max_epochs=2)
    history = trainer.fit(line_batches(n=40), line_batches(n=10))
    last = screen.getvalue().rsplit("\r", 1)[-1]
    assert "epoch 2/2: 100%" in last
    assert f"loss {history[-1]['loss']:.4f}, validation loss {history[-1]['validation_loss']:.4f}" in last
    assert "80.0/80.0" in last
    assert "images/s" in last
    assert last.endswith("\n")


def test_tqdm_is_imported_only_for_a_bar():
    import subprocess
    import sys

    code = "import sys, neurojit.training; sys.exit('tqdm' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(patience=0), "patience: got 0, wanted an integer >= 1"),
        (lambda: EarlyStopping(min_delta=-1), "min_delta: got -1"),
        (lambda: EarlyStopping("f1"), "mode: got None for monitor 'f1', wanted 'min' or 'max'"),
        (lambda: Checkpoint("c", every=0), "every: got 0"),
        (lambda: Checkpoint("c", monitor="score", mode="most"), "mode: got 'most'"),
    ],
)
def test_bad_options_are_named(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
