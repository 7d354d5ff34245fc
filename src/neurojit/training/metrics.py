"""Scores beside the loss, and means over batches."""

import math

import numpy as np


def accuracy(outputs, targets, ignore_index=-100):
    """The fraction of samples, or of steps of sequences, whose largest output is that of the target class.

    Parameters
    ----------
    outputs : numpy.ndarray
        Shape (n, ..., classes): logits or probabilities.
    targets : numpy.ndarray
        Shape (n, ...), integers.
    ignore_index : int, default=-100
        Target that does not count.

    Returns
    -------
    float
        NaN where nothing counts.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import accuracy
    >>> accuracy(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 0]))
    0.5
    """
    counted = targets != ignore_index
    n_counted = np.count_nonzero(counted)
    hits = np.count_nonzero((outputs.argmax(axis=-1) == targets) & counted)
    return float(hits / n_counted) if n_counted else math.nan


class RunningMeans:
    """Weighted means of named numbers over batches.

    Examples
    --------
    >>> from neurojit.training.metrics import RunningMeans
    >>> means = RunningMeans()
    >>> means.add("loss", 1.0, weight=3)
    >>> means.add("loss", 5.0, weight=1)
    >>> means.result()
    {'loss': 2.0}
    """

    def __init__(self):
        self._sums = {}
        self._weights = {}

    def add(self, name, value, weight):
        """Take in one batch's mean `value`, which counts `weight`."""
        self._sums[name] = self._sums.get(name, 0.0) + float(value) * weight
        self._weights[name] = self._weights.get(name, 0.0) + weight

    def result(self):
        """The means so far, by name; NaN where nothing counted."""
        return {
            name: total / self._weights[name] if self._weights[name] else math.nan for name, total in self._sums.items()
        }
