"""What a reservoir can do, measured: memory, separation, generalization, and whether it forgets its start."""

import numpy as np

from neurojit.core.random import Key

_INPUTS, _STARTS, _NOISE = range(3)  # sub-streams of a measurement's key


def memory_capacity(reservoir, *, max_delay=None, n_steps=4000, washout=None, low=-0.5, high=0.5, random_state=0):
    """How well white noise of the past can be read from the states, summed over delays.

    MC = sum_k r^2(u(n - k), y_k(n)), with y_k the best linear readout for delay k: Jaeger 2001, "Short term memory in
    echo state networks", equations 4 and 5. At most the number of units. The correlation is measured on steps the
    readout has not seen.

    Parameters
    ----------
    reservoir : Reservoir
        With one input.
    max_delay : int or None, default=None
        Delays 1 to `max_delay`; None is twice the number of units.
    n_steps : int, default=4000
        Steps to learn from, and as many to measure on.
    washout : int or None, default=None
        Steps left out at the start; None is `max_delay`.
    low, high : float, default=-0.5 and 0.5
        The noise is uniform between them.
    random_state : int, RandomState, Generator or None, default=0

    Returns
    -------
    total : float
    by_delay : numpy.ndarray, shape (max_delay,)

    Raises
    ------
    ValueError
        If the reservoir has not one input.

    Examples
    --------
    >>> from neurojit.reservoirs import make_reservoir, memory_capacity
    >>> ring = make_reservoir(1, n_units=20, topology="ring", activation="identity", bias_scaling=0.0, random_state=0)
    >>> total, by_delay = memory_capacity(ring)
    >>> bool(19 < total <= 20), by_delay.shape
    (True, (40,))
    """
    _check_inputs(reservoir)
    max_delay = 2 * reservoir.size if max_delay is None else max_delay
    washout = max_delay if washout is None else max(washout, max_delay)
    key = Key.from_random_state(random_state).child(_INPUTS)
    u = key.uniform((washout + 2 * n_steps, 1), low, high, np.float64)
    states = reservoir.run(u)[washout:].astype(np.float64)
    past = np.stack([u[washout - k : len(u) - k, 0] for k in range(1, max_delay + 1)], axis=1)
    learn, measure = slice(0, n_steps), slice(n_steps, 2 * n_steps)
    rows = np.hstack([np.ones((len(states), 1)), states])
    readout = np.linalg.lstsq(rows[learn], past[learn], rcond=1e-12)[0]
    by_delay = _squared_correlation(rows[measure] @ readout, past[measure])
    # Chance alone correlates with 1 / n_steps on average: that is no memory.
    by_delay = np.maximum(by_delay - 1.0 / n_steps, 0.0)
    return float(by_delay.sum()), by_delay


def kernel_rank(reservoir, *, n_streams=None, n_steps=200, tolerance=1e-2, random_state=0):
    """How many different inputs the states keep apart: the rank of the end states of as many random streams.

    Legenstein and Maass 2007, "Edge of chaos and prediction of computational performance", section 3; the more, the
    better.

    Parameters
    ----------
    reservoir : Reservoir
    n_streams : int or None, default=None
        None is the number of units.
    n_steps : int, default=200
        Steps of each stream, of inputs between -1 and 1.
    tolerance : float, default=1e-2
        Singular values below this part of the largest do not count.
    random_state : int, RandomState, Generator or None, default=0

    Returns
    -------
    int

    Examples
    --------
    >>> from neurojit.reservoirs import kernel_rank, make_reservoir
    >>> kernel_rank(make_reservoir(1, n_units=30, random_state=0)) > 10
    True
    """
    key = Key.from_random_state(random_state).child(_INPUTS)
    n_streams = reservoir.size if n_streams is None else n_streams
    u = key.uniform((n_streams, n_steps, reservoir.n_inputs), -1.0, 1.0, np.float64)
    return _rank(_end_states(reservoir, u), tolerance)


