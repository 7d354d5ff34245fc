"""Batches of sequences of unequal length: padded to the longest of the batch, which then knows all lengths."""

import numpy as np

from neurojit.core.arrays import check_shape
from neurojit.training.batches import Batch, checked_weights
from neurojit.training.ctc import Unaligned
from neurojit.training.options import whole

_IGNORED = -100  # the target that `CrossEntropy` leaves out
_ORDER_OF_BATCHES = 1 << 40  # sub-stream of an epoch's key, far from those of its batches


class SequenceBatches:
    """Batches of sequences, padded with zeros to the longest of each batch.

    Parameters
    ----------
    x : list of array-like, or array-like, shape (n, t, ...)
        Sequences, each of shape (t_i, ...) with at least one step.
    y : array-like or list of array-like or None, default=None
        Targets: an array with one entry for each sequence, or a list of arrays. With `per_step` these are the targets
        of each step, padded with -100, or with 0 where they are no integers; else label sequences of any lengths,
        which become `Unaligned`.
    sample_weight : array-like or None, default=None
        Shape (n,): how much each sequence counts.
    lengths : array-like of int or None, default=None
        Valid steps of each sequence of an array that is padded already.
    per_step : bool, default=False
        Whether y has a target for each step. Steps are then what counts as samples in means over batches.
    sort_within : int, default=1
        The samples of so many batches are sorted by length before they are cut into batches, which then hold less
        padding; the batches come in an order of their own. 1 sorts nothing. Without a key nothing is sorted.
    prepare : callable or None, default=None
        ``prepare(x, lengths) -> array``: turns a padded batch into network input; lengths are None where nothing was
        padded.

    Raises
    ------
    TypeError, ValueError
        If a sequence has no steps, features differ, lengths are not within the array, or targets do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import SequenceBatches
    >>> data = SequenceBatches([np.ones((1, 2)), np.ones((3, 2))], [[5], [6, 7, 8]], per_step=True)
    >>> batch = next(data.batches(2))
    >>> batch.x.shape, batch.lengths, len(batch)
    ((2, 3, 2), array([1, 3]), 4)
    >>> batch.targets
    array([[   5, -100, -100],
           [   6,    7,    8]])
    """

    def __init__(self, x, y=None, sample_weight=None, *, lengths=None, per_step=False, sort_within=1, prepare=None):
        self.x, self.lengths = _sequences(x, lengths)
        self.y = None if y is None else _targets(y, len(self.x))
        self.per_step = per_step
        if per_step:
            _check_steps(self.y, self.lengths)
        self.sample_weight = None if sample_weight is None else checked_weights(sample_weight, len(self.x))
        self.sort_within = whole(sort_within, "sort_within")
        self.prepare = prepare

    def __len__(self):
        """The number of samples: sequences, or with ``per_step`` their steps."""
        return int(self.lengths.sum()) if self.per_step else len(self.x)

    def batches(self, batch_size, key=None):
        """All sequences once, as `Batch` after `Batch`; the last of those cut may be smaller.

        Parameters
        ----------
        batch_size : int
            Sequences in a batch.
        key : Key or None, default=None
            Names the random order; None keeps the order of `x`.

        Yields
        ------
        Batch
        """
        for rows in self._order(whole(batch_size, "batch_size"), key):
            yield self.take(rows)

    def take(self, rows):
        """The batch of the sequences with the given indices."""
        lengths = self.lengths[rows]
        longest = lengths.max()
        is_ragged = lengths.min() < longest
        x = self.x[rows, :longest] if isinstance(self.x, np.ndarray) else padded([self.x[i] for i in rows])
        known = lengths if is_ragged else None
        targets = self._targets(rows, known)
        return Batch(
            x if self.prepare is None else self.prepare(x, known),
            targets,
            self._weights(rows, lengths, targets),
            known,
            int(lengths.sum()) if self.per_step else None,
        )

    def _order(self, batch_size, key):
        """Indices of sequences, batch by batch."""
        n = len(self.x)
        order = np.arange(n) if key is None else key.permutation(n)
        if key is None or self.sort_within == 1 or self.lengths.min() == self.lengths.max():
            return [order[start : start + batch_size] for start in range(0, n, batch_size)]
        pool = self.sort_within * batch_size
        pools = [order[start : start + pool] for start in range(0, n, pool)]
        order = np.concatenate([rows[np.argsort(self.lengths[rows], kind="stable")] for rows in pools])
        batches = [order[start : start + batch_size] for start in range(0, n, batch_size)]
        return [batches[i] for i in key.child(_ORDER_OF_BATCHES).permutation(len(batches))]

    def _targets(self, rows, known):
        if self.y is None or isinstance(self.y, np.ndarray):
            return None if self.y is None else self.y[rows]
        targets = padded([self.y[i] for i in rows], _IGNORED)
        return targets if self.per_step else Unaligned(targets, known)

    def _weights(self, rows, lengths, targets):
        """Weights of the sequences, or of all their steps, the padded ones 0; None where all count alike."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        if not self.per_step:
            return weight
        is_padding_known = targets.dtype.kind in "iu" or lengths.min() == lengths.max()
        if weight is None and is_padding_known:
            return None
        counted = np.arange(lengths.max()) < lengths[:, None]
        return counted * (1.0 if weight is None else weight[:, None])


def padded(arrays, fill=0):
    """Arrays of shape (t_i, ...) as one (n, longest, ...), filled up at the end; `fill` is for integers, else 0."""
    first = arrays[0]
    dtype = np.result_type(*{array.dtype for array in arrays})
    shape = (len(arrays), max(map(len, arrays)), *first.shape[1:])
    result = np.full(shape, fill if dtype.kind in "iu" else 0, dtype)
    for row, array in zip(result, arrays, strict=True):
        row[: len(array)] = array
    return result


def _sequences(x, lengths):
    """Sequences as an array or a list of arrays, and their lengths."""
    if not isinstance(x, list | tuple):
        x = np.asarray(x)
        if x.ndim < 2 or 0 in x.shape[:2]:
            raise ValueError(f"x: got shape {x.shape}, wanted (n, t, ...) with at least one sequence and one step")
        return x, _lengths(lengths, *x.shape[:2])
    if lengths is not None:
        raise ValueError("lengths: got some beside a list of sequences, wanted None: the sequences have their own")
    if len(x) == 0:
        raise ValueError("x: got an empty list, wanted at least one sequence")
    x = [np.asarray(one) for one in x]
    for i, one in enumerate(x):
        if one.ndim < 1 or len(one) == 0:
            raise ValueError(f"x[{i}]: got shape {one.shape}, wanted (t, ...) with at least one step")
        if one.shape[1:] != x[0].shape[1:]:
            raise ValueError(f"x[{i}]: got steps of shape {one.shape[1:]}, wanted {x[0].shape[1:]} as in x[0]")
    return x, np.array([len(one) for one in x], np.int64)


def _lengths(lengths, n, longest):
    if lengths is None:
        return np.full(n, longest, np.int64)
    given = np.asarray(lengths)
    if given.dtype.kind not in "iu":
        raise TypeError(f"lengths: got dtype {given.dtype}, wanted integers")
    check_shape(given, "lengths", shape=(n,))
    if not (given.min() >= 1 and given.max() <= longest):
        raise ValueError(f"lengths: got {given.min()} to {given.max()}, wanted 1 to {longest}, the steps of x")
    return given.astype(np.int64)


def _targets(y, n):
    is_list = isinstance(y, list | tuple) and len(y) > 0 and np.ndim(y[0]) > 0
    y = [np.asarray(one) for one in y] if is_list else np.asarray(y)
    if not is_list and y.ndim == 0:
        raise ValueError(f"y: got {y!r}, wanted one target for each sequence of x")
    if len(y) != n:
        raise ValueError(f"y: got {len(y)} targets, wanted {n}, one for each sequence of x")
    return y


def _check_steps(y, lengths):
    """Raise ValueError unless there is a target for each step."""
    if y is None:
        raise ValueError("y: got None, wanted targets for per_step=True")
    if isinstance(y, np.ndarray):
        if y.ndim < 2 or y.shape[1] != lengths.max() or lengths.min() < lengths.max():
            raise ValueError(f"y: got shape {y.shape}, wanted one target for each step, or a list of arrays")
        return
    for i, (one, length) in enumerate(zip(y, lengths, strict=True)):
        if len(one) != length:
            raise ValueError(f"y[{i}]: got {len(one)} targets, wanted {length}, one for each step of x[{i}]")
