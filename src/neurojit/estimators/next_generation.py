"""Next-generation reservoir computing: a reservoir without units."""

import numbers

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from neurojit.estimators.linear_mixins import ManyOutputs
from neurojit.estimators.linear_readout import RidgeReadout
from neurojit.estimators.options import STEPS, Number
from neurojit.estimators.reservoir_options import check_ridge
from neurojit.estimators.saved import Saved
from neurojit.estimators.series import check_series, check_targets
from neurojit.reservoirs import NormalEquations, delayed, monomials
from neurojit.reservoirs.reservoir import check_finite

_POSITIVE_INTEGER = Number("an integer >= 1", numbers.Integral, 1)
_PIECE = 1 << 13  # steps whose features are made at a time


class NextGenerationReservoir(Saved, ManyOutputs, BaseEstimator):
    """Nonlinear vector autoregression: ridge regression on delays of the input and their monomials.

    Gauthier, Bollt, Griffith and Barbosa 2021, "Next generation reservoir computing", equations 5 to 10.

    Parameters
    ----------
    n_delays : int, default=2
        How many values of each input are seen (k).
    stride : int, default=1
        Steps between them (s).
    order : int, default=2
        Highest degree of monomials.
    ridge : float or sequence of float, default=1e-6
        Penalty of the squared weights; of several, generalized cross-validation chooses one.
    difference : bool, default=False
        Whether the targets are learnt as differences to the inputs, of which there must be as many: good for series
        that move little in a step.

    Attributes
    ----------
    coef_ : numpy.ndarray, shape (n_outputs, n_monomials)
    intercept_ : numpy.ndarray, shape (n_outputs,)
    ridge_ : float
        The penalty used.
    n_features_in_, n_outputs_ : int

    Examples
    --------
    >>> import neurojit as nj
    >>> from neurojit.reservoirs import lorenz
    >>> x = lorenz(1500)
    >>> model = nj.NextGenerationReservoir(difference=True, ridge=1e-2).fit(x[:999], x[1:1000])
    >>> bool(abs(model.generate(20, prime=x[:1000]) - x[1000:1020]).max() < 0.5)
    True
    """

    def __init__(self, n_delays=2, *, stride=1, order=2, ridge=1e-6, difference=False):
        self.n_delays = n_delays
        self.stride = stride
        self.order = order
        self.ridge = ridge
        self.difference = difference

    @property
    def _reach(self):
        """How many steps back the features see."""
        return (self.n_delays - 1) * self.stride

    def fit(self, X, y):
        """Train the weights; the first steps of a series, whose delays lie before it, are left out.

        Parameters
        ----------
        X : array-like, shape (n_steps, n_features), or list of such
        y : array-like, shape (n_steps,) or (n_steps, n_outputs), or list of such

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            Before any work, if an argument or an option is wrong; the message names it.
        """
        for name in ("n_delays", "stride", "order"):
            _POSITIVE_INTEGER.check(name, getattr(self, name))
        check_ridge(self.ridge)
        series, many = check_series(self, X, reset=True)
        targets, self._columns = check_targets(y, series, many)
        self.n_outputs_ = targets[0].shape[1]
        if self.difference and self.n_outputs_ != self.n_features_in_:
            raise ValueError(f"difference: got True with {self.n_outputs_} outputs, wanted as many as inputs")
        for i, u in enumerate(series):
            if len(u) <= self._reach:
                raise ValueError(
                    f"n_delays: got {self.n_delays} at stride {self.stride}, wanted a reach below the {len(u)} steps of"
                    f" series {i} (n_samples={len(u)})"
                )
        sums = NormalEquations(self._features(np.zeros((1, self.n_features_in_))).shape[1], self.n_outputs_)
        readout = RidgeReadout(sums, self.ridge)
        for u, y in zip(series, targets, strict=True):
            for start in range(self._reach, len(u), _PIECE):
                rows = np.asarray(u[start - self._reach : start + _PIECE], np.float64)
                z = self._features(rows[self._reach :], rows[: self._reach])
                wanted = y[start : start + _PIECE]
                readout.add(z, wanted - rows[self._reach :] if self.difference else wanted)
        readout.finish()
        (self.coef_, self.intercept_), self.ridge_ = readout.linear, readout.fit.ridge
        self._past = np.array(series[-1][len(series[-1]) - self._reach :], np.float64)
        self._output = targets[-1][-1].copy()
        return self

    def _features(self, u, before=None):
        return monomials(delayed(u, self.n_delays, self.stride, before), self.order)

    def _outputs(self, u, before=None):
        y = self._features(u, before) @ self.coef_.T + self.intercept_
        return y + u if self.difference else y

    def predict(self, X):
        """The output at each step; delays before the start of a series are taken as zeros.

        Parameters
        ----------
        X : array-like, shape (n_steps, n_features), or list of such

        Returns
        -------
        numpy.ndarray, shape (n_steps,) or (n_steps, n_outputs), or list of such
        """
        check_is_fitted(self)
        series, many = check_series(self, X, reset=False)
        outputs = [self._outputs(np.asarray(u, np.float64)) for u in series]
        outputs = [y if self._columns else y[:, 0] for y in outputs]
        return outputs if many else outputs[0]

    def generate(self, n_steps, prime=None):
        """Run free: each output is the input of the next step.

        Parameters
        ----------
        n_steps : int
        prime : array-like, shape (n_primed, n_features) or None, default=None
            The series to go on from; None is where `fit` ended.

        Returns
        -------
        numpy.ndarray, shape (n_steps,) or (n_steps, n_outputs)

        Raises
        ------
        TypeError, ValueError
            If `n_steps` is no integer >= 0, there are not as many outputs as inputs, or the prime is too short.
        FloatingPointError
            If the loop diverges; it says at which step.
        """
        check_is_fitted(self)
        if self.n_outputs_ != self.n_features_in_:
            raise ValueError(
                f"generate: got a model with {self.n_features_in_} inputs and {self.n_outputs_} outputs, wanted as"
                " many outputs as inputs: an output is the next input"
            )
        STEPS.check("n_steps", n_steps)
        past, last = self._past, self._output
        if prime is not None:
            (u,), _ = check_series(self, prime, reset=False, name="prime")
            if len(u) <= self._reach:
                raise ValueError(f"prime: got {len(u)} steps, wanted more than the {self._reach} the delays reach back")
            rows = np.asarray(u[len(u) - self._reach - 1 :], np.float64)
            past, last = rows[:-1], rows[-1]
        outputs = np.empty((n_steps, self.n_outputs_))
        for t in range(n_steps):
            with np.errstate(over="ignore", invalid="ignore"):
                outputs[t] = self._outputs(last[None], past)[0]
            if not np.isfinite(outputs[t]).all():
                check_finite(t, n_steps)
            past, last = np.vstack([past, last])[1 : 1 + self._reach], outputs[t]
        return outputs if self._columns else outputs[:, 0]

    def _fitted_state(self):
        plain = {"n_features": int(self.n_features_in_), "n_outputs": self.n_outputs_, "columns": self._columns}
        arrays = {"coef": self.coef_, "intercept": self.intercept_, "past": self._past, "output": self._output}
        return {**plain, **arrays, "ridge": self.ridge_}

    def _restore(self, state):
        self.n_features_in_, self.n_outputs_ = state["n_features"], state["n_outputs"]
        self._columns, self.ridge_ = state["columns"], state["ridge"]
        self.coef_, self.intercept_ = state["coef"], state["intercept"]
        self._past, self._output = state["past"], state["output"]
