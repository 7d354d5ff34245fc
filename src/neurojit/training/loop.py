"""The training loop, a ladder of steps to override: fit > run_epoch > run_batch > step."""

import contextlib
import math
import time

import numpy as np

from neurojit.core.cuda import DeviceArray, to_device, to_host
from neurojit.core.random import Key
from neurojit.functional.optimizer import clip_by_global_norm
from neurojit.layers.base import Layer, Mode, add_gradients
from neurojit.layers.recording import recording
from neurojit.training.callbacks import Callback
from neurojit.training.errors import TrainingDiverged
from neurojit.training.history import History
from neurojit.training.metrics import RunningMeans
from neurojit.training.optimizers import Optimizer
from neurojit.training.options import check_source, instance, real, whole
from neurojit.training.penalties import Penalty
from neurojit.training.resuming import Resumable
from neurojit.training.schedules import Schedule

# The random stream of a training, far from those that a network's layers take from the same random_state.
_TRAINING_STREAM = 1 << 40


class Trainer(Resumable):
    """Fits a network to data.

    ``fit`` runs epochs until there are `max_epochs`, ``run_epoch`` batches and a validation, ``run_batch`` one update
    with its checks, ``step`` the mathematics of it; a subclass overrides the rung it wants to change.

    Parameters
    ----------
    network : Layer
        Built on the first batch if it is not yet.
    loss : Loss
    optimizer : Optimizer
    batch_size : int, default=64
    max_epochs : int, default=10
        Epochs in all, earlier fits and a resumed training's included.
    schedule : Schedule or None, default=None
        Sets the learning rate before every update; None leaves it to the optimizer.
    clip_norm : float or None, default=None
        Largest norm of all gradients together: see `functional.optimizer.clip_by_global_norm`.
    penalties : sequence of Penalty, default=()
        What adds to the gradients of the loss before they are clipped. Its values are no part of the loss that is
        recorded.
    callbacks : sequence of Callback, default=()
    metrics : dict or None, default=None
        From name to ``function(outputs, targets) -> mean over the batch``.
    shuffle : bool, default=True
        Whether each epoch takes the samples in an order of its own.
    stateful : bool, default=False
        Whether recurrent layers go on in row i of a batch from where row i of the batch before ended, starting anew in
        each epoch and evaluation: backpropagation through time that is truncated at the borders of batches, for
        sequences cut into parts, such as those of `StreamBatches`. Batches then are of one size, and never shuffled.
    random_state : int, numpy generator, Key or None, default=None
        Order of samples and dropout; epoch e and batch b draw from ``key.child(e).child(b)`` alone.

    Attributes
    ----------
    history : History
        One record for each finished epoch, with "epoch" (from 1), "loss" and the metrics (means over the training
        batches as they were trained on), the same with ``validation_`` before the name where there is validation data,
        "learning_rate" (of the last update), "samples_per_second" and "seconds".
    epoch : int
        Epochs finished.
    updates : int
        Updates done.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Dense
    >>> from neurojit.training import SGD, ArrayBatches, MeanSquaredError, Trainer
    >>> x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    >>> trainer = Trainer(Dense(1), MeanSquaredError(), SGD(0.5), max_epochs=20, random_state=0)
    >>> history = trainer.fit(ArrayBatches(x, 3 * x + 1))
    >>> bool(history["loss"][-1] < 1e-4)
    True
    """

    def __init__(
        self,
        network,
        loss,
        optimizer,
        *,
        batch_size=64,
        max_epochs=10,
        schedule=None,
        clip_norm=None,
        penalties=(),
        callbacks=(),
        metrics=None,
        shuffle=True,
        stateful=False,
        random_state=None,
    ):
        self.network = instance(network, Layer, "network")
        self.loss = loss
        self.optimizer = instance(optimizer, Optimizer, "optimizer")
        self.batch_size = whole(batch_size, "batch_size")
        self.max_epochs = whole(max_epochs, "max_epochs", least=0)
        self.schedule = None if schedule is None else instance(schedule, Schedule, "schedule")
        self.clip_norm = None if clip_norm is None else real(clip_norm, "clip_norm", above=0)
        self.penalties = [instance(p, Penalty, f"penalties[{i}]") for i, p in enumerate(penalties)]
        self.callbacks = [instance(c, Callback, f"callbacks[{i}]") for i, c in enumerate(callbacks)]
        self.metrics = dict(metrics or {})
        self.stateful = stateful
        self.shuffle = shuffle and not stateful
        self.history = History()
        self.updates = 0
        self.samples_per_epoch = 0
        self.base_learning_rate = optimizer.learning_rate
        self._network_key = Key.from_random_state(random_state)
        self.key = self._network_key.child(_TRAINING_STREAM)
        self._input_shape = self._dtype = self._last_good = None
        self._device = "cpu"
        self._carry = self._no_carry()

    @property
    def epoch(self):
        """Epochs finished."""
        return len(self.history)

    # -- the ladder -----------------------------------------------------------------------------------------------

    def fit(self, train, validation=None):
        """Train until there are `max_epochs` epochs, or a callback or the keyboard stops it.

        Parameters
        ----------
        train, validation : ArrayBatches
            Or anything with ``batches(batch_size, key)`` and a length.

        Returns
        -------
        History
            All epochs so far; its `stopped` says what ended the training early. An epoch that was not finished leaves
            no record, but its updates stay in the network.

        Raises
        ------
        TrainingDiverged
            If the loss or a weight becomes NaN or infinite; network and optimizer are then as they were at the end of
            the epoch before.
        """
        self.build(train)
        if validation is not None:
            check_source(validation, "validation")
        self.history.stopped = None
        if self.epoch == 0 and self.schedule is not None:
            self.schedule.reset()
        with contextlib.ExitStack() as stack:
            for callback in self.callbacks:
                stack.callback(callback.close)
                callback.on_fit_start(self)
            try:
                while self.epoch < self.max_epochs and self.history.stopped is None:
                    self.run_epoch(train, validation)
            except KeyboardInterrupt:
                self.stop(f"interrupted in epoch {self.epoch + 1}")
            for callback in self.callbacks:
                callback.on_fit_end(self)
        return self.history

    def run_epoch(self, train, validation=None):
        """Train on all samples once and validate; returns the epoch's record, or None where it was stopped midway."""
        self.build(train)
        started = time.perf_counter()
        self.history.stopped = None
        self.samples_per_epoch = len(train)
        self._last_good = _copied(self._weights())
        for callback in self.callbacks:
            callback.on_epoch_start(self)
        means = self._train(train)
        if means is None:
            return None
        seconds = time.perf_counter() - started
        scores = {} if validation is None else self.evaluate(validation)
        record = {
            "epoch": self.epoch + 1,
            **means,
            **{f"validation_{name}": score for name, score in scores.items()},
            "learning_rate": self.optimizer.learning_rate,
            "samples_per_second": len(train) / seconds,
            "seconds": time.perf_counter() - started,
        }
        self._finish_epoch(record)
        return record

    def run_batch(self, batch, key):
        """Set the learning rate, take one step and check what came of it; returns the loss and the outputs."""
        if self.schedule is not None:
            rate = self.schedule.learning_rate(self.base_learning_rate, self.epoch, self.updates)
            self.optimizer.learning_rate = rate
        loss, outputs = self.step(batch, key)
        if not math.isfinite(loss):
            raise self._diverged(f"loss: got {loss}")
        self.updates += 1
        for callback in self.callbacks:
            callback.on_batch_end(self, batch, loss)
        return loss, outputs

    def step(self, batch, key):
        """One update of the network: forward, loss, backward, penalties, clip, update; the loss and the outputs."""
        mode = Mode(training=True, key=key, lengths=batch.lengths, carry=self._carry)
        if self.penalties and self._device == "cuda":
            raise NotImplementedError("penalties: got some, wanted none for a network on the device")
        with recording(self.network) if self.penalties else contextlib.nullcontext([]) as passes:
            outputs, backward = self.network.vjp(self._input(batch.x), mode)
            loss, loss_backward = self.loss.vjp(outputs, batch.targets, batch.sample_weight)
            _, gradients = backward(loss_backward(), need_dx=False)
        for penalty in self.penalties:
            _, more = penalty.vjp(self.network, passes)
            add_gradients(gradients, more)
        if self.clip_norm is not None:
            clipped, _ = clip_by_global_norm(gradients.values(), self.clip_norm)
            gradients = dict(zip(gradients, clipped, strict=True))
        self.optimizer.update(gradients)
        return loss, outputs

    # -- beside the ladder ----------------------------------------------------------------------------------------

    def build(self, data):
        """Make the network's parameters, if they are not made yet, for samples such as those of `data`."""
        check_source(data, "train")
        if self._dtype is None:
            x = next(iter(data.batches(1))).x
            self._build(x.shape[1:], x.dtype if x.dtype in (np.float32, np.float64) else np.float32)

    def evaluate(self, data):
        """Loss and metrics in inference mode.

        Parameters
        ----------
        data : ArrayBatches

        Returns
        -------
        dict
            "loss" (weighted where the data has sample weights) and each metric: means over all samples.
        """
        self.build(data)
        means, carry = RunningMeans(), self._no_carry()
        for batch in data.batches(self.batch_size):
            outputs = self.network.forward(self._input(batch.x), Mode(lengths=batch.lengths, carry=carry))
            self._measure(means, batch, self.loss.value(outputs, batch.targets, batch.sample_weight), outputs)
        return means.result()

    def stop(self, reason):
        """End the fit after the current batch or epoch; the reason goes into ``history.stopped``."""
        self.history.stopped = reason

    # -- parts ----------------------------------------------------------------------------------------------------

    def _train(self, train):
        """Means over the updates of one epoch, or None if it was stopped before its end."""
        key = self.key.child(self.epoch)
        means = RunningMeans()
        self._carry = self._no_carry()
        for index, batch in enumerate(train.batches(self.batch_size, key if self.shuffle else None)):
            loss, outputs = self.run_batch(batch, key.child(index))
            self._measure(means, batch, loss, outputs)
            if self.history.stopped is not None:
                return None
        return means.result()

    def _measure(self, means, batch, loss, outputs):
        means.add("loss", loss, batch.weight)
        for name, metric in self.metrics.items():
            means.add(name, metric(to_host(outputs), batch.targets), len(batch))

    def _finish_epoch(self, record):
        if not all(np.isfinite(to_host(array)).all() for array in self.network.state().values()):
            raise self._diverged("weights: got NaN or infinite values")
        if self.schedule is not None:
            self.schedule.observe(record)
        for callback in self.callbacks:
            callback.on_epoch_end(self, record)
        self.history.append(record)
        for callback in self.callbacks:
            callback.on_epoch_recorded(self, record)

    def _build(self, input_shape, dtype):
        self.network.make(input_shape, self._network_key, dtype)
        parameters = self.network.named_parameters().values()
        self._dtype = next((parameter.value.dtype for parameter in parameters), np.dtype(dtype))
        self._input_shape = input_shape
        self._device = self.network.device

    def _no_carry(self):
        """Where recurrent layers look for their states at the start of sequences."""
        return {} if self.stateful else None

    def _input(self, x):
        """Network input in the precision of the network, where that is; integers are left to it, on the host."""
        x = x.astype(self._dtype, copy=False) if x.dtype.kind == "f" else x
        return to_device(x) if self._device == "cuda" and x.dtype.kind == "f" else x

    def _diverged(self, what):
        """Go back to the last good weights and make the error that says so."""
        epoch, rate = self.epoch + 1, self.optimizer.learning_rate
        if self._last_good is not None:
            self._restore(self._last_good)
        when = "before the first epoch" if epoch == 1 else f"at the end of epoch {epoch - 1}"
        return TrainingDiverged(
            f"{what} in epoch {epoch} at learning rate {rate:g}, wanted finite numbers: lower learning_rate"
            f" (try {rate / 10:g}) or set clip_norm; the network is as it was {when}",
            epoch,
            rate,
        )


def _copied(node):
    """A nested dict with every array copied."""
    return {key: _copied(value) if isinstance(value, dict) else _copy(value) for key, value in node.items()}


def _copy(value):
    return value.copy() if isinstance(value, np.ndarray | DeviceArray) else value
