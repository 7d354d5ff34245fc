"""Recurrent networks that label each step of a sequence."""

import numpy as np

from neurojit import functional as F
from neurojit import training
from neurojit.estimators.recurrent_base import Recurrent
from neurojit.estimators.sequence_inputs import sequence_lengths
from neurojit.estimators.targets import check_given, check_labels, class_weights, encode_labels, find_classes
from neurojit.estimators.tasks import Labelled


class Labeler(Labelled, Recurrent):
    """Base of the estimators whose targets are sequences of labels."""

    _per_step = True

    def _check_targets(self, y, X):
        return self._check_labels(y, X)

    @staticmethod
    def _check_labels(y, X):
        """Label sequences as a list of arrays, as many as there are sequences."""
        check_given(y)
        if len(y) != len(X):
            raise ValueError(f"y: got {len(y)} label sequences, wanted {len(X)}, one for each sequence of X")
        y = [np.asarray(labels) for labels in y]
        for i, labels in enumerate(y):
            if labels.ndim != 1:
                raise ValueError(f"y[{i}]: got shape {labels.shape}, wanted a sequence of labels")
        return y

    def _learn_targets(self, y, sample_weight, classes):
        self.classes_ = find_classes(_all_labels(y))
        return len(self.classes_)

    def _encode(self, y, sample_weight):
        _all_labels(y)
        return [encode_labels(labels, self.classes_) for labels in y], sample_weight


class SequenceLabeler(Labeler):
    """Recurrent network that labels each step of sequences, which may be of unequal length.

    The network's outputs at a step are log-odds of its label; it is trained to the least cross-entropy over all steps.

    Parameters
    ----------
    network : Layer, callable or None, default=None
        As for `RecurrentClassifier`; it gives n_classes values for each step.
    cell, units, n_layers, peephole, coupled, dropout, standardize
        As for `RecurrentClassifier`.
    bidirectional : bool, default=False
        Whether each layer reads the sequence backward, too; otherwise a step's label is known as soon as the step is.
    optimizer, learning_rate, schedule, weight_decay, clip_norm, batch_size, max_epochs
        As for `RecurrentClassifier`.
    early_stopping, validation_fraction, n_iter_no_change
        As for `RecurrentClassifier`.
    class_weight : dict, "balanced" or None, default=None
        Weights of classes in the loss, by label; "balanced" gives each class the same total weight.
    callbacks, device, n_threads, random_state, warm_start, verbose
        As for `RecurrentClassifier`.

    Attributes
    ----------
    classes_ : numpy.ndarray, shape (n_classes,)
        The labels, sorted.
    network_, feature_mean_, feature_scale_, loss_curve_, history_, n_iter_, input_shape_
        As for `RecurrentClassifier`.
    n_features_in_, feature_names_in_
        As for `RecurrentClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(rng.integers(3, 9), 1)) for _ in range(200)]
    >>> y = [np.cumsum(x) > 0 for x in X]
    >>> model = nj.SequenceLabeler(units=16, max_epochs=20, learning_rate=0.01, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    >>> [len(labels) for labels in model.predict(X[:3])] == [len(x) for x in X[:3]]
    True
    """

    _metrics = {"accuracy": training.accuracy}

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
        class_weight=None,
        callbacks=None,
        device="cpu",
        n_threads=None,
        random_state=None,
        warm_start=False,
        verbose=0,
    ):
        super().__init__(
            network,
            cell=cell,
            units=units,
            n_layers=n_layers,
            bidirectional=bidirectional,
            peephole=peephole,
            coupled=coupled,
            dropout=dropout,
            standardize=standardize,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            weight_decay=weight_decay,
            clip_norm=clip_norm,
            batch_size=batch_size,
            max_epochs=max_epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            callbacks=callbacks,
            device=device,
            n_threads=n_threads,
            random_state=random_state,
            warm_start=warm_start,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def predict_proba(self, X):
        """Probability of each class at each step.

        Parameters
        ----------
        X : list of array-like, or array-like
            Sequences, shaped as in `fit`, of any lengths.

        Returns
        -------
        list of numpy.ndarray, shape (t_i, n_classes)
            Rows sum to one; columns are in the order of `classes_`. An array (n, t, n_classes) where X is one.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If the sequences have other features than in `fit`, or hold NaN or infinity.
        """
        return _like(X, [F.softmax(output) for output in self._outputs(X)])

    def predict(self, X):
        """The most probable label of each step; errors as for `predict_proba`.

        Parameters
        ----------
        X : list of array-like, or array-like
            Sequences, shaped as in `fit`, of any lengths.

        Returns
        -------
        list of numpy.ndarray, shape (t_i,)
            Of the labels' dtype; an array (n, t) where X is one.
        """
        return _like(X, [self.classes_[np.argmax(output, axis=1)] for output in self._outputs(X)])

    def score(self, X, y, sample_weight=None):
        """The share of steps whose label is right, over all sequences, each step weighted as its sequence is.

        Parameters
        ----------
        X : list of array-like, or array-like
            Sequences, as for `predict`.
        y : list of array-like, shape (t_i,)
            The label of each step.
        sample_weight : array-like, shape (n,), default=None
            Weights of the sequences.

        Returns
        -------
        float
        """
        predicted = self.predict(X)
        y = self._check_targets(y, predicted)
        right = np.array([np.count_nonzero(a == b) for a, b in zip(y, predicted, strict=True)])
        steps = np.array([len(labels) for labels in y])
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        return float((weight * right).sum() / (weight * steps).sum())

    def _check_targets(self, y, X):
        y = super()._check_targets(y, X)
        for i, (labels, length) in enumerate(zip(y, sequence_lengths(X), strict=True)):
            if len(labels) != length:
                raise ValueError(f"y[{i}]: got {len(labels)} labels, wanted {length}, one for each step of X[{i}]")
        return y

    def _encode(self, y, sample_weight):
        codes, sample_weight = super()._encode(y, sample_weight)
        spread = None if sample_weight is None else np.repeat(sample_weight, [len(labels) for labels in y])
        self._class_weight = class_weights(self.class_weight, self.classes_, np.concatenate(codes), spread)
        return codes, sample_weight

    def _loss(self):
        return training.CrossEntropy(self._class_weight)


def _all_labels(y):
    """The labels of all sequences one after another, of a kind that can be told apart."""
    given = [labels for labels in y if len(labels)]
    if not given:
        raise ValueError("y: got no labels at all, wanted at least two classes")
    labels = np.concatenate(given)
    return check_labels(labels, labels)


def _like(X, arrays):
    """One array where X was one, else the list."""
    return np.array(arrays) if isinstance(X, np.ndarray) and X.dtype != object else arrays
