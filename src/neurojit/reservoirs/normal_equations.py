"""Ridge regression from sums that rows are added to: the whole training set is never held."""

import warnings

import numpy as np

_EPSILON = np.finfo(np.float64).eps


class NormalEquations:
    """Sums over rows z and targets y from which a linear readout follows.

    W = (Z'Z + ridge I)^-1 Z'Y of centred rows and targets: the intercept is not penalised. Everything is summed about
    the mean of the first rows and block by block, so that little is cancelled.

    Parameters
    ----------
    n_features, n_outputs : int

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import NormalEquations
    >>> sums = NormalEquations(1, 1)
    >>> for t in range(10):
    ...     sums.add(np.array([[t]]), np.array([[2.0 * t + 1.0]]))
    >>> fit = sums.solve(1e-9)
    >>> fit.weights.round(6), fit.offset.round(6)
    (array([[2.]]), array([1.]))
    """

    def __init__(self, n_features, n_outputs):
        self.n_rows = 0
        self.z_reference = np.zeros(n_features)
        self.y_reference = np.zeros(n_outputs)
        self.zz = np.zeros((n_features, n_features), order="F")  # its lower triangle
        self.zy = np.zeros((n_features, n_outputs))
        self.yy = np.zeros(n_outputs)
        self.z = np.zeros(n_features)
        self.y = np.zeros(n_outputs)

    def add(self, z, y):
        """Add rows.

        Parameters
        ----------
        z : numpy.ndarray, shape (n_rows, n_features)
            float64 rows may be changed: they are no longer wanted.
        y : numpy.ndarray, shape (n_rows, n_outputs)
        """
        from scipy.linalg.blas import dsyrk

        if len(z) == 0:
            return
        if self.n_rows == 0:
            self.z_reference[:], self.y_reference[:] = z.mean(axis=0), y.mean(axis=0)
        z = np.subtract(z, self.z_reference, out=z if z.dtype == np.float64 and z.flags.writeable else None)
        y = y - self.y_reference
        self.n_rows += len(z)
        self.zz = dsyrk(1.0, z.T, beta=1.0, c=self.zz, lower=1, overwrite_c=1)
        self.zy += z.T @ y
        self.yy += (y * y).sum(axis=0)
        self.z += z.sum(axis=0)
        self.y += y.sum(axis=0)

    def centred(self):
        """Z'Z (its lower triangle), Z'Y and the diagonal of Y'Y about the means, and the means."""
        n = max(self.n_rows, 1)
        z_mean, y_mean = self.z / n, self.y / n
        zz = self.zz - np.outer(n * z_mean, z_mean)
        zy = self.zy - np.outer(n * z_mean, y_mean)
        return zz, zy, self.yy - n * y_mean**2, z_mean + self.z_reference, y_mean + self.y_reference

    def solve(self, ridge):
        """The readout for one penalty, or for the best of several.

        Parameters
        ----------
        ridge : float or sequence of float
            Of several, the one with the least generalized cross-validation error is taken (Golub, Heath and Wahba
            1979, equation 1.4), summed over outputs that are first divided by their variance.

        Returns
        -------
        Readout
        """
        zz, zy, yy, z_mean, y_mean = self.centred()
        if np.ndim(ridge) == 0:
            weights, scores = _solve(zz, zy, float(ridge)), None
        else:
            candidates = np.asarray(ridge, np.float64)
            weights, ridge, scores = _choose(zz, zy, yy, self.n_rows, candidates)
        return Readout(weights, y_mean - z_mean @ weights, float(ridge), scores)

    def state(self):
        """The sums, as a dict of arrays."""
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def from_state(cls, state):
        """Sums from what `state` gave."""
        sums = cls(len(state["z"]), len(state["y"]))
        for name, value in state.items():
            setattr(sums, name, int(value) if name == "n_rows" else value)
        sums.zz = np.asfortranarray(sums.zz)
        return sums


class Readout:
    """y = offset + z weights.

    Parameters
    ----------
    weights : numpy.ndarray, shape (n_features, n_outputs)
    offset : numpy.ndarray, shape (n_outputs,)
    ridge : float
        The penalty used.
    scores : numpy.ndarray or None, default=None
        The error of each penalty that was compared.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import NormalEquations
    >>> sums = NormalEquations(1, 1)
    >>> sums.add(np.arange(20.0)[:, None], np.arange(20.0)[:, None])
    >>> sums.solve([1e-6, 1e3]).ridge
    1e-06
    """

    def __init__(self, weights, offset, ridge, scores=None):
        self.weights, self.offset, self.ridge, self.scores = weights, offset, ridge, scores


def _solve(zz, zy, ridge):
    """(zz + ridge I)^-1 zy, of the lower triangle of zz."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve
    from scipy.linalg.lapack import dpocon

    penalised = zz.copy(order="F")
    np.fill_diagonal(penalised, penalised.diagonal() + ridge)
    try:
        factor = cho_factor(penalised, lower=True)
        # The trace bounds the largest eigenvalue, and costs no pass over the matrix as the 1-norm does.
        if len(zz) == 0 or dpocon(factor[0], np.trace(penalised), uplo="L")[0] > _EPSILON:
            return cho_solve(factor, zy, check_finite=False)
    except LinAlgError:
        pass
    warnings.warn(
        f"ridge: {ridge:g} leaves the normal equations ill-conditioned; the least-squares solution of least norm"
        " is taken by singular values instead, a larger ridge avoids it",
        stacklevel=4,
    )
    values, vectors = np.linalg.eigh(penalised, UPLO="L")
    kept = values > len(values) * _EPSILON * values.max(initial=0.0)
    vectors = vectors[:, kept]
    return vectors @ ((vectors.T @ zy) / values[kept, None])


def _choose(zz, zy, yy, n_rows, candidates):
    """Weights, penalty and scores by generalized cross-validation, all from one decomposition."""
    values, vectors = np.linalg.eigh(zz, UPLO="L")
    values = np.maximum(values, 0.0)
    projected = vectors.T @ zy
    scores = np.empty(len(candidates))
    variance = np.where(yy > 0, yy, 1.0)
    for i, ridge in enumerate(candidates):
        filled = np.maximum(values + ridge, np.finfo(np.float64).tiny)
        explained = (projected**2 * ((values + 2 * ridge) / filled**2)[:, None]).sum(axis=0)
        freedom = n_rows - 1 - (values / filled).sum()
        residual = np.maximum(yy - explained, 0.0) / variance
        scores[i] = np.inf if freedom <= 0 else n_rows * residual.sum() / freedom**2
    best = int(np.argmin(scores))
    return _solve(zz, zy, candidates[best]), candidates[best], scores
