"""What an estimator accepts as sequences, and how they become batches of a network."""

import numpy as np
from sklearn.utils.validation import check_array, validate_data

from neurojit import training
from neurojit.core.cuda import to_device, to_host
from neurojit.estimators.inputs import check_input, naming, precision
from neurojit.estimators.series import check_finite, check_matrix
from neurojit.layers.base import Mode
from neurojit.training.sequences import padded

_SORT_WITHIN = 16  # batches whose samples are sorted by length together
_LARGEST_BATCH = 256
_BATCH_VALUES = 1 << 18  # inputs in a batch of predictions
_BLOCK = 1 << 20  # values looked at a time to find their means


def check_sequences(estimator, X, *, reset):
    """Sequences as an array (n, t), (n, t, f) or (n, t, ..., f), or as a list of arrays (t_i, f), finite, not copied.

    With ``reset`` the estimator learns its `n_features_in_`: the values of a row of a matrix (n, t), else those of a
    step. Without, sequences must be as they were: of one length where they were rows of a matrix and are so again, of
    as many features in any case.

    Raises
    ------
    TypeError, ValueError
        If X is none of these, a sequence has no steps, features differ, or there is a NaN or an infinity.
    """
    if _is_list(X):
        X = [_one(x, f"X[{i}]") for i, x in enumerate(X)]
        _check_features(X)
        if reset:
            validate_data(estimator, X, reset=True, skip_check_array=True)  # forgets column names
            estimator.n_features_in_ = X[0].shape[1]
        return X
    if _ndim(X) == 2 and not reset and not _is_of_rows(estimator):
        with naming("X"):
            return check_array(X, input_name="X", estimator=estimator)  # rows are sequences of one feature
    X = check_input(estimator, X, reset=reset)
    if reset and X.ndim > 2:
        estimator.n_features_in_ = int(np.prod(X.shape[2:]))
    return X


def step_shape(X):
    """The shape of one step: (f,)."""
    if isinstance(X, list):
        return X[0].shape[1:]
    return X.shape[2:] if X.ndim > 2 else (1,)


def sequence_lengths(X):
    """Steps of each sequence, int64."""
    return np.array([len(x) for x in X], np.int64)


def precision_of(X):
    """The float type to work in: float64 where sequences have it, else float32."""
    if isinstance(X, list):
        return max((precision(x) for x in X), key=lambda dtype: dtype.itemsize)
    return precision(X)


def feature_moments(X, sample_weight=None):
    """Mean and standard deviation of each feature over all steps, float64; a constant feature has deviation 1.

    Steps count as much as the weight of their sequence says.
    """
    width = step_shape(X)
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    total, mean = weight @ sequence_lengths(X), np.zeros(width)
    for rows, block in _blocks(X):
        mean += np.tensordot(weight[rows], block.reshape(len(block), -1, *width).sum(axis=1, dtype=np.float64), 1)
    mean /= total
    variance = np.zeros(width)
    for rows, block in _blocks(X):
        squares = (block.reshape(len(block), -1, *width) - mean) ** 2
        variance += np.tensordot(weight[rows], squares.sum(axis=1), 1)
    deviation = np.sqrt(variance / total)
    constant = deviation <= np.finfo(np.float64).eps * np.abs(mean)
    return mean, np.where(constant, 1.0, deviation)


class SequenceMaker:
    """Turns sequences into batches for a network: standardised, padded with zeros, in the network's precision."""

    def __init__(self, X, dtype, mean, scale):
        self.X = X
        self.dtype = dtype
        self.mean = mean.astype(dtype)
        self.factor = (1 / scale).astype(dtype)

    def source(self, rows, targets, sample_weight=None, *, per_step=False):
        """Some sequences as a data source, targets and weights being those of all."""
        weight = None if sample_weight is None else sample_weight[rows]
        if isinstance(self.X, np.ndarray) and isinstance(targets, np.ndarray):
            return training.ArrayBatches(rows, targets[rows], weight, prepare=lambda rows: self(self.X[rows]))
        return training.SequenceBatches(
            [self.X[i] for i in rows],
            [targets[i] for i in rows] if isinstance(targets, list) else targets[rows],
            weight,
            per_step=per_step,
            sort_within=_SORT_WITHIN,
            prepare=self,
        )

    def __call__(self, x, lengths=None):
        """The network input of a batch, padded where there are lengths."""
        x = x.astype(self.dtype)
        if x.ndim == 2:
            x = x[..., None]
        x -= self.mean
        x *= self.factor
        if lengths is not None:
            x[np.arange(x.shape[1]) >= lengths[:, None]] = 0
        return x

    def forward(self, network):
        """Apply the network to all sequences, those of like length together.

        Yields
        ------
        rows, outputs, lengths
            Indices of a batch's sequences, and their outputs, on the host, and lengths.
        """
        lengths = sequence_lengths(self.X)
        by_length, values = np.argsort(lengths, kind="stable"), int(np.prod(step_shape(self.X)))
        start = 0
        while start < len(by_length):
            size = max(1, min(_LARGEST_BATCH, _BATCH_VALUES // (values * int(lengths[by_length[start]]))))
            rows = by_length[start : start + size]
            x, mode = self._batch(rows, lengths[rows])
            outputs = network.forward(to_device(x) if network.device == "cuda" else x, mode)
            yield rows, to_host(outputs), lengths[rows]
            start += size

    def _batch(self, rows, lengths):
        if isinstance(self.X, np.ndarray):
            return self(self.X[rows]), Mode()
        known = lengths if lengths[0] < lengths[-1] else None
        return self(padded([self.X[i] for i in rows]), known), Mode(lengths=known)


def _is_list(X):
    """Whether X is a list of sequences, rather than something that makes one array."""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and len(X) > 0 and np.ndim(X[0]) > 0
    if not isinstance(X, list | tuple) or len(X) == 0:
        return False
    return any(isinstance(x, np.ndarray) and x.ndim > 1 for x in X) or len({_length(x) for x in X}) > 1


def _length(x):
    return len(x) if hasattr(x, "__len__") else 0


def _ndim(X):
    return X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim


def _one(x, name):
    x = np.asarray(x)
    if x.ndim == 1 and x.dtype.kind in "fiub":
        x = x[:, None]
    x = check_matrix(x, name)
    check_finite(x, name)
    return x


def _check_features(X):
    for i, x in enumerate(X):
        if x.shape[1:] != X[0].shape[1:]:
            raise ValueError(f"X: got {x.shape[1]} features in sequence {i}, wanted {X[0].shape[1]} as in sequence 0")


def _is_of_rows(estimator):
    """Whether the estimator was fitted on a matrix, of which each row is a sequence."""
    return estimator.input_shape_ == (estimator.n_features_in_, 1)


def _blocks(X):
    """Some sequences of one length at a time, as (n, t, ...), and which they are."""
    if isinstance(X, list):
        yield from ((slice(i, i + 1), x[None]) for i, x in enumerate(X))
        return
    size = max(1, _BLOCK // int(np.prod(X.shape[1:])))
    yield from ((slice(start, start + size), X[start : start + size]) for start in range(0, len(X), size))
