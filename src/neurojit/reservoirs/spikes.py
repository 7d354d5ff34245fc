"""Numbers as spike trains."""

import numpy as np

from neurojit.core.random import Key

ENCODERS = ("rate", "latency", "delta")


def encode_rate(x, n_substeps, *, max_rate=0.2, random_state=0):
    """Spikes at random, the more the larger a value: with probability max_rate * x in each of its sub-steps.

    Parameters
    ----------
    x : numpy.ndarray, shape (n_steps, n_channels)
        Values from 0 to 1; others are cut off.
    n_substeps : int
        Sub-steps that a value lasts.
    max_rate : float, default=0.2
        Spikes in a sub-step for the value 1.
    random_state : int, Key, RandomState, Generator or None, default=0

    Returns
    -------
    numpy.ndarray, shape (n_steps * n_substeps, n_channels), zeros and ones

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import encode_rate
    >>> encode_rate(np.array([[0.0, 1.0]]), 3, max_rate=1.0)
    array([[0., 1.],
           [0., 1.],
           [0., 1.]])
    """
    chance = max_rate * np.repeat(np.clip(x, 0.0, 1.0), n_substeps, axis=0)
    draws = Key.from_random_state(random_state).uniform(chance.shape, dtype=np.float64)
    return (draws < chance).astype(np.float64)


def encode_latency(x, n_substeps):
    """One spike a value, the earlier in its sub-steps the larger it is; none for 0.

    Parameters
    ----------
    x : numpy.ndarray, shape (n_steps, n_channels)
        Values from 0 to 1; others are cut off.
    n_substeps : int

    Returns
    -------
    numpy.ndarray, shape (n_steps * n_substeps, n_channels), zeros and ones

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import encode_latency
    >>> encode_latency(np.array([[0.0, 0.5, 1.0]]), 3)
    array([[0., 0., 1.],
           [0., 1., 0.],
           [0., 0., 0.]])
    """
    x = np.clip(x, 0.0, 1.0)
    when = np.round((1.0 - x) * (n_substeps - 1)).astype(np.int64)
    spikes = np.zeros((len(x), n_substeps, x.shape[1]))
    np.put_along_axis(spikes, when[:, None], (x > 0).astype(np.float64)[:, None], axis=1)
    return spikes.reshape(-1, x.shape[1])


def encode_delta(x, n_substeps, *, threshold=0.1):
    """Spikes where a value has moved by `threshold` since the last one: "up" channels first, then "down" channels.

    Parameters
    ----------
    x : numpy.ndarray, shape (n_steps, n_channels)
    n_substeps : int
        The spikes come in the first of a value's sub-steps.
    threshold : float, default=0.1

    Returns
    -------
    numpy.ndarray, shape (n_steps * n_substeps, 2 * n_channels)
        How many spikes: a move by several thresholds makes as many.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import encode_delta
    >>> encode_delta(np.array([[0.0], [0.25], [0.1]]), 1)
    array([[0., 0.],
           [2., 0.],
           [0., 1.]])
    """
    spikes = np.zeros((len(x), n_substeps, 2, x.shape[1]))
    level = np.array(x[0], np.float64) if len(x) else None
    for t in range(1, len(x)):
        moves = np.trunc((x[t] - level) / threshold + np.sign(x[t] - level) * 1e-9)
        level = level + moves * threshold
        spikes[t, 0, 0], spikes[t, 0, 1] = np.maximum(moves, 0), np.maximum(-moves, 0)
    return spikes.reshape(len(x) * n_substeps, 2 * x.shape[1])
