"""What the recurrent estimators share: options, sequences as samples, the network by default."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from neurojit.core.device import threads
from neurojit.estimators.base import NetworkEstimator
from neurojit.estimators.sequence_inputs import (
    SequenceMaker,
    check_sequences,
    feature_moments,
    precision_of,
    sequence_lengths,
    step_shape,
)
from neurojit.models import recurrent


class Recurrent(NetworkEstimator):
    """Base of the estimators whose samples are sequences.

    Beside what `NetworkEstimator` wants, a subclass says in ``_per_step`` whether the network's outputs are one for
    each step, or one for a sequence.
    """

    _unit = "sequences"
    _computes_on_cuda = True
    _per_step = False

    def __init__(
        self,
        network=None,
        *,
        cell="lstm",
        units=64,
        n_layers=1,
        bidirectional=False,
        peephole=False,
        coupled=False,
        dropout=0.0,
        standardize=True,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="cosine",
        weight_decay=0.0,
        clip_norm=1.0,
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
        self.cell = cell
        self.units = units
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.peephole = peephole
        self.coupled = coupled
        self.dropout = dropout
        self.standardize = standardize
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
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

    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : list of array-like (t_i, n_features), or array-like, shape (n, t, n_features) or (n, t)
            Sequences, of any lengths in a list; (n, t) has one feature. float64 is trained in float64, all else in
            float32.
        y : array-like, shape (n,), or list of array-like
            Targets; see the class.
        sample_weight : array-like, shape (n,), default=None
            Weights of the sequences in the loss; None weighs all alike, 0 leaves a sequence out.

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
        return super().fit(X, y, sample_weight)

    def to_state(self):
        return super().to_state() | {"feature_mean": self.feature_mean_, "feature_scale": self.feature_scale_}

    @classmethod
    def from_state(cls, state, custom_layers=None):
        estimator = super().from_state(state, custom_layers)
        estimator.feature_mean_, estimator.feature_scale_ = state["feature_mean"], state["feature_scale"]
        return estimator

    def _check_input(self, X, *, reset):
        return check_sequences(self, X, reset=reset)

    def _learn_inputs(self, X, sample_weight):
        """Set the longest sequence's steps and a step's features as shape, and the units of the features."""
        width = step_shape(X)
        self.input_shape_ = (int(sequence_lengths(X).max()), *width)
        self.feature_mean_, self.feature_scale_ = np.zeros(width), np.ones(width)
        if self.standardize:
            self.feature_mean_, self.feature_scale_ = feature_moments(X, sample_weight)

    def _check_form(self, X):
        if step_shape(X) != self.input_shape_[1:]:
            raise ValueError(f"X: got steps of shape {step_shape(X)}, wanted {self.input_shape_[1:]} as in fit")

    def _precision(self, X):
        return precision_of(X)

    def _default_network(self, n_outputs):
        names = ("cell", "units", "n_layers", "bidirectional", "peephole", "coupled", "dropout")
        options = {name: getattr(self, name) for name in names}
        return recurrent(n_outputs, per_step=self._per_step, **options)

    def _output_shape(self, n_outputs):
        return (self.input_shape_[0], n_outputs) if self._per_step else (n_outputs,)

    def _sequences(self, X):
        return SequenceMaker(X, self._dtype, self.feature_mean_, self.feature_scale_)

    def _batches(self, X, rows, targets, sample_weight):
        return self._sequences(X).source(rows, targets, sample_weight, per_step=self._per_step)

    def _trainer_options(self):
        return {"clip_norm": self.clip_norm}

    def _outputs(self, X):
        """The network's outputs for each sequence: an array, or a list of arrays (t_i, outputs) if they are by step.

        Changes nothing, so threads may share the estimator.
        """
        check_is_fitted(self)
        X = self._check_input(X, reset=False)
        self._check_form(X)
        found = [None] * len(X)
        with threads(self.n_threads):
            for rows, outputs, lengths in self._sequences(X).forward(self.network_):
                for i, output, length in zip(rows, outputs, lengths, strict=True):
                    found[i] = output[:length] if self._per_step else output
        return found if self._per_step else np.array(found)
