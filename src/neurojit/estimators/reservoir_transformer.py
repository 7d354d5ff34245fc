"""The states of a reservoir as features for a pipeline."""

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from neurojit.core.device import threads
from neurojit.core.random import Key
from neurojit.estimators.saved import Saved
from neurojit.estimators.series import check_samples, check_series
from neurojit.estimators.series_features import POOLINGS, SeriesFeatures
from neurojit.reservoirs import Reservoir


class ReservoirTransformer(Saved, TransformerMixin, SeriesFeatures):
    """The states of a reservoir as features, for a pipeline.

    Parameters
    ----------
    n_units : int, default=200
    spectral_radius, leak_rate, input_scaling, bias_scaling, fan_in, density, input_fan_in, topology, distribution
        As for `EchoStateRegressor`.
    activation, n_layers, dtype, device, n_threads, random_state, verbose
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
            for piece in self._pieces(series, state):
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
