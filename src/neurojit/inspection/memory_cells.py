"""States of recurrent layers, step by step, and a picture of them."""

import numpy as np

from neurojit.inspection.plots import _axes
from neurojit.layers.base import Mode


def state_traces(network, x):
    """States of every recurrent layer after each step of one sequence.

    Parameters
    ----------
    network : Layer
        Built, and one that reads forward only.
    x : array-like, shape (t, features), or (t,) of symbols' numbers
        The sequence, as the network takes it: standardised, where the estimator does that.

    Returns
    -------
    dict of str to tuple of numpy.ndarray, shape (t, units)
        By dotted path of the layer; an LSTM has its outputs and its cells.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.inspection import state_traces
    >>> from neurojit.layers import LSTM, Dense, Sequential
    >>> network = Sequential(LSTM(4, return_sequences=True), Dense(2)).make((None, 3), 0)
    >>> hidden, cells = state_traces(network, np.ones((10, 3), np.float32))["0"]
    >>> hidden.shape, cells.shape
    ((10, 4), (10, 4))
    """
    x = np.asarray(x)
    if x.ndim not in (1, 2) or len(x) == 0:
        raise ValueError(f"x: got shape {x.shape}, wanted one sequence (t, features) or (t,) with at least one step")
    paths, carry, traces = dict(network.walk()), {}, {}
    for step in x:
        network.forward(step[None, None], Mode(carry=carry))
        for layer, states in carry.items():
            traces.setdefault(paths[layer].rstrip("."), []).append([state[0] for state in states])
    return {path: tuple(np.array(trace).swapaxes(0, 1)) for path, trace in traces.items()}


def cell_traces(states, ax=None, *, symbols=None):
    """Draw states of units over time, a line each: a counter climbs and falls.

    Parameters
    ----------
    states : array-like, shape (t, units)
        For example the cells that `state_traces` finds.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.
    symbols : sequence of str or None, default=None
        What was read at each step, to be written below.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the states have not two axes, or there are not as many symbols as steps.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.inspection import cell_traces
    >>> ax = cell_traces(np.array([[1.0], [2.0], [1.0], [0.0]]), symbols="aabb")
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['a', 'a', 'b', 'b']
    """
    states = np.asarray(states)
    if states.ndim != 2 or not states.size:
        raise ValueError(f"states: got shape {states.shape}, wanted (t, units)")
    if symbols is not None and len(symbols) != len(states):
        raise ValueError(f"symbols: got {len(symbols)}, wanted {len(states)}, one for each step")
    ax = _axes(ax)
    for unit, trace in enumerate(states.T):
        ax.plot(np.arange(1, len(trace) + 1), trace, label=str(unit))
    ax.set_xlabel("step")
    ax.set_ylabel("state")
    if symbols is not None:
        ax.set_xticks(np.arange(1, len(states) + 1), list(symbols))
    ax.set_title(f"States of {states.shape[1]} units")
    return ax
