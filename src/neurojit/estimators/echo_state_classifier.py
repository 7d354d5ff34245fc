"""Echo state networks that give a whole series one label or one row of features."""

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from neurojit.core.device import threads
from neurojit.core.random import Key
from neurojit.estimators.linear_mixins import ScoredClasses
from neurojit.estimators.linear_readout import RidgeReadout
from neurojit.estimators.reservoir_options import ReservoirEstimator
from neurojit.estimators.saved import Saved, labels_from_state, labels_state
from neurojit.estimators.series import check_samples, check_series
from neurojit.estimators.targets import check_labels, find_classes
from neurojit.reservoirs import Drive, NormalEquations, Reservoir, harvest

POOLINGS = ("mean", "last", "concat")


class SeriesFeatures(ReservoirEstimator):
    """Base of estimators that make one row of features of each series."""

    def _check_pooling(self, allowed):
        if self.pooling not in allowed:
            raise ValueError(f"pooling: got {self.pooling!r}, wanted one of {', '.join(map(repr, allowed))}")
        if self.n_states < 1:
            raise ValueError(f"n_states: got {self.n_states!r}, wanted an integer >= 1")

    def _check_length(self, series):
        for i, u in enumerate(series):
            if len(u) <= self.washout:
                raise ValueError(f"washout: got {self.washout}, wanted fewer than the {len(u)} steps of series {i}")

    def _rows(self, series):
        """Features of each series, (n_series, n_features): pooled states, and pooled inputs where these are seen."""
        reservoir = self.reservoir_
        state = np.zeros((len(series), reservoir.size), reservoir.dtype)
        seen = series[0].shape[1] if self.input_to_readout else 0
        parts = self.n_states if self.pooling == "concat" else 1
        rows = np.zeros((len(series), parts, seen + reservoir.size))
        wanted = [self._steps_wanted(len(u)) for u in series]
        with threads(self.n_threads):
            for piece in harvest(reservoir, Drive(series), state):
                for i, s, steps in piece.rows(self.washout):
                    z = np.concatenate([piece.inputs[i, steps, :seen], piece.states[i, steps]], axis=1)
                    if self.pooling == "mean":
                        rows[s, 0] += z.sum(axis=0, dtype=np.float64) / (len(series[s]) - self.washout)
                        continue
                    for part, step in enumerate(wanted[s]):
                        at = step - piece.first - steps.start
                        if 0 <= at < len(z):
                            rows[s, part] = z[at]
        return rows.reshape(len(series), -1)

    def _steps_wanted(self, length):
        """The steps whose states are joined: evenly spaced, the last one of the series among them."""
        if self.pooling != "concat":
            return [length - 1]
        left = length - self.washout
        return [self.washout + max(-(-left * (k + 1) // self.n_states) - 1, 0) for k in range(self.n_states)]


class EchoStateClassifier(Saved, ScoredClasses, SeriesFeatures):
    """Echo state network that gives a label to each series.

    The states along a series are pooled to one row, from which ridge regression tells the classes apart (targets 1 for
    the class, 0 for the others); "concat" joins a few states, as Jaeger, Lukoševičius, Popovici and Siewert 2007,
    "Optimization and applications of echo state networks with leaky-integrator neurons", section 5, do.

    Parameters
    ----------
    n_units : int, default=200
    spectral_radius, leak_rate, input_scaling, bias_scaling, fan_in, density, input_fan_in, topology, distribution
        As for `EchoStateRegressor`.
    activation, n_layers, input_to_readout, dtype, n_threads, random_state
        As for `EchoStateRegressor`.
    ridge : float or sequence of float, default=1e-3
        Penalty of the squared readout weights; of several, generalized cross-validation chooses one.
    washout : int, default=0
        Steps at the start of each series that are left out.
    pooling : {"mean", "last", "concat"}, default="mean"
        What the readout sees of a series: the mean of its states, the last one, or `n_states` of them, evenly spaced.
    n_states : int, default=3
        For "concat".

    Attributes
    ----------
    classes_ : numpy.ndarray, shape (n_classes,)
        The labels, sorted.
    reservoir_ : neurojit.reservoirs.Reservoir
    coef_ : numpy.ndarray, shape (n_classes, n_pooled_features)
    intercept_ : numpy.ndarray, shape (n_classes,)
    ridge_ : float
        The penalty used.
    n_features_in_ : int
        Features of a series; for a matrix X, values in a row.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> t = np.arange(60)
    >>> X = [np.sin(0.2 * f * t + f)[: 40 + f, None] for f in (1, 2) for _ in range(9)]
    >>> y = np.repeat(["slow", "fast"], 9)
    >>> model = nj.EchoStateClassifier(n_units=50, random_state=0).fit(X, y)
    >>> str(model.predict(X[:1])[0])
    'slow'
    """

    def __init__(
        self,
        n_units=200,
        *,
        spectral_radius=0.9,
        leak_rate=1.0,
        input_scaling=1.0,
        bias_scaling=1.0,
        fan_in=10,
        density=None,
        input_fan_in=None,
        topology="shifts",
        distribution="uniform",
        activation="tanh",
        ridge=1e-3,
        washout=0,
        pooling="mean",
        n_states=3,
        n_layers=1,
        input_to_readout=True,
        dtype="float64",
        n_threads=None,
        random_state=None,
    ):
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.fan_in = fan_in
        self.density = density
        self.input_fan_in = input_fan_in
        self.topology = topology
        self.distribution = distribution
        self.activation = activation
        self.ridge = ridge
        self.washout = washout
        self.pooling = pooling
        self.n_states = n_states
        self.n_layers = n_layers
        self.input_to_readout = input_to_readout
        self.dtype = dtype
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(self, X, y):
        """Train the readout.

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
        self._check_pooling(POOLINGS)
        series = check_samples(self, X, reset=True)
        y = check_labels(y, series)
        self.classes_ = find_classes(y)
        self._check_length(series)
        self.reservoir_ = self._make_reservoir(series[0].shape[1])
        rows = self._rows(series)
        readout = RidgeReadout(NormalEquations(rows.shape[1], len(self.classes_)), self.ridge)
        readout.add(rows, self._one_hot(y))
        readout.finish()
        (self.coef_, self.intercept_), self.ridge_ = readout.linear, readout.fit.ridge
        return self

    def _scores(self, X):
        check_is_fitted(self)
        series = check_samples(self, X, reset=False)
        self._check_length(series)
        return self._rows(series) @ self.coef_.T + self.intercept_

    def _fitted_state(self):
        return {
            "reservoir": self.reservoir_.state(),
            "coef": self.coef_,
            "intercept": self.intercept_,
            "ridge": self.ridge_,
            "classes": labels_state(self.classes_),
            "n_features": int(self.n_features_in_),
        }

    def _restore(self, state):
        self.reservoir_ = Reservoir.from_state(state["reservoir"])
        self.coef_, self.intercept_, self.ridge_ = state["coef"], state["intercept"], state["ridge"]
        self.classes_ = labels_from_state(state["classes"])
        self.n_features_in_ = state["n_features"]


class ReservoirTransformer(Saved, TransformerMixin, SeriesFeatures):
    """The states of a reservoir as features, for a pipeline.

    Parameters
    ----------
    n_units : int, default=200
    spectral_radius, leak_rate, input_scaling, bias_scaling, fan_in, density, input_fan_in, topology, distribution
        As for `EchoStateRegressor`.
    activation, n_layers, dtype, n_threads, random_state
        As for `EchoStateRegressor`.
    washout : int, default=0
        Steps at the start of each series that pooling leaves out.
    pooling : {"mean", "last", "concat"} or None, default=None
        None gives the state at every step: X is one series whose rows are steps, or a list of series. Others give one
        row for each series, as for `EchoStateClassifier`: X is a list of series, or a matrix whose rows are series.
    n_states : int, default=3
        For "concat".
    input_to_readout : bool, default=True
        Whether the inputs stand before the states.

    Attributes
    ----------
    reservoir_ : neurojit.reservoirs.Reservoir
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> wave = np.sin(0.3 * np.arange(100))[:, None]
    >>> nj.ReservoirTransformer(50, random_state=0).fit_transform(wave).shape
    (100, 51)
    """

    def __init__(
        self,
        n_units=200,
        *,
        spectral_radius=0.9,
        leak_rate=1.0,
        input_scaling=1.0,
        bias_scaling=1.0,
        fan_in=10,
        density=None,
        input_fan_in=None,
        topology="shifts",
        distribution="uniform",
        activation="tanh",
        washout=0,
        pooling=None,
        n_states=3,
        n_layers=1,
        input_to_readout=True,
        dtype="float64",
        n_threads=None,
        random_state=None,
    ):
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.fan_in = fan_in
        self.density = density
        self.input_fan_in = input_fan_in
        self.topology = topology
        self.distribution = distribution
        self.activation = activation
        self.washout = washout
        self.pooling = pooling
        self.n_states = n_states
        self.n_layers = n_layers
        self.input_to_readout = input_to_readout
        self.dtype = dtype
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(self, X, y=None):
        """Draw the reservoir's weights; X only says how many inputs there are.

        Parameters
        ----------
        X : array-like or list of array-like
            See `pooling`.
        y : None
            Ignored.

        Returns
        -------
        self
        """
        self._check_options()
        self._check_pooling((None, *POOLINGS))
        series = self._take(X, reset=True)[0]
        self.reservoir_ = self._make_reservoir(series[0].shape[1])
        return self

    def transform(self, X):
        """States, or one row of pooled states for each series.

        Parameters
        ----------
        X : array-like or list of array-like
            See `pooling`.

        Returns
        -------
        numpy.ndarray, shape (n_steps, n_out) or (n_series, n_out), or list of the former
        """
        check_is_fitted(self)
        series, many = self._take(X, reset=False)
        if self.pooling is not None:
            self._check_length(series)
            return self._rows(series).astype(self.reservoir_.dtype)
        seen = self.reservoir_.n_inputs if self.input_to_readout else 0
        found = [np.empty((len(u), seen + self.reservoir_.size), self.reservoir_.dtype) for u in series]
        state = np.zeros((len(series), self.reservoir_.size), self.reservoir_.dtype)
        with threads(self.n_threads):
            for piece in harvest(self.reservoir_, Drive(series), state):
                for i, s, rows in piece.rows():
                    target = found[s][piece.first + rows.start : piece.first + rows.stop]
                    target[:, :seen], target[:, seen:] = piece.inputs[i, rows, :seen], piece.states[i, rows]
        return found if many else found[0]

    def _take(self, X, reset):
        if self.pooling is None:
            return check_series(self, X, reset=reset)
        return check_samples(self, X, reset=reset), True

    def _fitted_state(self):
        key = str(self._key.value)
        return {"reservoir": self.reservoir_.state(), "n_features": int(self.n_features_in_), "key": key}

    def _restore(self, state):
        self.reservoir_, self.n_features_in_ = Reservoir.from_state(state["reservoir"]), state["n_features"]
        self._key = Key(int(state["key"]))
