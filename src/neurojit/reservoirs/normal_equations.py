"""Ridge regression from sums that rows are added to: the whole training set is never held."""

import itertools
import math
import warnings

import numpy as np

from neurojit.core.host import WIDE_VECTORS, lanes
from neurojit.core.memory import empty
from neurojit.core.workers import run_all
from neurojit.kernels.cpu.gram import add_gram, pack_rows
from neurojit.kernels.cpu.product import OUTER_BLOCK

_EPSILON = np.finfo(np.float64).eps
_SURE = 1e-14  # a penalty, as a part of the trace, that needs no look at the condition
_BATCH = 1024  # rows whose products are added at a time: the sums, as large as they are, are then read and written
_WIDTH = WIDE_VECTORS * lanes("float64")
_TILES = math.lcm(OUTER_BLOCK, _WIDTH)
_SIDE = 192 // _TILES * _TILES  # of blocks of the sums: a task for a thread
_PACKED = 256  # rows that are packed at a time


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
        self.sums = empty((size, size), np.float64).T  # of products of [z, y, 1] with itself, the lower triangle
        self.sums[:] = 0.0
        self.n_features = n_features
        self._waiting, self._n_waiting = None, 0  # rows to be added, in panels

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
        z, y = np.ascontiguousarray(z), np.ascontiguousarray(y, np.float64)
        done = 0
        while done < len(z):
            if self._waiting is None:
                self._waiting = empty((-(-len(self.sums) // _WIDTH), _BATCH, _WIDTH), np.float64)
            stop = min(len(z), done + _BATCH - self._n_waiting)
            self._pack(z[done:stop], y[done:stop])
            self._n_waiting += stop - done
            done = stop
            if self._n_waiting == _BATCH:
                self._sum_up()

    def _pack(self, z, y):
        """Have rows wait, behind those that do."""

        def pack(start):
            part = slice(start, start + _PACKED)
            pack_rows(z[part], y[part], self.reference, self._n_waiting + start, self._waiting)

        run_all(pack, range(0, len(z), _PACKED))

    def _sum_up(self):
        """Add the products of the rows that wait, by all threads."""
        size = len(self.sums)
        edges = [*range(0, size, _SIDE), size]
        sides = list(itertools.pairwise(edges))
        blocks = [(rows, columns) for rows, columns in itertools.product(sides, sides) if rows <= columns]
        panels, count, sums = self._waiting, self._n_waiting, self.sums.T
        run_all(lambda block: add_gram(panels, count, *block[0], *block[1], sums), blocks)
        self._n_waiting = 0

    def _sum_up_all(self):
        if self._n_waiting:
            self._sum_up()
        self._waiting = None

    def centred(self):
        """Z'Z (its lower triangle), Z'Y and the diagonal of Y'Y about the means, and the means."""
        from scipy.linalg.blas import dsyr

        self._sum_up_all()
        n, total = self.n_features, max(self.n_rows, 1)
        mean = self.sums[-1, :-1] / total
        zz = empty((n, n), np.float64).T
        np.copyto(zz, self.sums[:n, :n])
        zz = dsyr(-total, mean[:n], lower=1, a=zz, overwrite_a=1)
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
        scores = None
        if np.ndim(ridge) > 0:
            candidates = np.asarray(ridge, np.float64)
            scores = _validated(zz, zy, yy, self.n_rows, candidates)
            ridge = candidates[np.argmin(scores)]
        weights = _solve(zz, zy, float(ridge))
        if weights is None:
            warnings.warn(
                f"ridge: {ridge:g} leaves the normal equations ill-conditioned; the least-squares solution of least"
                " norm is taken by singular values instead, a larger ridge avoids it",
                stacklevel=3,
            )
            weights = _solve_by_values(self.centred()[0], zy, float(ridge))
        return Readout(weights, y_mean - z_mean @ weights, float(ridge), scores)

    def state(self):
        """The sums, as a dict of arrays and integers."""
        self._sum_up_all()
        return {name: getattr(self, name) for name in ("n_features", "n_rows", "reference", "sums")}

    @classmethod
    def from_state(cls, state):
        """Sums from what `state` gave."""
        sums = cls(state["n_features"], len(state["reference"]) - state["n_features"])
        sums.n_rows, sums.reference = state["n_rows"], np.array(state["reference"])
        sums.sums = np.array(state["sums"], order="F")
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
    """(zz + ridge I)^-1 zy, of the lower triangle of zz, which is overwritten; None where that is ill-conditioned."""
    from scipy.linalg.lapack import dpotrf, dpotrs

    np.fill_diagonal(zz, zz.diagonal() + ridge)
    trace = np.trace(zz)
    factor, failed = dpotrf(zz, lower=1, clean=0, overwrite_a=1)
    if failed or not _is_well_conditioned(factor, trace, ridge):
        return None
    return dpotrs(factor, zy, lower=1)[0]


def _solve_by_values(zz, zy, ridge):
    """The same by eigenvalues, without those that are nothing but rounding."""
    np.fill_diagonal(zz, zz.diagonal() + ridge)
    values, vectors = np.linalg.eigh(zz, UPLO="L")
    kept = values > len(values) * _EPSILON * values.max(initial=0.0)
    vectors = vectors[:, kept]
    return vectors @ ((vectors.T @ zy) / values[kept, None])


def _is_well_conditioned(factor, trace, ridge):
    """Whether the least eigenvalue, at least `ridge`, is more than rounding beside the largest, at most the trace."""
    from scipy.linalg.lapack import dpocon

    return len(factor) == 0 or ridge > _SURE * trace or dpocon(factor, trace, uplo="L")[0] > _EPSILON


def _validated(zz, zy, yy, n_rows, candidates):
    """Generalized cross-validation errors of several penalties, all from one decomposition."""
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
    return scores
