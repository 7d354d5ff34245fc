"""Reading what a network trained by connectionist temporal classification says: the best path."""

import numpy as np

from neurojit.core.arrays import canonical_integers
from neurojit.decoding.hypothesis import check_whole
from neurojit.decoding.tables import check_table


def ctc_greedy(log_probs, *, blank=0, lengths=None):
    """The labels of the most probable path: best path decoding.

    The most probable symbol of each step, repetitions merged, then blanks dropped (Graves, Fernandez, Gomez and
    Schmidhuber, ICML 2006, equation 4). The labels that most paths together read as may be others: see
    `ctc_beam_search`.

    Parameters
    ----------
    log_probs : array-like, shape (t, classes) or (n, t, classes)
        Logarithms of probabilities, or anything that is larger for better symbols.
    blank : int, default=0
        The class that stands for no label.
    lengths : array-like of int, shape (n,), optional
        Steps of each sequence of a batch that count.

    Returns
    -------
    numpy.ndarray or list of numpy.ndarray
        Labels of a sequence, int64; for a batch a list of such.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, a length is longer than the array, or blank is no class.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit import decoding
    >>> path = np.eye(4)[[0, 1, 1, 0, 1, 3, 3]]  # - 1 1 - 1 3 3
    >>> decoding.ctc_greedy(path)
    array([1, 1, 3])
    """
    table, blank = check_log_probs(log_probs, blank, ndim=(2, 3))
    if table.ndim == 2:
        if lengths is not None:
            raise ValueError("lengths: got some beside a single sequence, wanted None, or a batch (n, t, classes)")
        return _read(table.argmax(axis=-1), blank)
    n, steps, _ = table.shape
    lengths = np.full(n, steps) if lengths is None else canonical_integers(lengths, "lengths", shape=(n,))
    if ((lengths < 0) | (lengths > steps)).any():
        raise ValueError(f"lengths: got {lengths.min()} to {lengths.max()}, wanted 0 to {steps}")
    return [_read(path[:length], blank) for path, length in zip(table.argmax(axis=-1), lengths, strict=True)]


def check_log_probs(log_probs, blank, ndim=(2,)):
    """The table in float64 and the blank as an int."""
    table = check_table(log_probs, "log_probs")
    if table.ndim not in ndim:
        wanted = "(t, classes)" if ndim == (2,) else "(t, classes) or (n, t, classes)"
        raise ValueError(f"log_probs: got shape {table.shape}, wanted {wanted}")
    blank = check_whole(blank, "blank", least=0)
    if blank >= table.shape[-1]:
        raise ValueError(f"blank: got {blank}, wanted a class, 0 to {table.shape[-1] - 1}")
    return table, blank


def _read(path, blank):
    """The path without repetitions and then without blanks."""
    is_new = np.ones(len(path), bool)
    is_new[1:] = path[1:] != path[:-1]
    return path[is_new & (path != blank)]
