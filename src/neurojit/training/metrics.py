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


def edit_distance(one, other):
    """The fewest insertions, deletions and substitutions that make one sequence of another (Levenshtein 1966).

    Parameters
    ----------
    one, other : array-like, shape (n,) and (m,)

    Returns
    -------
    int

    Examples
    --------
    >>> from neurojit.training.metrics import edit_distance
    >>> edit_distance(list("kitten"), list("sitting"))
    3
    """
    other = np.array(list(other))
    positions = np.arange(len(other) + 1)
    distances = positions  # from what was read of `one` to each beginning of `other`
    for i, symbol in enumerate(one, 1):
        kept = np.minimum(distances[1:] + 1, distances[:-1] + (other != symbol))
        # An insertion costs 1 a step to the right: the least over all places it may have come from.
        distances = np.minimum.accumulate(np.concatenate([[i], kept]) - positions) + positions
    return int(distances[-1])


def label_error_rate(predicted, targets, sample_weight=None):
    """Edits that make the targets of what was predicted, as a share of the targets' labels.

    Parameters
    ----------
    predicted, targets : list of array-like
        Sequences of labels.
    sample_weight : array-like, shape (n,), default=None
        How much each counts.

    Returns
    -------
    float
        NaN where there are no labels.

    Notes
    -----
    Graves, "Supervised sequence labelling with recurrent neural networks" (2012), equation 2.19, over all sequences
    together.

    Examples
    --------
    >>> from neurojit.training.metrics import label_error_rate
    >>> label_error_rate([[1, 2], [3]], [[1, 2, 2], [4]])
    0.5
    """
    pairs = list(zip(predicted, targets, strict=True))
    weight = np.ones(len(pairs)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    edits = weight @ np.array([edit_distance(*pair) for pair in pairs], np.float64)
    labels = weight @ np.array([len(target) for _, target in pairs], np.float64)
    return float(edits / labels) if labels else math.nan


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
