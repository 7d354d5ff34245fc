"""Liquid state machines: series become spikes, spikes run through a liquid, a linear readout sees its traces."""

import itertools
import numbers

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from neurojit.core.device import threads
from neurojit.core.random import Key
from neurojit.estimators.linear_mixins import ManyOutputs, ScoredClasses
from neurojit.estimators.linear_readout import RidgeReadout
from neurojit.estimators.options import Number, OneOf, device_of
from neurojit.estimators.reservoir_options import check_common, check_ridge
from neurojit.estimators.saved import Saved, labels_from_state, labels_state
from neurojit.estimators.series import check_samples, check_series, check_targets
from neurojit.estimators.targets import check_labels, find_classes
from neurojit.reservoirs import Liquid, NormalEquations, encode_delta, encode_latency, encode_rate
from neurojit.reservoirs.liquid import run_all
from neurojit.reservoirs.spikes import ENCODERS

_POSITIVE = Number("a finite number > 0", numbers.Real, 0, exclusive=True)
_NOT_NEGATIVE = Number("a finite number >= 0", numbers.Real, 0)
_POSITIVE_INTEGER = Number("an integer >= 1", numbers.Integral, 1)
_SHARE = Number("a number above 0, at most 1", numbers.Real, 0, below=np.nextafter(1, 2), exclusive=True)

CONSTRAINTS = {
    "reach": _POSITIVE,
    "inhibitory": Number("a number from 0 to below 1", numbers.Real, 0, below=1),
    "strength": _NOT_NEGATIVE,
    "input_strength": _POSITIVE,
    "input_density": _SHARE,
    "trace": _POSITIVE,
    "encoder": OneOf(ENCODERS),
    "n_substeps": _POSITIVE_INTEGER,
    "max_rate": _SHARE,
    "threshold": _POSITIVE,
    "n_segments": _POSITIVE_INTEGER,
}
_LIQUID, _ENCODER = range(2)  # sub-streams of the estimator's random key


class LiquidState(Saved, BaseEstimator):
    """Base of `LiquidStateClassifier` and `LiquidStateRegressor`."""

    _computes_on_cuda = True

    def _check_options(self):
        options = self.get_params(deep=False)
        for name, constraint in CONSTRAINTS.items():
            if name in options:
                constraint.check(name, options[name])
        if np.ndim(self.shape) != 1 or not len(self.shape) or min(self.shape) < 1:
            raise ValueError(f"shape: got {self.shape!r}, wanted the sides of a grid, such as (3, 3, 15)")
        check_ridge(self.ridge)
        check_common(self)

    def _start(self, series):
        """The liquid, and the range of each feature, which becomes 0 to 1."""
        self._low = np.min([u.min(axis=0) for u in series], axis=0).astype(np.float64)
        span = np.max([u.max(axis=0) for u in series], axis=0) - self._low
        self._span = np.where(span > 0, span, 1.0)
        self._key = Key.from_random_state(self.random_state)
        self.liquid_ = self._make_liquid(len(self._low)).to(device_of(self))

    def _make_liquid(self, n_features):
        names = ("shape", "reach", "inhibitory", "strength", "input_strength", "input_density", "trace")
        options = {name: getattr(self, name) for name in names}
        n_channels = n_features * (2 if self.encoder == "delta" else 1)
        return Liquid(n_channels, random_state=self._key.child(_LIQUID), **options)

    def _encode_spikes(self, u):
        """Spikes of one series; the draws of the rate code are the same for every series."""
        x = (u - self._low) / self._span
        if self.encoder == "latency":
            return encode_latency(x, self.n_substeps)
        if self.encoder == "delta":
            return encode_delta(x, self.n_substeps, threshold=self.threshold)
        return encode_rate(x, self.n_substeps, max_rate=self.max_rate, random_state=self._key.child(_ENCODER))

    def _traces(self, series):
        """What the liquid makes of each series: filtered spikes after each step, (n_steps, n_neurons)."""
        with threads(self.n_threads):
            return run_all(self.liquid_, (self._encode_spikes(u) for u in series), self.n_substeps)

    def _train(self, rows, targets):
        readout = RidgeReadout(NormalEquations(self.liquid_.n_neurons * self._parts, targets[0].shape[1]), self.ridge)
        for z, y in zip(rows, targets, strict=True):
            readout.add(z, y)
        readout.finish()
        (self.coef_, self.intercept_), self.ridge_ = readout.linear, readout.fit.ridge

    _parts = 1

    def _fitted_state(self):
        arrays = {"low": self._low, "span": self._span, "coef": self.coef_, "intercept": self.intercept_}
        plain = {"ridge": self.ridge_, "n_features": int(self.n_features_in_), "key": str(self._key.value)}
        return {**arrays, **plain}

    def _restore(self, state):
        self._low, self._span, self.ridge_ = state["low"], state["span"], state["ridge"]
        self.coef_, self.intercept_ = state["coef"], state["intercept"]
        self.n_features_in_ = state["n_features"]
        self._key = Key(int(state["key"]))
        self.liquid_ = self._make_liquid(len(self._low))


