"""Decoding of a table of probabilities whose steps do not depend on one another."""

import numpy as np

from neurojit.decoding.hypothesis import Hypothesis, check_whole, smallest


def greedy(probabilities):
    """The most probable symbol of each step.

    Parameters
    ----------
    probabilities : array-like, shape (..., t, symbols)
        Or anything that is larger for better symbols: their logarithms, logits.

    Returns
    -------
    numpy.ndarray, shape (..., t)
        int64; of equal symbols the first.

    Raises
    ------
    TypeError
        If these are not real numbers.
    ValueError
        If there are fewer than two axes, no symbols, or a NaN.

    Examples
    --------
    >>> from neurojit import decoding
    >>> decoding.greedy([[0.1, 0.9], [0.8, 0.2]])
    array([1, 0])
    """
    table = check_table(probabilities, "probabilities")
    if table.ndim < 2:
        raise ValueError(f"probabilities: got shape {table.shape}, wanted (..., t, symbols)")
    return table.argmax(axis=-1)


def beam_search(probabilities, width):
    """The `width` most probable sequences of a table of probabilities.

    Going from step to step, only the `width` best beginnings are kept. As steps do not depend on one another here, a
    best sequence's beginning is one of the best beginnings: nothing is lost, for any width.

    Parameters
    ----------
    probabilities : array-like, shape (t, symbols)
        Probability of each symbol at each step.
    width : int
        How many sequences to keep.

    Returns
    -------
    list of Hypothesis
        At most `width`, the best first; of equal ones that with the smaller symbol where they first differ. The score
        is the sum of -log p over the steps, inf for a sequence that cannot be.

    Raises
    ------
    TypeError
        If probabilities are not real numbers, or width is no integer.
    ValueError
        If the shape is another, a probability is not within 0 and 1, or width is below 1.

    Examples
    --------
    >>> from neurojit import decoding
    >>> table = [[0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.4, 0.3, 0.2, 0.1]] * 5
    >>> [(hypothesis.tokens[-2:].tolist(), hypothesis.score) for hypothesis in decoding.beam_search(table, 2)]
    [([4, 0], 6.931471805599453), ([4, 1], 7.154615356913663)]
    """
    table = check_table(probabilities, "probabilities")
    if table.ndim != 2:
        raise ValueError(f"probabilities: got shape {table.shape}, wanted (t, symbols)")
    if not ((table >= 0) & (table <= 1)).all():
        wrong = table[~((table >= 0) & (table <= 1))][0]
        raise ValueError(f"probabilities: got {wrong}, wanted numbers from 0 to 1")
    width = check_whole(width, "width")
    with np.errstate(divide="ignore"):
        costs_of_steps = -np.log(table)
    costs, tokens = np.zeros(1), np.zeros((1, 0), np.int64)
    for costs_of_symbols in costs_of_steps:
        candidates = costs[:, np.newaxis] + costs_of_symbols
        parents, symbols = np.divmod(smallest(candidates, width), table.shape[1])
        costs = candidates[parents, symbols]
        tokens = np.column_stack([tokens[parents], symbols])
    return [Hypothesis(row, float(cost)) for row, cost in zip(tokens, costs, strict=True)]


def check_table(values, name):
    """An array of real numbers with at least one symbol and without NaN, in float64."""
    table = np.asarray(values)
    if table.dtype.kind not in "fiub":
        raise TypeError(f"{name}: got dtype {table.dtype}, wanted real numbers")
    if table.ndim == 0 or table.shape[-1] == 0:
        raise ValueError(f"{name}: got shape {table.shape}, wanted at least one symbol along the last axis")
    table = table.astype(np.float64)
    if np.isnan(table).any():
        raise ValueError(f"{name}: got NaN, wanted numbers")
    return table
