"""Echo state networks that give a whole series one label."""

from sklearn.utils.validation import check_is_fitted

from neurojit.estimators.linear_mixins import ScoredClasses
from neurojit.estimators.linear_readout import RidgeReadout
from neurojit.estimators.saved import Saved, labels_from_state, labels_state
from neurojit.estimators.series import check_samples
from neurojit.estimators.series_features import POOLINGS, SeriesFeatures
from neurojit.estimators.targets import check_labels, find_classes
from neurojit.reservoirs import NormalEquations, Reservoir


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
    activation, n_layers, input_to_readout, dtype, device, n_threads, random_state, verbose
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
        device="cpu",
        n_threads=None,
        random_state=None,
        verbose=0,
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
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state
        self.verbose = verbose

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
