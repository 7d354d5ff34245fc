"""Ridge regression from sums that rows are added to: the whole training set is never held."""

import itertools
import warnings

import numpy as np

from neurojit.core.host import WIDE_VECTORS, lanes
from neurojit.core.memory import empty
from neurojit.core.workers import run_all
from neurojit.kernels.cpu.gram import add_gram, pack_rows

_EPSILON = np.finfo(np.float64).eps
_SURE = 1e-14  # a penalty, as a part of the trace, that needs no look at the condition
_ROWS = 1024  # whose products are added at a time
_PARTS = 4  # in which that work is done, by all threads
_LEAST_WORK = 1 << 24  # products in a part


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
        self.reference = np.zeros(n_features + n_outputs)
        size = n_features + n_outputs + 1
        self.sums = np.zeros((size, size), order="F")  # of products of [z, y, 1] with itself, the lower triangle
        self.n_features = n_features

    def add(self, z, y):
        """Add rows.

        Parameters
        ----------
        z : numpy.ndarray, shape (n_rows, n_features)
        y : numpy.ndarray, shape (n_rows, n_outputs)
        """
        if len(z) == 0:
            return
        n = self.n_features
        if self.n_rows == 0:
            self.reference[:n], self.reference[n:] = z.mean(axis=0), y.mean(axis=0)
        self.n_rows += len(z)
        y = np.ascontiguousarray(y, np.float64)
        for start in range(0, len(z), _ROWS):
            self._add_block(np.ascontiguousarray(z[start : start + _ROWS]), y[start : start + _ROWS])

    def _add_block(self, z, y):
        size, width = len(self.sums), WIDE_VECTORS * lanes("float64")
        count = -(-size // width)
        panels = empty((count, len(z), width), np.float64)
        pack_rows(z, y, self.reference, panels)
        # Parts of about equal area of the triangle, each a multiple of what it costs to call a thread.
        parts = min(_PARTS, 1 + panels.size * size // _LEAST_WORK)
        edges = np.unique(np.round(count * np.sqrt(np.linspace(0, 1, 1 + parts))).astype(int))
        run_all(lambda part: add_gram(panels, *part, self.sums.T), list(itertools.pairwise(edges)))

    def centred(self):
        """Z'Z (its lower triangle), Z'Y and the diagonal of Y'Y about the means, and the means."""
        from scipy.linalg.blas import dsyr

        n, total = self.n_features, max(self.n_rows, 1)
        mean = self.sums[-1, :-1] / total
        zz = dsyr(-total, mean[:n], lower=1, a=self.sums[:n, :n].copy(order="F"), overwrite_a=1)
        zy = self.sums[n:-1, :n].T - np.outer(total * mean[:n], mean[n:])
        yy = self.sums.diagonal()[n:-1] - total * mean[n:] ** 2
        mean = mean + self.reference
        return zz, zy, yy, mean[:n], mean[n:]

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
        """The sums, as a dict of arrays and integers."""
        return {name: getattr(self, name) for name in ("n_features", "n_rows", "reference", "sums")}

    @classmethod
    def from_state(cls, state):
        """Sums from what `state` gave."""
        sums = cls(state["n_features"], len(state["reference"]) - state["n_features"])
        sums.n_rows, sums.reference = state["n_rows"], state["reference"]
        sums.sums = np.asfortranarray(state["sums"])
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
    from scipy.linalg.lapack import dpotrf, dpotrs

    penalised = zz.copy(order="F")
    np.fill_diagonal(penalised, penalised.diagonal() + ridge)
    factor, failed = dpotrf(penalised, lower=1, clean=0)
    if not failed and _is_well_conditioned(factor, np.trace(penalised), ridge):
        return dpotrs(factor, zy, lower=1)[0]
    warnings.warn(
        f"ridge: {ridge:g} leaves the normal equations ill-conditioned; the least-squares solution of least norm"
        " is taken by singular values instead, a larger ridge avoids it",
        stacklevel=4,
    )
    values, vectors = np.linalg.eigh(penalised, UPLO="L")
    kept = values > len(values) * _EPSILON * values.max(initial=0.0)
    vectors = vectors[:, kept]
    return vectors @ ((vectors.T @ zy) / values[kept, None])


def _is_well_conditioned(factor, trace, ridge):
    """Whether the least eigenvalue, at least `ridge`, is more than rounding beside the largest, at most the trace."""
    from scipy.linalg.lapack import dpocon

    return len(factor) == 0 or ridge > _SURE * trace or dpocon(factor, trace, uplo="L")[0] > _EPSILON


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
