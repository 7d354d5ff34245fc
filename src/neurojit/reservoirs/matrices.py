"""Random matrices of reservoirs: who is connected with whom, and how strongly, before any scaling.

A seed gives the same matrix on every platform: all draws are counter-based (`neurojit.core.random`).
"""

import numbers

import numpy as np

from neurojit.core.random import Key
from neurojit.kernels.cpu import choice as kernels
from neurojit.reservoirs.shifts import ShiftMatrix

DISTRIBUTIONS = ("uniform", "normal", "bernoulli")
TOPOLOGIES = (
    "random",
    "shifts",
    "ring",
    "ring_with_jumps",
    "small_world",
    "orthogonal",
    "permutation",
    "delay_line",
)
_REWIRED = 0.1  # share of a small world's connections that leave the neighbourhood
_VALUES, _PLACES, _COLUMNS = range(3)  # sub-streams of a matrix's key


def reservoir_matrix(
    n_units, *, topology="random", fan_in=10, density=None, distribution="uniform", jump=None, random_state=None
):
    """The recurrent weights W of a reservoir, unscaled; row i holds what unit i reads.

    Parameters
    ----------
    n_units : int
        N, the number of units.
    topology : str, default="random"
        "random": each unit reads `fan_in` others, or connections are strewn with `density`. "shifts": unit i reads
        units (i + s_k) mod N for `fan_in` random shifts s_k, with independent values. "ring": unit i reads unit i - 1
        with weight 1 (Rodan and Tino 2011, "Minimum complexity echo state network", section III). "ring_with_jumps":
        the ring, and every `jump`-th unit is connected both ways with the next such unit (Rodan and Tino 2012, "Simple
        deterministically constructed cycle reservoirs with regular jumps"). "small_world": the `fan_in` nearest units
        of a ring, a tenth of them replaced by random ones (Watts and Strogatz 1998). "orthogonal": a random orthogonal
        matrix, dense (Haar measure). "permutation": one random cycle through all units, with random signs.
        "delay_line": the ring, cut open.
    fan_in : int, default=10
        Inputs of each unit, for "random", "shifts" and "small_world".
    density : float or None, default=None
        For "random", the share of all N^2 connections that exist, wherever they fall, instead of `fan_in`.
    distribution : {"uniform", "normal", "bernoulli"}, default="uniform"
        Values of the connections: between -1 and 1, standard normal, or -1 and 1.
    jump : int or None, default=None
        Length of jumps; None is about the square root of N.
    random_state : int, RandomState, Generator or None, default=None

    Returns
    -------
    scipy.sparse.csr_array or ShiftMatrix, shape (N, N), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is none of these.

    Examples
    --------
    >>> from neurojit.reservoirs import reservoir_matrix
    >>> W = reservoir_matrix(100, fan_in=5, random_state=0)
    >>> W.shape, W.nnz
    ((100, 100), 500)
    """
    check_matrix_options(n_units, topology, fan_in, density, distribution)
    key = Key.from_random_state(random_state)
    if topology == "random":
        if density is not None:
            return _strewn(n_units, n_units, density, distribution, key)
        return _fixed_fan_in(n_units, n_units, fan_in, distribution, key)
    if topology == "shifts":
        return _shifts(n_units, fan_in, distribution, key)
    if topology == "small_world":
        return _small_world(n_units, fan_in, distribution, key)
    if topology == "ring_with_jumps":
        return _ring_with_jumps(n_units, round(n_units**0.5) if jump is None else jump)
    if topology == "orthogonal":
        return ShiftMatrix.dense(_orthogonal(n_units, key))
    if topology == "permutation":
        return _permutation(n_units, key)
    ring = ShiftMatrix(np.ones((1, n_units)), np.array([n_units - 1]))
    if topology == "delay_line":
        ring.values[0, 0] = 0.0
    return ring


def input_matrix(
    n_units, n_inputs, *, scaling=1.0, bias_scaling=1.0, fan_in=None, distribution="uniform", random_state=None
):
    """The input weights W_in of a reservoir, a bias column first.

    Parameters
    ----------
    n_units, n_inputs : int
    scaling : float or array-like, shape (n_inputs,), default=1.0
        Factor of the inputs' weights, one for all or one for each.
    bias_scaling : float, default=1.0
        Factor of the bias column.
    fan_in : int or None, default=None
        How many inputs a unit reads; None is all of them.
    distribution : {"uniform", "normal", "bernoulli"}, default="uniform"
    random_state : int, RandomState, Generator or None, default=None

    Returns
    -------
    numpy.ndarray, shape (n_units, 1 + n_inputs), float64

    Raises
    ------
    ValueError
        If there are not as many scalings as inputs, or fewer inputs than `fan_in`.

    Examples
    --------
    >>> from neurojit.reservoirs import input_matrix
    >>> abs(input_matrix(50, 3, scaling=[1.0, 0.1, 0.0], random_state=0)).max(axis=0).round(1)
    array([1. , 1. , 0.1, 0. ])
    """
    key = Key.from_random_state(random_state)
    scaling = np.asarray(scaling, np.float64)
    if scaling.ndim > 1 or (scaling.ndim == 1 and len(scaling) != n_inputs):
        raise ValueError(f"input_scaling: got shape {scaling.shape}, wanted a number or ({n_inputs},), one an input")
    if fan_in is not None and not 1 <= fan_in <= n_inputs:
        raise ValueError(f"input_fan_in: got {fan_in}, wanted an integer from 1 to the {n_inputs} inputs")
    weights = _values((n_units, 1 + n_inputs), distribution, key.child(_VALUES))
    weights[:, 0] *= bias_scaling
    weights[:, 1:] *= scaling
    if fan_in is not None and fan_in < n_inputs:
        read = np.zeros((n_units, n_inputs), bool)
        np.put_along_axis(read, _distinct(n_units, n_inputs, fan_in, key.child(_PLACES)), True, axis=1)
        weights[:, 1:][~read] = 0.0
    return weights


