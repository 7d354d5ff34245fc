"""Decoding of a model that is asked step by step what comes next."""

import numpy as np

from neurojit.core.progress import progress_bar
from neurojit.decoding.hypothesis import Hypothesis, check_real, check_whole, smallest

# Wu et al., "Google's neural machine translation system" (2016), equation 14: ((5 + length) / (5 + 1)) ** alpha.
_PENALTY_OFFSET = 5


def step_greedy(step, start, *, state=None, end=None, max_length):
    """Take the most probable symbol of a model, step by step.

    Parameters
    ----------
    step : callable
        ``step(tokens, state) -> (log_probabilities, state)``, as in `step_beam_search`, with one row.
    start : int
        What the model is given first.
    state : nested tuples, lists and dicts of arrays, or None
        The model's state before `start`.
    end : int or None, default=None
        The symbol that ends a sequence.
    max_length : int
        Symbols after which to stop.

    Returns
    -------
    numpy.ndarray, shape (length,)
        int64, with `end` last where it came.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, or the model gives NaN or another shape than (1, symbols).

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit import decoding
    >>> follows = np.log([[0.1, 0.8, 0.1], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])  # row: the symbol before
    >>> decoding.step_greedy(lambda tokens, state: (follows[tokens], state), 0, end=2, max_length=9)
    array([1, 2])
    """
    start, end, max_length = _check(start, end, max_length)
    tokens = []
    last = start
    while len(tokens) < max_length and (not tokens or last != end):
        costs, state = _costs(step, np.array([last]), state, end)
        last = int(costs[0].argmin())
        tokens.append(last)
    return np.array(tokens, np.int64)


def step_beam_search(
    step,
    start,
    *,
    state=None,
    end=None,
    max_length,
    width,
    length_penalty=0.0,
    n_best=1,
    reorder=None,
    verbose=0,
):
    r"""Search for sequences that a model finds probable, `width` at a time.

    At each step every sequence of the beam goes on with every symbol. Of these the best that do not end make up the
    next beam, and those that end, and come before the last of them, are finished (Sutskever, Vinyals and Le, "Sequence
    to sequence learning with neural networks" (2014), section 3.2). A finished sequence y scores

    .. math::

        s(y) = \frac{-\log P(y)}{((5 + |y|) / (5 + 1))^\alpha}

    with alpha = `length_penalty` and its length :math:`|y|`, the end symbol included (Wu et al., "Google's neural
    machine translation system" (2016), equation 14, without its coverage). The search is over when nothing in the beam
    can come to score better than what is finished, or at `max_length`, where the sequences in the beam count as
    finished.

    Parameters
    ----------
    step : callable
        ``step(tokens, state) -> (log_probabilities, state)``: tokens are the last symbols of k sequences, int64 (k,),
        state the model's states before them. Gives the logarithms of the probabilities of what comes next,
        (k, symbols), and the states after the tokens, k along the first axis of every array.
    start : int
        What the model is given first; no part of what is found.
    state : nested tuples, lists and dicts of arrays, or None
        The model's state before `start`, arrays with 1 along the first axis.
    end : int or None, default=None
        The symbol that ends a sequence; None runs all sequences to `max_length`.
    max_length : int
        Most symbols of a sequence.
    width : int
        Sequences in the beam.
    length_penalty : float, default=0.0
        0 favours short sequences, 1 about divides by length; at least 0.
    n_best : int, default=1
        How many sequences to give back, at most `width`.
    reorder : callable or None, default=None
        ``reorder(state, rows) -> state``, for states of another kind: row i of the result is row ``rows[i]``.
    verbose : int, default=0
        Whether to show how many steps are done.

    Returns
    -------
    list of Hypothesis
        At most `n_best`, the best first, with `end` as last token where it came.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, or the model gives NaN or another shape than (k, symbols).

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit import decoding
    >>> follows = np.log([[0.1, 0.6, 0.3], [0.3, 0.4, 0.3], [0.05, 0.05, 0.9]])
    >>> best, second = decoding.step_beam_search(
    ...     lambda tokens, state: (follows[tokens], state), 0, max_length=2, width=2, n_best=2
    ... )
    >>> best.tokens, round(float(np.exp(-best.score)), 2)  # a greedy search would have taken 1 first
    (array([2, 2]), 0.27)
    """
    start, end, max_length = _check(start, end, max_length)
    width, n_best = check_whole(width, "width"), check_whole(n_best, "n_best")
    if n_best > width:
        raise ValueError(f"n_best: got {n_best}, wanted at most the width {width}")
    penalty = _LengthPenalty(check_real(length_penalty, "length_penalty"), max_length)
    reorder = take_rows if reorder is None else reorder
    last, costs, tokens, finished = np.array([start]), np.zeros(1), np.zeros((1, 0), np.int64), []
    with progress_bar("beam search", "steps", max_length, shown=verbose) as update:
        for length in range(1, max_length + 1):
            more, state = _costs(step, last, state, end)
            candidates = costs[:, np.newaxis] + more
            ending, going = _split(candidates, end, width)
            finished += [Hypothesis(np.append(tokens[i], end), penalty(candidates[i, end], length)) for i in ending]
            parents, last = np.divmod(going, candidates.shape[1])
            costs, tokens = candidates[parents, last], np.column_stack([tokens[parents], last])
            update(1)
            if len(costs) == 0 or _is_over(finished, n_best, penalty.best(costs[0])):
                break
            state = reorder(state, parents)
        else:
            finished += [Hypothesis(*pair) for pair in zip(tokens, penalty(costs, max_length), strict=True)]
    ranked = sorted(finished, key=lambda hypothesis: hypothesis.score)[:n_best]
    return [Hypothesis(tokens, float(score)) for tokens, score in ranked]