class LiquidStateClassifier(ScoredClasses, LiquidState):
    """Liquid state machine that gives a label to each series.

    Maass, Natschläger and Markram 2002, "Real-time computing without stable states: a new framework for neural
    computation based on perturbations". The filtered spikes of the neurons, averaged over a few segments of the series,
    are the features of ridge regression to 1 for the class and 0 for the others.

    Parameters
    ----------
    shape : tuple of int, default=(3, 3, 15)
        The grid of neurons.
    reach, inhibitory, strength, input_strength, input_density, trace
        As for `neurojit.reservoirs.Liquid`.
    encoder : {"rate", "latency", "delta"}, default="rate"
        How values become spikes (see `neurojit.reservoirs.encode_rate` and others), after each feature's range in
        training was brought to 0 to 1.
    n_substeps : int, default=10
        Milliseconds that a step of a series lasts.
    max_rate : float, default=0.2
        For "rate": spikes in a millisecond at the upper end of the range.
    threshold : float, default=0.1
        For "delta": the move, as a part of the range, that makes a spike.
    n_segments : int, default=4
        Parts of a series over which traces are averaged.
    ridge : float or sequence of float, default=1e-2
        Penalty of the squared readout weights; of several, generalized cross-validation chooses one.
    device : {"cpu", "cuda", "auto"}, default="cpu"
        Where the liquid runs: "cuda" is an NVIDIA GPU, "auto" that where there is one.
    n_threads : int or None, default=None
    random_state : int, RandomState, Generator or None, default=None

    Attributes
    ----------
    classes_ : numpy.ndarray, shape (n_classes,)
        The labels, sorted.
    liquid_ : neurojit.reservoirs.Liquid
    coef_, intercept_ : numpy.ndarray
        The readout.
    ridge_ : float
        The penalty used.
    n_features_in_ : int
        Features of a series; for a matrix X, values in a row.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> X = np.outer(np.repeat([0.2, 1.0], 10), np.ones(30)) + 0.1 * np.sin(np.arange(600)).reshape(20, 30)
    >>> model = nj.LiquidStateClassifier(random_state=0).fit(X, np.repeat(["weak", "strong"], 10))
    >>> str(model.predict(X[:1])[0])
    'weak'
    """

    def __init__(
        self,
        shape=(3, 3, 15),
        *,
        reach=2.0,
        inhibitory=0.2,
        strength=1.0,
        input_strength=60.0,
        input_density=0.3,
        trace=30.0,
        encoder="rate",
        n_substeps=10,
        max_rate=0.2,
        threshold=0.1,
        n_segments=4,
        ridge=1e-2,
        device="cpu",
        n_threads=None,
        random_state=None,
    ):
        self.shape = shape
        self.reach = reach
        self.inhibitory = inhibitory
        self.strength = strength
        self.input_strength = input_strength
        self.input_density = input_density
        self.trace = trace
        self.encoder = encoder
        self.n_substeps = n_substeps
        self.max_rate = max_rate
        self.threshold = threshold
        self.n_segments = n_segments
        self.ridge = ridge
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state

    @property
    def _parts(self):
        return self.n_segments

    def fit(self, X, y):
        """Make the liquid and train the readout.

        Parameters
        ----------
        X : list of array-like, shape (n_steps, n_features), or array-like, shape (n, n_steps)
            Series of any lengths; rows of a matrix are series of one feature.
        y : array-like, shape (n,)
            Their labels.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            Before any work, if an argument or an option is wrong; the message names it.
        """
        self._check_options()
        series = check_samples(self, X, reset=True)
        y = check_labels(y, series)
        self.classes_ = find_classes(y)
        self._start(series)
        self._train([self._rows(series)], [self._one_hot(y)])
        return self

    def _rows(self, series):
        """Mean traces of each segment, (n_series, n_segments * n_neurons)."""
        return np.array([self._segments(traces) for traces in self._traces(series)])

    def _segments(self, traces):
        edges = np.round(np.linspace(0, len(traces), self.n_segments + 1)).astype(np.int64)
        means = [traces[a : max(b, a + 1)] for a, b in itertools.pairwise(edges)]
        return np.concatenate([part.mean(axis=0) if len(part) else traces[-1] for part in means])

    def _scores(self, X):
        check_is_fitted(self)
        return self._rows(check_samples(self, X, reset=False)) @ self.coef_.T + self.intercept_

    def _fitted_state(self):
        return super()._fitted_state() | {"classes": labels_state(self.classes_)}

    def _restore(self, state):
        super()._restore(state)
        self.classes_ = labels_from_state(state["classes"])


