"""Scores beside the loss, and means over batches."""

import math


def accuracy(outputs, targets):
    """The fraction of samples whose largest output is that of the target class.

    Parameters
    ----------
    outputs : numpy.ndarray
        Shape (n, classes): logits or probabilities.
    targets : numpy.ndarray
        Shape (n,), integers.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import accuracy
    >>> accuracy(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 0]))
    0.5
    """
    return float((outputs.argmax(axis=-1) == targets).mean())


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
