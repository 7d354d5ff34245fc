"""What a network's outputs mean: log-odds of classes, or standardised numbers."""

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from neurojit import functional as F
from neurojit import training
from neurojit.estimators.targets import (
    check_labels,
    check_values,
    class_weights,
    encode_labels,
    find_classes,
    given_classes,
    mean_and_scale,
)


class Labelled:
    """`classes_` in the file of a `NetworkEstimator` whose targets are labels."""

    def to_state(self):
        """The fitted estimator as a nested dict of arrays and plain JSON values: what `save` writes.

        Returns
        -------
        dict
        """
        dtype = "object" if self.classes_.dtype == object else self.classes_.dtype.str
        return super().to_state() | {"labels": self.classes_.tolist(), "labels_dtype": dtype}

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
        estimator = super().from_state(state, custom_layers)
        estimator.classes_ = np.array(state["labels"], dtype=state["labels_dtype"])
        return estimator


class Classification(Labelled, ClassifierMixin):
    """One class a sample; for a `NetworkEstimator` with the option `class_weight` and ``_outputs(X)``."""

    _metrics: dict | None = {"accuracy": training.accuracy}

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train one epoch more on this X and y, at the full learning rate.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like, shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As for `fit`, and if the first call lacks `classes` or a label is not among them.
        """
        classes = given_classes(classes, getattr(self, "classes_", None))
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight: got {self.class_weight!r}, wanted None or a dict for partial_fit, which sees part of y"
            )
        return self._partial_fit(X, y, sample_weight, classes)

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like
            Samples, shaped as in `fit`.

        Returns
        -------
        numpy.ndarray, shape (n, n_classes), float32 or float64
            Rows sum to one; columns are in the order of `classes_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If the samples have another shape than in `fit`, or hold NaN or infinity.
        """
        return F.softmax(self._outputs(X))

    def predict(self, X):
        """The most probable class of each sample; errors as for `predict_proba`.

        Parameters
        ----------
        X : array-like
            Samples, shaped as in `fit`.

        Returns
        -------
        numpy.ndarray, shape (n,), of the labels' dtype
        """
        probabilities = self.predict_proba(X)
        return self.classes_[np.argmax(probabilities, axis=1)]

    def _check_targets(self, y, X):
        return check_labels(y, X)

    def _learn_targets(self, y, sample_weight, classes):
        self.classes_ = find_classes(y, sample_weight) if classes is None else classes
        return len(self.classes_)

    def _encode(self, y, sample_weight):
        codes = encode_labels(y, self.classes_)
        weight = class_weights(self.class_weight, self.classes_, codes, sample_weight)
        if weight is not None:
            sample_weight = weight[codes] if sample_weight is None else weight[codes] * sample_weight
        return codes, sample_weight

    def _loss(self):
        return training.CrossEntropy()


class Regression(RegressorMixin):
    """One or more numbers a sample; for a `NetworkEstimator` with ``_outputs(X)``."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def partial_fit(self, X, y, sample_weight=None):
        """Train one epoch more on this X and y, at the full learning rate; the first call settles the units of y.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As for `fit`.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X):
        """The numbers predicted for each sample.

        Parameters
        ----------
        X : array-like
            Samples, shaped as in `fit`.

        Returns
        -------
        numpy.ndarray, shape (n,) or (n, n_outputs) like y in `fit`, float64

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If the samples have another shape than in `fit`, or hold NaN or infinity.
        """
        outputs = self._outputs(X)
        standardised = outputs.astype(np.float64).reshape(len(outputs), *self.target_mean_.shape)
        return self.target_mean_ + self.target_scale_ * standardised

    def to_state(self):
        """The fitted estimator as a nested dict of arrays and plain JSON values: what `save` writes.

        Returns
        -------
        dict
        """
        return super().to_state() | {"target_mean": self.target_mean_, "target_scale": self.target_scale_}

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
        estimator = super().from_state(state, custom_layers)
        estimator.target_mean_, estimator.target_scale_ = state["target_mean"], state["target_scale"]
        return estimator

    def _check_targets(self, y, X):
        return check_values(y, X)

    def _learn_targets(self, y, sample_weight, classes):
        self.target_mean_, self.target_scale_ = mean_and_scale(y, sample_weight)
        return self.target_mean_.size

    def _encode(self, y, sample_weight):
        if y.shape[1:] != self.target_mean_.shape:
            raise ValueError(f"y: got shape {y.shape}, wanted (n, *{self.target_mean_.shape}) as in the first fit")
        standardised = (y - self.target_mean_) / self.target_scale_
        return standardised.reshape(len(y), -1), sample_weight

    def _loss(self):
        return training.MeanSquaredError()
