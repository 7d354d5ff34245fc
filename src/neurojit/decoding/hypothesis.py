"""What a search finds, and what searches share."""

import numbers
from typing import NamedTuple

import numpy as np


class Hypothesis(NamedTuple):
    """A sequence that a search found.

    Parameters
    ----------
    tokens : numpy.ndarray
        Shape (length,), int64.
    score : float
        Negative logarithm of its probability, as the search weighs it: the smaller the better.

    Examples
    --------
    >>> from neurojit import decoding
    >>> best, *others = decoding.beam_search([[0.5, 0.25, 0.25]], width=2)
    >>> best.tokens, round(best.score, 4), others[0].tokens
    (array([0]), 0.6931, array([1]))
    """

    tokens: np.ndarray
    score: float


def check_whole(value, name, least=1):
    """The value as an int, or an error that names it."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: got {value!r}, wanted an integer")
    if value < least:
        raise ValueError(f"{name}: got {value}, wanted an integer >= {least}")
    return int(value)


def check_real(value, name):
    """The value as a float, or an error that names it."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: got {value!r}, wanted a number")
    if not np.isfinite(value):
        raise ValueError(f"{name}: got {value}, wanted a finite number")
    return float(value)


def smallest(costs, count):
    """Places of the `count` smallest of an array of costs, in order; equal ones in the order they stand in."""
    flat = costs.reshape(-1)
    if count < flat.size:
        limit = np.partition(flat, count - 1)[count - 1]
        candidates = np.flatnonzero(flat <= limit)
    else:
        candidates = np.arange(flat.size)
    return candidates[np.argsort(flat[candidates], kind="stable")][:count]
