"""Callbacks: what watches a training from outside and may stop it."""

import contextlib
import csv
import os
from pathlib import Path

from neurojit.core.files import named_errors
from neurojit.training.monitor import Monitor
from neurojit.training.options import real, whole


class Callback:
    """Hooks into a training; a subclass declares those it needs.

    An exception in a hook ends the training and is passed on, after every callback was closed.

    Examples
    --------
    >>> from neurojit.training import Callback
    >>> class StopWhenGood(Callback):
    ...     def on_epoch_end(self, trainer, record):
    ...         if record["loss"] < 0.01:
    ...             trainer.stop("the loss is small")
    """

    def on_fit_start(self, trainer):
        """Before the first epoch of a fit."""

    def on_epoch_start(self, trainer):
        """Before the first batch of an epoch."""

    def on_batch_end(self, trainer, batch, loss):
        """After an update: the `Batch` and its loss."""

    def on_epoch_end(self, trainer, record):
        """After an epoch and its validation: watch, decide, add numbers to the epoch's record."""

    def on_epoch_recorded(self, trainer, record):
        """After all callbacks' `on_epoch_end`, with the record in the history: the moment to write things down."""

    def on_fit_end(self, trainer):
        """After the last epoch, an early stop or an interrupt, but not after an error."""

    def close(self):
        """However a fit ended: let go of files and screens."""

    def state(self):
        """What continuing needs: a nested dict of arrays and plain JSON values."""
        return {}

    def load_state(self, state):
        """Take back what `state` gave."""


class EarlyStopping(Callback):
    """Stop when a number has not improved for `patience` epochs in a row.

    Parameters
    ----------
    monitor : str, default="validation_loss"
        Which number of the history to watch.
    patience : int, default=10
    min_delta : float, default=0.0
        An improvement is one by more than this.
    restore_best : bool, default=True
        Whether the network gets its weights from the best epoch when the fit ends, early or not.
    mode : {"min", "max"} or None, default=None
        Whether less or more is better; None reads it from the name of the number.

    Attributes
    ----------
    best : float
        The best value so far.
    best_epoch : int
        The epoch it was reached in, counted from 1; 0 before the first.

    Examples
    --------
    >>> import neurojit as nj
    >>> from neurojit.training import EarlyStopping
    >>> stopping = EarlyStopping("loss", patience=2, min_delta=0.01)
    >>> model = nj.ConvNetClassifier(input_shape=(8, 8, 1), callbacks=[stopping])
    """

    def __init__(self, monitor="validation_loss", patience=10, min_delta=0.0, restore_best=True, mode=None):
        self.monitor = Monitor(monitor, mode)
        self.patience = whole(patience, "patience")
        self.min_delta = real(min_delta, "min_delta", least=0)
        self.restore_best = restore_best
        self._reset()

    def _reset(self):
        self.best, self.best_epoch, self.waited, self._weights = self.monitor.worst, 0, 0, {}

    def on_fit_start(self, trainer):
        if trainer.epoch == 0:
            self._reset()

    def on_epoch_end(self, trainer, record):
        value = self.monitor.value(record)
        if self.monitor.better(value, self.best, self.min_delta):
            self.best, self.best_epoch, self.waited = value, record["epoch"], 0
            if self.restore_best:
                self._weights = {name: array.copy() for name, array in trainer.network.state().items()}
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop(f"{self.monitor.name} has not improved since epoch {self.best_epoch}")

    def on_fit_end(self, trainer):
        if self._weights:
            trainer.network.load_state(self._weights)

    def state(self):
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited, "weights": self._weights}

    def load_state(self, state):
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
        self._weights = state["weights"]