def check_matrix_options(n_units, topology, fan_in, density, distribution):
    """Raise ValueError unless a matrix can be made with these."""
    if not isinstance(n_units, numbers.Integral) or n_units < 1:
        raise ValueError(f"n_units: got {n_units!r}, wanted an integer >= 1")
    if topology not in TOPOLOGIES:
        raise ValueError(f"topology: got {topology!r}, wanted one of {', '.join(map(repr, TOPOLOGIES))}")
    if distribution not in DISTRIBUTIONS:
        raise ValueError(f"distribution: got {distribution!r}, wanted one of {', '.join(map(repr, DISTRIBUTIONS))}")
    if density is not None:
        if topology != "random":
            raise ValueError(f"density: got {density!r} with topology={topology!r}, wanted None: only 'random' has one")
        if not 0 < density <= 1:
            raise ValueError(f"density: got {density!r}, wanted None or a number above 0, at most 1")
    elif topology in ("random", "shifts", "small_world") and not 1 <= fan_in <= n_units:
        raise ValueError(f"fan_in: got {fan_in!r}, wanted an integer from 1 to n_units, which is {n_units}")


def _values(shape, distribution, key):
    if distribution == "uniform":
        return key.uniform(shape, -1.0, 1.0, np.float64)
    if distribution == "normal":
        return key.normal(shape, dtype=np.float64)
    return np.where(key.words(int(np.prod(shape))) >> 31, 1.0, -1.0).reshape(shape)


def _distinct(rows, n, k, key):
    """`k` distinct integers below n in each row, sorted."""
    chosen = np.empty((rows, k), np.int64)
    kernels.choose_distinct(key.words(rows * k).reshape(rows, k), n, chosen)
    return chosen


def _csr(values, columns, n_columns):
    """Rows of equally many values."""
    from scipy.sparse import csr_array

    rows, k = values.shape
    matrix = csr_array((values.reshape(-1), columns.reshape(-1), np.arange(rows + 1) * k), (rows, n_columns))
    matrix.sum_duplicates()
    return matrix


def _fixed_fan_in(rows, columns, k, distribution, key):
    places = _distinct(rows, columns, k, key.child(_PLACES))
    return _csr(_values((rows, k), distribution, key.child(_VALUES)), places, columns)


def _strewn(rows, columns, density, distribution, key):
    """round(density rows columns) connections, wherever they fall."""
    from scipy.sparse import csr_array

    size = rows * columns
    places = _distinct_places(size, max(1, round(density * size)), key.child(_PLACES))
    values = _values(len(places), distribution, key.child(_VALUES))
    return csr_array((values, (places // columns, places % columns)), (rows, columns))


def _distinct_places(size, count, key):
    """`count` distinct integers below `size`, sorted; those left out are drawn where they are fewer."""
    if 2 * count > size:
        return np.setdiff1d(np.arange(size), _distinct_places(size, size - count, key), assume_unique=True)
    places = np.empty(0, np.int64)
    draw = 0
    while len(places) < count:
        missing = count - len(places)
        words = key.child(draw).words(2 * missing).astype(np.uint64).reshape(2, missing)
        fresh = ((words[0] << np.uint64(32)) | words[1]) % np.uint64(size)
        places = np.union1d(places, fresh.astype(np.int64))
        draw += 1
    return places


def _shifts(n, k, distribution, key):
    shifts = np.sort(key.child(_PLACES).permutation(n)[:k])
    return ShiftMatrix(_values((k, n), distribution, key.child(_VALUES)), shifts)


def _small_world(n, k, distribution, key):
    """Unit i reads i + 1, i - 1, i + 2, i - 2, ...; some of these are drawn anew among all units."""
    steps = np.arange(1, k + 1)
    offsets = np.where(steps % 2, (steps + 1) // 2, -(steps // 2))
    columns = (np.arange(n)[:, None] + offsets) % n
    rewired = key.child(_PLACES).uniform((n, k), dtype=np.float64) < _REWIRED
    anywhere = (key.child(_COLUMNS).words(n * k).astype(np.int64) * n >> 32).reshape(n, k)
    return _csr(_values((n, k), distribution, key.child(_VALUES)), np.where(rewired, anywhere, columns), n)


def _ring_with_jumps(n, jump):
    if not 2 <= jump < max(n, 3):
        raise ValueError(f"jump: got {jump!r}, wanted an integer from 2 to n_units - 1, which is {n - 1}")
    values = np.zeros((3, n))
    values[0] = 1.0
    hubs = np.arange(0, n - jump + 1, jump)  # each jumps to the next one; the last one home, if it meets the first
    values[1, hubs[(hubs + jump < n) | (n % jump == 0)]] = 1.0
    values[2, (hubs[(hubs + jump < n) | (n % jump == 0)] + jump) % n] = 1.0
    return ShiftMatrix(values, np.array([n - 1, jump, n - jump]))


def _orthogonal(n, key):
    """Q of a normal matrix, with the signs that make it Haar distributed (Mezzadri 2007, section 5)."""
    q, r = np.linalg.qr(key.normal((n, n), dtype=np.float64))
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)


def _permutation(n, key):
    order = key.child(_PLACES).permutation(n)
    columns = np.empty((n, 1), np.int64)
    columns[order, 0] = np.roll(order, 1)
    return _csr(_values((n, 1), "bernoulli", key.child(_VALUES)), columns, n)
