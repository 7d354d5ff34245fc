"""What the convolutional estimators share: options, the steps of a fit, the network's outputs in batches."""

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
from neurojit.estimators.inputs import BatchMaker, check_form, check_input, precision, resolve_input_shape
from neurojit.estimators.options import check_options
from neurojit.estimators.saving import losses, restore, to_state
from neurojit.estimators.targets import check_weights
from neurojit.io.estimator_file import ESTIMATOR
from neurojit.layers import Layer
from neurojit.models import default_convnet

_SMALL_DATA = 4096  # fewer samples than this need more steps an epoch
_SMALL_BATCH, _LARGE_BATCH = 32, 64
_WARM_UP = 0.1  # the part of the steps in which the learning rate rises

# Sub-streams of the estimator's random key; training's takes the number of epochs so far.
_NETWORK, _SPLIT, _TRAINING = range(3)


class ConvNet(BaseEstimator):
    """Base of `ConvNetClassifier` and `ConvNetRegressor`, which say what their targets are.

    A subclass declares

    - ``_check_targets(y, X)``: y as an array, checked;
    - ``_learn_targets(y, sample_weight, classes)``: sets the fitted attributes that describe y, returns the number of
      outputs;
    - ``_encode(y, sample_weight)``: what the loss takes: targets and weights of the samples;
    - ``_loss()``: the loss, and ``_metrics``: what is measured beside it, if anything.
    """

    _metrics: dict | None = None

    def __init__(
        self,
        network=None,
        *,
        input_shape=None,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="cosine",
        weight_decay=0.0,
        batch_size="auto",
        max_epochs=10,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        callbacks=None,
        device="cpu",
        n_threads=None,
        random_state=None,
        warm_start=False,
        verbose=0,
    ):
        self.network = network
        self.input_shape = input_shape
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    # -- fitting --------------------------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : array-like, shape (n, height, width, channels), (n, height, width) or (n, length)
            Images or signals; with `input_shape`, also their flat rows (n, n_features). float64 is trained in float64,
            uint8 is scaled from 0..255 to 0..1 batch by batch, all else is taken as float32. Arrays are never copied
            whole.
        y : array-like, shape (n,)
            Targets.
        sample_weight : array-like, shape (n,), default=None
            Weights of the samples in the loss; None weighs all alike, 0 leaves a sample out.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            Before training, if an argument or an option is wrong; the message names it, what it got and wanted.
        neurojit.training.TrainingDiverged
            If the loss becomes NaN or infinite; `network_` then holds the last good weights.
        """
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
        X = check_input(self, X, reset=not resume)
        y = self._check_targets(y, X)
        sample_weight = check_weights(sample_weight, X)
        with threads(self.n_threads):
            if resume:
                check_form(X, self.input_shape_, flat=self.input_shape is not None)
            else:
                self._start(X, self._learn_targets(y, sample_weight, classes))
            targets, sample_weight = self._encode(y, sample_weight)
            self._train(X, targets, sample_weight, max_epochs, schedule)
        return self

    def _start(self, X, n_outputs):
        """Make the network and its optimizer, and begin the record of training anew."""
        self.input_shape_ = resolve_input_shape(X, self.input_shape)
        self._key = Key.from_random_state(self.random_state)
        network = self._make_network(n_outputs, precision(X))
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
            return default_convnet(shape, n_outputs).make(shape, self._key.child(_NETWORK), dtype)
        network = copy.deepcopy(self.network) if isinstance(self.network, Layer) else self.network(shape, n_outputs)
        if not isinstance(network, Layer):
            raise TypeError(f"network: got a function that returns {type(network).__name__}, wanted a Layer")
        try:
            network.make(shape, self._key.child(_NETWORK), dtype)
            outputs = network.forward(np.zeros((1, *shape), _dtype_of(network)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"network: got one that cannot take samples of shape {shape}: {error}") from error
        if outputs.shape[1:] != (n_outputs,):
            raise ValueError(f"network: got outputs of shape {outputs.shape[1:]} a sample, wanted ({n_outputs},)")
        return network

    def _train(self, X, targets, sample_weight, max_epochs, schedule):
        """Run the training loop and record what it did, however it ends."""
        make_batch = BatchMaker(X, self.input_shape_, self._dtype)

        def batches(rows):
            weight = None if sample_weight is None else sample_weight[rows]
            return training.ArrayBatches(rows, targets[rows], weight, prepare=make_batch)

        rows = np.arange(len(X)) if sample_weight is None else np.flatnonzero(sample_weight)
        if len(rows) == 0:
            raise ValueError("class_weight: got zero for every class that is there, wanted one above zero")
        train, held_out = self._split(rows, targets)
        batch_size = self._batch_size(len(train))
        self._optimizer.learning_rate = float(self.learning_rate)  # an earlier fit's schedule left it at the end
        trainer = training.Trainer(
            self.network_,
            self._loss(),
            self._optimizer,
            batch_size=batch_size,
            max_epochs=max_epochs,
            schedule=_make_schedule(schedule, max_epochs * math.ceil(len(train) / batch_size)),
            callbacks=self._callbacks(),
            metrics=self._metrics,
            random_state=self._key.child(_TRAINING).child(len(self.loss_curve_)),
        )
        try:
            trainer.fit(batches(train), validation=None if held_out is None else batches(held_out))
        finally:
            self.history_ = trainer.history
            self.loss_curve_ = [*self.loss_curve_, *(record["loss"] for record in trainer.history)]
            self.n_iter_ = len(self.loss_curve_)

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
        first_target = targets.reshape(len(targets), -1)[shuffled, 0]
        in_order = shuffled[np.argsort(first_target, kind="stable")]
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
            own.append(training.ProgressBar("images" if len(self.input_shape_) == 3 else "signals"))
        return [*own, *(self.callbacks or [])]

    # -- using ----------------------------------------------------------------------------------------------------

    def _outputs(self, X):
        """The network's outputs for X, computed in batches; changes nothing, so threads may share the estimator."""
        check_is_fitted(self)
        X = check_input(self, X, reset=False)
        check_form(X, self.input_shape_, flat=self.input_shape is not None)
        with threads(self.n_threads):
            return np.concatenate([self.network_.forward(x) for x in BatchMaker(X, self.input_shape_, self._dtype)])

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
        """The fitted estimator as a nested dict of arrays and plain JSON values: what `save` writes."""
        return to_state(self)

    @classmethod
    def from_state(cls, state, custom_layers=None):
        """A fitted estimator from what `to_state` gave."""
        estimator = cls()
        restore(estimator, state, custom_layers)
        return estimator


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