class LiquidStateRegressor(ManyOutputs, LiquidState):
    """Liquid state machine that maps a series to a series: a readout of the neurons' filtered spikes at each step.

    Parameters
    ----------
    shape, reach, inhibitory, strength, input_strength, input_density, trace
        As for `LiquidStateClassifier`.
    encoder, n_substeps, max_rate, threshold, ridge, device, n_threads, random_state
        As for `LiquidStateClassifier`.

    Attributes
    ----------
    liquid_, coef_, intercept_, ridge_, n_features_in_
        As for `LiquidStateClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> u = np.sin(0.1 * np.arange(400))[:, None]
    >>> model = nj.LiquidStateRegressor(random_state=0).fit(u, u[:, 0])
    >>> bool(model.score(u, u[:, 0]) > 0.5)
    True
    """

    def __init__(
        self,
        shape=(3, 3, 15),
        *,
        reach=2.0,
        inhibitory=0.2,
        strength=1.0,
        input_strength=60.0,
        input_density=0.3,
        trace=30.0,
        encoder="rate",
        n_substeps=10,
        max_rate=0.2,
        threshold=0.1,
        ridge=1e-2,
        device="cpu",
        n_threads=None,
        random_state=None,
    ):
        self.shape = shape
        self.reach = reach
        self.inhibitory = inhibitory
        self.strength = strength
        self.input_strength = input_strength
        self.input_density = input_density
        self.trace = trace
        self.encoder = encoder
        self.n_substeps = n_substeps
        self.max_rate = max_rate
        self.threshold = threshold
        self.ridge = ridge
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(self, X, y):
        """Make the liquid and train the readout.

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
        self._check_options()
        series, many = check_series(self, X, reset=True)
        targets, self._columns = check_targets(y, series, many)
        self._start(series)
        self._train(self._traces(series), targets)
        return self

    def predict(self, X):
        """The output at each step.

        Parameters
        ----------
        X : array-like, shape (n_steps, n_features), or list of such

        Returns
        -------
        numpy.ndarray, shape (n_steps,) or (n_steps, n_outputs), or list of such
        """
        check_is_fitted(self)
        series, many = check_series(self, X, reset=False)
        outputs = [traces @ self.coef_.T + self.intercept_ for traces in self._traces(series)]
        outputs = [y if self._columns else y[:, 0] for y in outputs]
        return outputs if many else outputs[0]

    def _fitted_state(self):
        return super()._fitted_state() | {"columns": self._columns}

    def _restore(self, state):
        super()._restore(state)
        self._columns = state["columns"]
