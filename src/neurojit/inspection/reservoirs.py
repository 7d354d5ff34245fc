"""Plots of reservoirs and their forecasts, each on given axes or on a figure of its own."""

import numpy as np

from neurojit.inspection.plots import _axes

_MOST_UNITS = 100  # rows of a heat map that can be told apart


def state_heat_map(states, ax=None, *, n_units=_MOST_UNITS):
    """Draw the states of units over time.

    Parameters
    ----------
    states : array-like, shape (n_steps, n_units)
        For example of `EchoStateRegressor.states`.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.
    n_units : int, default=100
        How many units to show at most, the first ones.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the states have not two axes.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.inspection import state_heat_map
    >>> state_heat_map(np.random.default_rng(0).standard_normal((50, 200))).get_title()
    'States of 100 of 200 units'
    """
    states = np.asarray(states)
    if states.ndim != 2 or not states.size:
        raise ValueError(f"states: got shape {states.shape}, wanted (n_steps, n_units)")
    ax = _axes(ax)
    most = np.abs(states).max() or 1.0
    ax.imshow(states[:, :n_units].T, aspect="auto", cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
    ax.set_xlabel("step")
    ax.set_ylabel("unit")
    ax.set_title(f"States of {min(n_units, states.shape[1])} of {states.shape[1]} units")
    return ax


def eigenvalues(W, ax=None):
    """Draw the eigenvalues of a reservoir's matrix in the complex plane, with the unit circle and their own.

    Parameters
    ----------
    W : array-like, sparse array or ShiftMatrix, shape (N, N)
        For example ``model.reservoir_.recurrent[0]``. All its eigenvalues are computed: a minute for 3000 units.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from neurojit.inspection import eigenvalues
    >>> from neurojit.reservoirs import reservoir_matrix
    >>> eigenvalues(reservoir_matrix(100, random_state=0)).get_title()
    'Eigenvalues of W (100 units)'
    """
    dense = W.tocsr().toarray() if hasattr(W, "tocsr") else np.asarray(W)
    values = np.linalg.eigvals(dense)
    radius = np.abs(values).max()
    ax = _axes(ax)
    angle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(angle), np.sin(angle), color="black", linewidth=0.8, label="unit circle")
    ax.plot(radius * np.cos(angle), radius * np.sin(angle), color="C1", linestyle="--", label=f"radius {radius:.3g}")
    ax.plot(values.real, values.imag, ".", color="C0", markersize=3)
    ax.set_aspect("equal")
    ax.legend(loc="upper right", fontsize=8)
    ax.set_title(f"Eigenvalues of W ({len(dense)} units)")
    return ax


def free_run(truth, predicted, ax=None, *, known=None):
    """Draw a free run beside the truth.

    Parameters
    ----------
    truth : array-like, shape (n_true,) or (n_true, 1)
        May be shorter than the prediction, or empty.
    predicted : array-like, shape (n_steps,) or (n_steps, 1)
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.
    known : array-like, shape (n_known,) or None, default=None
        The series up to the start of the run.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from neurojit.inspection import free_run
    >>> from neurojit.reservoirs import mackey_glass
    >>> x = mackey_glass(300)
    >>> free_run(x[200:], x[200:] + 0.01, known=x[:200]).get_xlabel()
    'step'
    """
    truth, predicted = np.ravel(truth), np.ravel(predicted)
    ax = _axes(ax)
    if known is not None:
        known = np.ravel(known)
        ax.plot(np.arange(-len(known), 0), known, color="black", linewidth=1)
    if len(truth):
        ax.plot(truth, color="black", linewidth=1, label="truth")
    ax.plot(predicted, color="C1", linewidth=1.2, label="free run")
    ax.axvline(0, color="gray", linewidth=0.8, linestyle=":")
    ax.set_xlabel("step")
    ax.legend(fontsize=8)
    ax.set_title("Free run")
    return ax


def error_by_horizon(errors, ax=None, *, log=False):
    """Draw how errors grow with the horizon.

    Parameters
    ----------
    errors : dict of str to array-like, shape (n_horizons,)
        Errors at horizons 1, 2, ..., by the name of what made them.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.
    log : bool, default=False
        Whether the errors' axis is logarithmic, for methods that differ by orders of magnitude; else it begins at 0.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from neurojit.inspection import error_by_horizon
    >>> error_by_horizon({"reservoir": [0.1, 0.2], "last value": [0.3, 0.5]}).get_xlabel()
    'steps ahead'
    """
    ax = _axes(ax)
    for name, values in errors.items():
        ax.plot(np.arange(1, len(values) + 1), values, label=name)
    ax.set_xlabel("steps ahead")
    ax.set_ylabel("error")
    if log:
        ax.set_yscale("log")
    else:
        ax.set_ylim(bottom=0)
    ax.legend(fontsize=8)
    ax.set_title("Error by horizon")
    return ax