class _LengthPenalty:
    """Costs divided by a power of the length, and the least that a cost may yet come to."""

    def __init__(self, alpha, max_length):
        if alpha < 0:
            raise ValueError(f"length_penalty: got {alpha}, wanted a number >= 0")
        self.alpha = alpha
        self.max_length = max_length

    def __call__(self, cost, length):
        return cost / ((_PENALTY_OFFSET + length) / (_PENALTY_OFFSET + 1)) ** self.alpha

    def best(self, cost):
        return self(cost, self.max_length)


def _split(candidates, end, width):
    """Rows that may end here, and flat places of the `width` best candidates that go on; none that is impossible."""
    going = candidates
    if end is not None:
        going = candidates.copy()
        going[:, end] = np.inf
    places = smallest(going, width)
    places = places[np.isfinite(going.reshape(-1)[places])]
    if end is None:
        return [], places
    limit = going.reshape(-1)[places[-1]] if len(places) == width else np.inf
    ends = candidates[:, end]
    return np.flatnonzero(np.isfinite(ends) & (ends <= limit)), places


def _is_over(finished, n_best, least):
    """Whether as many as wanted are finished that score no worse than `least`, which all others will at least."""
    return sum(hypothesis.score <= least for hypothesis in finished) >= n_best


def take_rows(state, rows):
    """Rows of every array in nested tuples, lists and dicts; None stays None."""
    if state is None:
        return None
    if isinstance(state, dict):
        return {key: take_rows(part, rows) for key, part in state.items()}
    if isinstance(state, tuple | list):
        parts = [take_rows(part, rows) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
    return np.asarray(state)[rows]


def _check(start, end, max_length):
    start, max_length = check_whole(start, "start", least=0), check_whole(max_length, "max_length")
    return start, None if end is None else check_whole(end, "end", least=0), max_length


def _costs(step, tokens, state, end):
    """Negative log-probabilities of what comes next, (k, symbols), in float64, and the states."""
    log_probabilities, state = step(tokens, state)
    log_probabilities = np.asarray(log_probabilities, np.float64)
    if log_probabilities.ndim != 2 or len(log_probabilities) != len(tokens):
        raise ValueError(
            f"step: got log-probabilities of shape {log_probabilities.shape}, wanted ({len(tokens)}, symbols)"
        )
    if np.isnan(log_probabilities).any():
        raise ValueError("step: got NaN among the log-probabilities, wanted numbers")
    if end is not None and end >= log_probabilities.shape[1]:
        raise ValueError(f"end: got {end}, wanted one of {log_probabilities.shape[1]} symbols")
    return 0.0 - log_probabilities, state
