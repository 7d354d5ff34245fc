"""The leave-one-out error of a linear readout without leaving anything out."""

import numpy as np


def press(z, y, ridge=None):
    r"""Mean squared error of each row's prediction from the fit to all other rows (Allen 1974, PRESS).

    .. math::

        \frac{1}{n} \sum_i \left\| \frac{e_i}{1 - h_{ii}} \right\|^2

    with the residuals e and the hat matrix h of the fit to all rows, the intercept not penalised.

    Parameters
    ----------
    z : numpy.ndarray, shape (n, n_features)
    y : numpy.ndarray, shape (n, n_outputs)
    ridge : float or None, default=None
        Penalty; None is least squares by the pseudo-inverse.

    Returns
    -------
    float
        Infinite where a row alone decides on a weight.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import press
    >>> float(press(np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [1.0], [2.0]])).round(6))
    0.0
    """
    y = y - y.mean(axis=0)
    left, values, _ = np.linalg.svd(z - z.mean(axis=0), full_matrices=False)
    kept = values > max(z.shape) * np.finfo(np.float64).eps * values.max(initial=0.0)
    share = np.where(kept, values**2 / np.where(kept, values**2 + (ridge or 0.0), 1.0), 0.0)
    leverage = (left**2 * share).sum(axis=1) + 1.0 / len(z)
    residual = y - (left * share) @ (left.T @ y)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.nan_to_num((residual / (1.0 - leverage)[:, None]) ** 2, nan=np.inf)
    error[leverage > 1.0 - 1e-12] = np.inf
    return error.sum(axis=1).mean()
