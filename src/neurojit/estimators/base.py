"""What estimators that train a network share: the steps of a fit, how a network is made, saving."""

import copy
import math
import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from neurojit import training
from neurojit.core.device import threads
from neurojit.core.random import Key
from neurojit.core.statefile import write_state
from neurojit.estimators.options import check_options, device_of
from neurojit.estimators.saving import losses, restore, to_state
from neurojit.estimators.targets import check_weights
from neurojit.io.estimator_file import ESTIMATOR
from neurojit.layers import Layer

_SMALL_DATA = 4096  # fewer samples than this need more steps an epoch
_SMALL_BATCH, _LARGE_BATCH = 32, 64
_WARM_UP = 0.1  # the part of the steps in which the learning rate rises

# Sub-streams of the estimator's random key; training's takes the number of epochs so far.
_NETWORK, _SPLIT, _TRAINING = range(3)


class NetworkEstimator(BaseEstimator):
    """Base of estimators that train a network by `training.Trainer`.

    A family of estimators says what X is. It declares the options and

    - ``_check_input(X, reset)``: X checked, as ``_batches`` wants it;
    - ``_learn_inputs(X, sample_weight)``: sets the fitted attributes that describe X: `input_shape_`, the shape of a
      sample as the network sees it, and others;
    - ``_check_form(X)``: raises unless the samples are like those of the first fit;
    - ``_precision(X)``: the float type to work in;
    - ``_default_network(n_outputs)``: the network where none is given;
    - ``_batches(X, rows, targets, sample_weight)``: some samples as a data source;
    - ``_unit``: what samples are called.

    An estimator of a family says what y is. It declares

    - ``_check_targets(y, X)``: y checked;
    - ``_learn_targets(y, sample_weight, classes)``: sets the fitted attributes that describe y, returns the number of
      outputs;
    - ``_encode(y, sample_weight)``: what the loss takes: targets and weights of the samples;
    - ``_loss()``: the loss, and ``_metrics``: what is measured beside it, if anything.
    """

    _metrics: dict | None = None
    _unit = "samples"

    # -- fitting --------------------------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None):
        """Train the network on samples `X` with targets `y`; what they may be is for the estimator to say."""
        check_options(self)
        resume = self.warm_start and hasattr(self, "network_")
        return self._fit(X, y, sample_weight, resume, self.max_epochs, self.schedule)

    def _partial_fit(self, X, y, sample_weight, classes=None):
        """One epoch more, at the full learning rate: nobody knows how many will follow."""
        check_options(self)
        if self.early_stopping:
            raise ValueError("early_stopping: got True, wanted False for partial_fit, which trains a single epoch")
        return self._fit(X, y, sample_weight, hasattr(self, "network_"), 1, "constant", classes)

    def _fit(self, X, y, sample_weight, resume, max_epochs, schedule, classes=None):
        X = self._check_input(X, reset=not resume)
        y = self._check_targets(y, X)
        sample_weight = check_weights(sample_weight, X)
        with threads(self.n_threads):
            if resume:
                self._check_form(X)
            else:
                self._learn_inputs(X, sample_weight)
                self._start(self._learn_targets(y, sample_weight, classes), self._precision(X))
            targets, sample_weight = self._encode(y, sample_weight)
            self._train_on_samples(X, targets, sample_weight, max_epochs, schedule)
        return self

    def _start(self, n_outputs, dtype):
        """Make the network and its optimizer, and begin the record of training anew."""
        self._key = Key.from_random_state(self.random_state)
        network = self._make_network(n_outputs, dtype)
        self.loss_curve_ = []
        self._set_network(network)

    def _set_network(self, network):
        """Take a made network, to be trained by a fresh optimizer."""
        self.network_ = network
        self._dtype = _dtype_of(network)
        self._optimizer = _make_optimizer(self.optimizer, self.learning_rate, self.weight_decay)

    def _make_network(self, n_outputs, dtype):
        """The network, made for the input's shape, after the check that it suits the data."""
        shape = self.input_shape_
        if self.network is None:
            return self._default_network(n_outputs).make(shape, self._key.child(_NETWORK), dtype)
        network = copy.deepcopy(self.network) if isinstance(self.network, Layer) else self.network(shape, n_outputs)
        if not isinstance(network, Layer):
            raise TypeError(f"network: got a function that returns {type(network).__name__}, wanted a Layer")
        try:
            network.make(shape, self._key.child(_NETWORK), dtype)
            outputs = network.forward(self._trial_input(_dtype_of(network)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"network: got one that cannot take samples of shape {shape}: {error}") from error
        wanted = self._output_shape(n_outputs)
        if outputs.shape[1:] != wanted:
            raise ValueError(f"network: got outputs of shape {outputs.shape[1:]} a sample, wanted {wanted}")
        return network

    def _trial_input(self, dtype):
        """A batch of one sample, to try a network with."""
        return np.zeros((1, *self.input_shape_), dtype)

    def _output_shape(self, n_outputs):
        """What the network gives for a sample."""
        return (n_outputs,)

    def _train_on_samples(self, X, targets, sample_weight, max_epochs, schedule):
        """Train on rows of X, all or all that are not held out."""
        rows = np.arange(len(X)) if sample_weight is None else np.flatnonzero(sample_weight)
        if len(rows) == 0:
            raise ValueError("class_weight: got zero for every class that is there, wanted one above zero")
        train, held_out = self._split(rows, targets)
        n_batches = math.ceil(len(train) / self._batch_size(len(train)))
        sources = [None if r is None else self._batches(X, r, targets, sample_weight) for r in (train, held_out)]
        self._train(*sources, self._batch_size(len(train)), n_batches, max_epochs, schedule)

    def _train(self, train, held_out, batch_size, n_batches, max_epochs, schedule):
        """Run the training loop and record what it did, however it ends."""
        self.network_.to(device_of(self))
        self._optimizer.learning_rate = float(self.learning_rate)  # an earlier fit's schedule left it at the end
        trainer = training.Trainer(
            self.network_,
            self._loss(),
            self._optimizer,
            batch_size=batch_size,
            max_epochs=max_epochs,
            schedule=_make_schedule(schedule, max_epochs * n_batches),
            callbacks=self._callbacks(),
            metrics=self._metrics,
            random_state=self._key.child(_TRAINING).child(len(self.loss_curve_)),
            **self._trainer_options(),
        )
        try:
            trainer.fit(train, validation=held_out)
        finally:
            self.history_ = trainer.history
            self.loss_curve_ = [*self.loss_curve_, *(record["loss"] for record in trainer.history)]
            self.n_iter_ = len(self.loss_curve_)

    def _trainer_options(self):
        """What else the family gives to the training loop."""
        return {}

    def _split(self, rows, targets):
        """The rows to learn from and those held out to stop early, or None."""
        if not self.early_stopping:
            return rows, None
        n_held_out = round(self.validation_fraction * len(rows))
        if not 1 <= n_held_out < len(rows):
            raise ValueError(
                f"validation_fraction: got {self.validation_fraction}, which holds out {n_held_out} of {len(rows)}"
                " samples, wanted at least one held out and one left to learn from"
            )
        # Evenly spaced in the order of the targets: every class, or every range of values, is held out alike.
        shuffled = rows[self._key.child(_SPLIT).permutation(len(rows))]
        in_order = shuffled[np.argsort(_first_of_each(targets)[shuffled], kind="stable")]
        held_out = in_order[((np.arange(n_held_out) + 0.5) * (len(rows) / n_held_out)).astype(np.int64)]
        return np.setdiff1d(rows, held_out, assume_unique=True), np.sort(held_out)

    def _batch_size(self, n_samples):
        if self.batch_size == "auto":
            return _SMALL_BATCH if n_samples < _SMALL_DATA else _LARGE_BATCH
        return int(self.batch_size)

    def _callbacks(self):
        own = []
        if self.early_stopping:
            own.append(training.EarlyStopping("validation_loss", patience=self.n_iter_no_change))
        if self.verbose:
            own.append(training.ProgressBar(self._unit))
        return [*own, *(self.callbacks or [])]

    # -- saving ---------------------------------------------------------------------------------------------------

    def save(self, path):
        """Save the fitted estimator to one safetensors file: weights and plain-JSON settings, no pickle.

        `neurojit.load` gives it back with the same options and predictions equal to the bit. The file is written whole
        or not at all. Some options do not fit into it and are replaced, with a warning: callbacks and a random
        generator become None, and a network that is a function (or one that came with weights) becomes the plain layer
        it made. The optimizer's memory is left out too: after loading, `partial_fit` and a warm start begin with a
        fresh one.

        Parameters
        ----------
        path : str or os.PathLike
            Usually ending in ``.safetensors``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError
            If a layer or a class label cannot be written as JSON.
        FileNotFoundError
            If the folder of `path` does not exist.
        """
        check_is_fitted(self)
        for loss in losses(self):
            warnings.warn(loss, UserWarning, stacklevel=2)
        write_state(path, self.to_state(), ESTIMATOR)

    def to_state(self):
        """The fitted estimator as a nested dict of arrays and plain JSON values: what `save` writes.

        Returns
        -------
        dict
        """
        return to_state(self)

    @classmethod
    def from_state(cls, state, custom_layers=None):
        """A fitted estimator from what `to_state` gave.

        Parameters
        ----------
        state : dict
        custom_layers : dict of str to type or None, default=None
            Layers of one's own that the network has, by the names of their classes.

        Returns
        -------
        estimator
        """
        estimator = cls()
        restore(estimator, state, custom_layers)
        return estimator


def _first_of_each(targets):
    """One number for each sample to spread held-out samples by: its first target."""
    if isinstance(targets, list):
        return np.array([target[0] if len(target) else -1 for target in targets])
    return targets.reshape(len(targets), -1)[:, 0]


def _dtype_of(network):
    """The float type of a network's parameters; a network without any works in float32."""
    for parameter in network.named_parameters().values():
        return parameter.value.dtype
    return np.dtype(np.float32)


def _make_schedule(name, steps):
    """The learning rate over a training of so many updates."""
    if name == "constant":
        return None
    return training.WarmUp(max(1, round(_WARM_UP * steps)), then=training.CosineDecay(steps, unit="step"))


def _make_optimizer(name, learning_rate, weight_decay):
    rates = {"learning_rate": float(learning_rate), "weight_decay": float(weight_decay)}
    if name == "sgd":
        return training.SGD(momentum=0.9, nesterov=True, **rates)
    return {"adam": training.Adam, "adamw": training.AdamW, "rmsprop": training.RMSprop}[name](**rates)