class Checkpoint(Callback):
    """Write the whole training to one safetensors file, from which `Trainer.resume` goes on to the same bits.

    The file is replaced in one step, so at any moment it is whole.

    Parameters
    ----------
    path : str or os.PathLike
    every : int, default=1
        Write after every so many epochs.
    monitor : str or None, default=None
        Write only when this number of the history is the best so far; None writes always.
    mode : {"min", "max"} or None, default=None
        Whether less or more is better; None reads it from the name of the number.

    Examples
    --------
    >>> from neurojit.training import Checkpoint
    >>> best_so_far = Checkpoint("best.safetensors", monitor="validation_loss")
    """

    def __init__(self, path, every=1, monitor=None, mode=None):
        self.path = Path(path)
        self.every = whole(every, "every")
        self.monitor = None if monitor is None else Monitor(monitor, mode)
        self.best = None if monitor is None else self.monitor.worst

    def on_fit_start(self, trainer):
        _check_folder(self.path)
        if trainer.epoch == 0 and self.monitor is not None:
            self.best = self.monitor.worst

    def on_epoch_recorded(self, trainer, record):
        if record["epoch"] % self.every:
            return
        if self.monitor is not None:
            value = self.monitor.value(record)
            if not self.monitor.better(value, self.best):
                return
            self.best = value
        trainer.save(self.path)

    def state(self):
        return {"best": self.best}

    def load_state(self, state):
        self.best = state["best"]


class CSVLog(Callback):
    """Append one row of numbers to a CSV file after each epoch; rows already written survive whatever comes after.

    Parameters
    ----------
    path : str or os.PathLike
        A new file gets a header row; an older log of the same columns is continued.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from neurojit.layers import Dense
    >>> from neurojit.training import SGD, ArrayBatches, CSVLog, MeanSquaredError, Trainer
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.csv"
    ...     trainer = Trainer(Dense(1), MeanSquaredError(), SGD(), max_epochs=2, callbacks=[CSVLog(log)])
    ...     _ = trainer.fit(ArrayBatches(np.ones((4, 1)), np.ones((4, 1))))
    ...     print(log.read_text().splitlines()[0])
    epoch,loss,learning_rate,samples_per_second,seconds
    """

    def __init__(self, path):
        self.path = Path(path)

    def on_fit_start(self, trainer):
        _check_folder(self.path)

    def on_epoch_recorded(self, trainer, record):
        columns = list(record)
        has_header = self.path.exists() and self.path.stat().st_size > 0
        if has_header:
            self._check_header(columns)
        whole_rows = self.path.stat().st_size if has_header else 0
        try:
            with named_errors(self.path), open(self.path, "a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(([] if has_header else [columns]) + [list(record.values())])
        except OSError:
            with contextlib.suppress(OSError):  # where it could not even be opened
                os.truncate(self.path, whole_rows)  # half a row would spoil the log for whoever goes on with it
            raise

    def _check_header(self, columns):
        with open(self.path, newline="", encoding="utf-8") as file:
            header = next(csv.reader(file))
        if header != columns:
            raise ValueError(f"path: got {str(self.path)!r} with columns {header}, wanted {columns}")


class ProgressBar(Callback):
    """A tqdm bar over all samples of all epochs, with the loss, the validation score and samples per second.

    Parameters
    ----------
    unit : str, default="images"
        What samples are called.
    file : file-like or None, default=None
        Where to draw; None is standard error.

    Examples
    --------
    >>> import neurojit as nj
    >>> from neurojit.training import ProgressBar
    >>> model = nj.ConvNetClassifier(callbacks=[ProgressBar(unit="digits")])
    """

    def __init__(self, unit="images", file=None):
        self.unit = unit
        self.file = file
        self._bar = None
        self._score = ""

    def on_epoch_start(self, trainer):
        if self._bar is None:
            from tqdm import tqdm

            total = (trainer.max_epochs - trainer.epoch) * trainer.samples_per_epoch
            self._score = ""
            self._bar = tqdm(total=total, unit=f" {self.unit}", unit_scale=True, file=self.file)
        self._bar.set_description(f"epoch {trainer.epoch + 1}/{trainer.max_epochs}", refresh=False)

    def on_batch_end(self, trainer, batch, loss):
        self._bar.set_postfix_str(f"loss {loss:.4f}{self._score}", refresh=False)
        self._bar.update(len(batch))

    def on_epoch_end(self, trainer, record):
        shown = [name for name in record if name.startswith("validation_")]
        self._score = "".join(f", {name.replace('_', ' ')} {record[name]:.4f}" for name in shown)
        self._bar.set_postfix_str(f"loss {record['loss']:.4f}{self._score}")

    def close(self):
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _check_folder(path):
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path: got {str(path)!r}, wanted a file in a folder that exists")