def generalization_rank(reservoir, *, n_streams=None, n_steps=200, noise=0.01, tolerance=1e-2, random_state=0):
    """How many dimensions the end states of noisy versions of one stream take: the fewer, the better it generalizes.

    Legenstein and Maass 2007, "Edge of chaos and prediction of computational performance", section 4.

    Parameters
    ----------
    reservoir : Reservoir
    n_streams, n_steps, tolerance, random_state
        As for `kernel_rank`.
    noise : float, default=0.01
        Uniform noise between -noise and noise that tells the streams apart.

    Returns
    -------
    int

    Examples
    --------
    >>> from neurojit.reservoirs import generalization_rank, make_reservoir
    >>> generalization_rank(make_reservoir(1, n_units=30, random_state=0)) < 10
    True
    """
    key = Key.from_random_state(random_state)
    n_streams = reservoir.size if n_streams is None else n_streams
    shape = (n_steps, reservoir.n_inputs)
    one = key.child(_INPUTS).uniform(shape, -1.0, 1.0, np.float64)
    u = one + key.child(_NOISE).uniform((n_streams, *shape), -noise, noise, np.float64)
    return _rank(_end_states(reservoir, u), tolerance)


def forgets_its_start(reservoir, *, n_steps=1000, n_starts=4, tolerance=1e-6, u=None, random_state=0):
    """Whether states from different starts become one: the echo state property, for one input.

    Jaeger 2001, "The echo state approach", definition 1, tried on random starts and one input (white noise between -1
    and 1 unless given); a "True" is no proof for all inputs.

    Parameters
    ----------
    reservoir : Reservoir
    n_steps : int, default=1000
    n_starts : int, default=4
        Random starts between -1 and 1; the state of zeros is another.
    tolerance : float, default=1e-6
        Largest distance of units at the end.
    u : array-like, shape (n_steps, n_inputs) or None, default=None
    random_state : int, RandomState, Generator or None, default=0

    Returns
    -------
    converged : bool
    distances : numpy.ndarray, shape (n_steps,)
        Largest distance between any start's states and those from zero, step by step.

    Examples
    --------
    >>> from neurojit.reservoirs import forgets_its_start, make_reservoir
    >>> forgets_its_start(make_reservoir(1, n_units=50, spectral_radius=0.8, random_state=0))[0]
    True
    >>> forgets_its_start(make_reservoir(1, n_units=50, spectral_radius=8.0, input_scaling=0.1, random_state=0))[0]
    False
    """
    key = Key.from_random_state(random_state)
    if u is None:
        u = key.child(_INPUTS).uniform((n_steps, reservoir.n_inputs), -1.0, 1.0, np.float64)
    starts = key.child(_STARTS).uniform((n_starts, reservoir.size), -1.0, 1.0, np.float64)
    zero = reservoir.run(u)
    distances = np.max([np.abs(reservoir.run(u, start) - zero).max(axis=1) for start in starts], axis=0)
    return bool(distances[-1] <= tolerance), distances


def leaky_spectral_radius(reservoir):
    """The spectral radius of (1 - a) I + a W, the map of a leaky reservoir near zero, of its first layer.

    Jaeger et al. 2007, "Optimization and applications of echo state networks with leaky-integrator neurons",
    proposition 1: below 1, states near zero fade without input.

    Parameters
    ----------
    reservoir : Reservoir

    Returns
    -------
    float

    Examples
    --------
    >>> from neurojit.reservoirs import leaky_spectral_radius, make_reservoir
    >>> reservoir = make_reservoir(1, n_units=100, spectral_radius=0.9, leak_rate=1.0, random_state=0)
    >>> round(leaky_spectral_radius(reservoir), 4)
    0.9
    """
    from scipy.sparse import eye_array

    from neurojit.reservoirs.spectrum import spectral_radius

    a = float(reservoir.leak_rate)
    W = reservoir.recurrent[0].tocsr()
    return spectral_radius((1 - a) * eye_array(W.shape[0]) + a * W)


def _check_inputs(reservoir):
    if reservoir.n_inputs != 1:
        raise ValueError(f"reservoir: got one with {reservoir.n_inputs} inputs, wanted one input")


def _squared_correlation(a, b):
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    power = (a * a).sum(axis=0) * (b * b).sum(axis=0)
    return (a * b).sum(axis=0) ** 2 / np.where(power > 0, power, 1.0)


def _end_states(reservoir, streams):
    from neurojit.reservoirs.harvesting import Drive, harvest

    state = np.zeros((len(streams), reservoir.size), reservoir.dtype)
    for _ in harvest(reservoir, Drive(list(streams)), state):
        pass
    return state


def _rank(states, tolerance):
    values = np.linalg.svd(states - states.mean(axis=0), compute_uv=False)
    return int((values > tolerance * values[0]).sum()) if values[0] > 0 else 0
