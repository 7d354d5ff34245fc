"""Where batches come from: rows gathered from arrays, in order or shuffled, never a copy of the whole input."""

from typing import NamedTuple

import numpy as np

from neurojit.core.arrays import check_shape
from neurojit.training.options import whole


class Batch(NamedTuple):
    """Some samples of a data source.

    Parameters
    ----------
    x : numpy.ndarray
        Network input, shape (n, ...).
    targets : numpy.ndarray or None
        What the loss compares outputs with, n along the first axis.
    sample_weight : numpy.ndarray or None
        Shape (n,), float64; (n, steps) where steps of sequences are weighed.
    lengths : numpy.ndarray or None, default=None
        Valid steps of sequences that were padded to one length, shape (n,), int64; None where all steps are.
    n_samples : int or None, default=None
        How many samples this is, where more is counted than rows: the steps of a text. None counts rows.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import Batch
    >>> batch = Batch(np.zeros((2, 3)), np.array([0, 1]), np.array([1.0, 0.5]))
    >>> len(batch), batch.weight
    (2, 1.5)
    """

    x: np.ndarray
    targets: np.ndarray | None
    sample_weight: np.ndarray | None
    lengths: np.ndarray | None = None
    n_samples: int | None = None

    def __len__(self):
        return len(self.x) if self.n_samples is None else self.n_samples

    @property
    def weight(self):
        """How much the batch counts in a mean over batches: its samples, or the sum of their weights."""
        return float(len(self)) if self.sample_weight is None else float(self.sample_weight.sum())


class ArrayBatches:
    """Batches of rows of arrays.

    Rows are copied one batch at a time, so `x` may be a memory-mapped file larger than memory; read-only arrays are
    fine too.

    Parameters
    ----------
    x : array-like
        Samples along the first axis.
    y : array-like or None, default=None
        Targets, as many as samples; None for prediction.
    sample_weight : array-like or None, default=None
        Shape (n,), at least 0 and not all 0. The loss of a batch is then sum(w l) / sum(w).
    prepare : callable or None, default=None
        ``prepare(rows) -> array``: turns rows of `x` into network input (scaling of uint8 images, a new shape). It must
        not change its argument, which may be `x` itself.

    Raises
    ------
    ValueError
        If there are no samples, the lengths differ, or a weight is negative, NaN or infinite, or all are zero.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import ArrayBatches
    >>> data = ArrayBatches(np.arange(5), np.arange(5) % 2, prepare=lambda rows: rows / 4)
    >>> [batch.x.tolist() for batch in data.batches(2)]
    [[0.0, 0.25], [0.5, 0.75], [1.0]]
    """

    def __init__(self, x, y=None, sample_weight=None, prepare=None):
        self.x = _samples(x, "x")
        self.y = None if y is None else _samples(y, "y")
        if self.y is not None and len(self.y) != len(self.x):
            raise ValueError(f"y: got {len(self.y)} targets, wanted {len(self.x)}, one for each sample of x")
        self.sample_weight = None if sample_weight is None else checked_weights(sample_weight, len(self.x))
        self.prepare = prepare

    def __len__(self):
        """The number of samples."""
        return len(self.x)

    def batches(self, batch_size, key=None):
        """All samples once, as `Batch` after `Batch`; the last may be smaller.

        Parameters
        ----------
        batch_size : int
        key : Key or None, default=None
            Names the random order; None keeps the order of `x`.

        Yields
        ------
        Batch
        """
        batch_size = whole(batch_size, "batch_size")
        order = None if key is None else key.permutation(len(self))
        for start in range(0, len(self), batch_size):
            rows = slice(start, min(start + batch_size, len(self)))
            yield self.take(rows if order is None else order[rows])

    def take(self, rows):
        """The batch of the given rows: a slice (nothing is copied) or an array of indices."""
        x = self.x[rows]
        return Batch(
            x if self.prepare is None else self.prepare(x),
            None if self.y is None else self.y[rows],
            None if self.sample_weight is None else self.sample_weight[rows],
        )


def _samples(array, name):
    array = np.asarray(array)
    if array.ndim == 0 or len(array) == 0:
        raise ValueError(f"{name}: got shape {array.shape}, wanted at least one sample along the first axis")
    return array


def checked_weights(sample_weight, n_samples):
    """Weights of samples as a float64 array (n_samples,), or a ValueError that names them."""
    weights = np.asarray(sample_weight, dtype=np.float64)
    check_shape(weights, "sample_weight", shape=(n_samples,))
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise ValueError("sample_weight: got negative, NaN or infinite values or only zeros, wanted weights >= 0")
    return weights
