"""What estimators with a linear readout answer: labels from scores of classes, outputs of one or more columns."""

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from neurojit.estimators.targets import encode_labels


class ScoredClasses(ClassifierMixin):
    """A classifier that declares ``_scores(X)``, a number for each sample and class, and has `classes_`."""

    def decision_function(self, X):
        """How much speaks for each class.

        Parameters
        ----------
        X : array-like or list of array-like
            As for `fit`.

        Returns
        -------
        numpy.ndarray, shape (n, n_classes), or (n,) for two classes: then what speaks for the second
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X):
        """The label of each sample.

        Parameters
        ----------
        X : array-like or list of array-like
            As for `fit`.

        Returns
        -------
        numpy.ndarray, shape (n,)
        """
        scores = self.decision_function(X)
        codes = (scores > 0).astype(np.int64) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[codes]

    def _one_hot(self, y):
        """Targets 1 for the class of a sample and 0 for the others."""
        return np.eye(len(self.classes_))[encode_labels(y, self.classes_)]


class ManyOutputs(RegressorMixin):
    """A regressor whose y may have several columns."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
