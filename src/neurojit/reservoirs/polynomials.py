"""Delays and monomials of a series: the features of next-generation reservoir computing."""

import itertools

import numpy as np


def delayed(u, n_delays, stride, before=None):
    """Each row beside the rows before it: [u(t), u(t - stride), ..., u(t - (n_delays - 1) stride)].

    Parameters
    ----------
    u : numpy.ndarray, shape (n_steps, n_inputs)
    n_delays, stride : int
    before : numpy.ndarray, shape ((n_delays - 1) * stride, n_inputs) or None, default=None
        The rows before the first; None is zeros.

    Returns
    -------
    numpy.ndarray, shape (n_steps, n_delays * n_inputs)

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import delayed
    >>> delayed(np.array([[1.0], [2.0], [3.0]]), 2, 1)
    array([[1., 0.],
           [2., 1.],
           [3., 2.]])
    """
    reach = (n_delays - 1) * stride
    before = np.zeros((reach, u.shape[1])) if before is None else before
    rows = np.concatenate([before, u])
    return np.concatenate([rows[reach - k * stride : len(rows) - k * stride] for k in range(n_delays)], axis=1)


def monomials(x, order):
    """x, and all products of 2 up to `order` of its columns, each once.

    Parameters
    ----------
    x : numpy.ndarray, shape (n_steps, n_features)
    order : int

    Returns
    -------
    numpy.ndarray, shape (n_steps, n_monomials)

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import monomials
    >>> monomials(np.array([[2.0, 3.0]]), 2)
    array([[2., 3., 4., 6., 9.]])
    """
    columns = [x]
    for degree in range(2, order + 1):
        chosen = list(itertools.combinations_with_replacement(range(x.shape[1]), degree))
        columns.append(np.prod(x[:, np.array(chosen)], axis=2))
    return np.concatenate(columns, axis=1)
