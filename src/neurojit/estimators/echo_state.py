"""Echo state networks that map series to series."""

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from neurojit.core.blas import one_blas_thread
from neurojit.core.device import threads
from neurojit.core.random import Key
from neurojit.estimators.linear_mixins import ManyOutputs
from neurojit.estimators.linear_readout import FittedReadout, check_readout
from neurojit.estimators.options import STEPS
from neurojit.estimators.saved import Saved
from neurojit.estimators.series import check_series, check_targets
from neurojit.estimators.trained_reservoir import TrainedReservoir
from neurojit.reservoirs import Drive, Reservoir, harvest


class EchoStateRegressor(Saved, ManyOutputs, TrainedReservoir):
    """Echo state network: a fixed random reservoir and a linear readout trained by ridge regression.

    x(n) = (1 - a) x(n-1) + a f(W_in [1; u(n)] + W x(n-1) + W_fb y(n-1)), y(n) = W_out [1; u(n); x(n)]: Jaeger 2001,
    "The echo state approach", equations 1.1 and 1.2; with leak rate a as in Lukoševičius 2012, "A practical guide to
    applying echo state networks", equations 2 and 3.

    Parameters
    ----------
    n_units : int, default=500
        Units in the reservoir (N; `units` elsewhere), in each layer.
    spectral_radius : float, default=0.9
        Largest absolute eigenvalue of W (rho; `sr` elsewhere).
    leak_rate : float, default=1.0
        Share a of a unit's state that is renewed in a step (alpha; `lr` elsewhere), above 0 and at most 1.
    input_scaling : float or array-like, shape (n_features,), default=1.0
        Factor of the input weights, which are drawn between -1 and 1; one for all columns or one for each.
    bias_scaling : float, default=1.0
        Factor of the bias weights.
    fan_in : int, default=10
        Units that each unit reads.
    density : float or None, default=None
        For topology="random", the share of connections that exist instead of `fan_in` (`rc_connectivity` elsewhere).
    input_fan_in : int or None, default=None
        Inputs that each unit reads; None is all.
    topology : str, default="shifts"
        Who is connected with whom: "random", "shifts", "ring", "ring_with_jumps", "small_world", "orthogonal",
        "permutation" or "delay_line" (see `neurojit.reservoirs.reservoir_matrix`). "shifts" is as good as "random", and
        up to twice as fast: over 20 seeds, means of memory capacity (50 to 400 units), NARMA-10 and Mackey-Glass errors
        (100 and 300 units) are within about two standard errors of each other.
    distribution : {"uniform", "normal", "bernoulli"}, default="uniform"
        Of the weights, before scaling.
    activation : {"tanh", "sigmoid", "relu", "identity"}, default="tanh"
    ridge : float or sequence of float, default=1e-6
        Penalty of the squared readout weights; the intercept is not penalised. Of several, generalized
        cross-validation chooses one.
    washout : int, default=100
        Steps at the start of each series that are not learnt from.
    feedback : bool, default=False
        Whether units read the output of the step before: in `fit` the given one (teacher forcing), later the network's
        own.
    feedback_scaling : float, default=1.0
        Factor of the feedback weights.
    teacher_scaling, teacher_shift : float, default=1.0 and 0.0
        What is fed back is teacher_scaling * y + teacher_shift.
    noise : float, default=0.0
        In `fit`, uniform noise between -noise and noise is added inside f: it makes closed loops stable.
    n_layers : int, default=1
        Reservoirs in a row; the readout sees the units of all.
    readout : None, {"rls", "lms", "force"}, RLS, LMS, FORCE or scikit-learn regressor, default=None
        What learns: None is ridge regression from streamed sums, whose memory does not grow with time. A
        scikit-learn regressor is given all states at once.
    input_to_readout : bool, default=True
        Whether the readout sees the inputs beside the states.
    dtype : {"float64", "float32"}, default="float64"
        Of weights and states; the readout is always trained in float64.
    device : {"cpu", "cuda", "auto"}, default="cpu"
        Where states are computed: "cuda" is an NVIDIA GPU, all steps of many series in one launch; "auto" is that where
        there is one. The readout is trained on the CPU, and a closed loop goes to and fro at each step.
    n_threads : int or None, default=None
        Threads for several series; None is all. The result does not depend on it.
    random_state : int, RandomState, Generator or None, default=None
    verbose : int, default=0
        Whether to show progress: steps a second, time left.
        Seed of the weights and the noise.

    Attributes
    ----------
    reservoir_ : neurojit.reservoirs.Reservoir
    readout_ : object
        The trained readout.
    coef_ : numpy.ndarray, shape (n_outputs, n_features_seen)
        Weights of a linear readout: inputs first, where it sees them, then units, layer by layer.
    intercept_ : numpy.ndarray, shape (n_outputs,)
    ridge_ : float
        The penalty used, where the readout is ridge regression.
    n_features_in_ : int
        Inputs.
    n_outputs_ : int
        Outputs.

    Notes
    -----
    After `fit`, `partial_fit` and `generate`, and `predict` with ``continue_=True``, the network stands where the last
    series ended; `generate` without a prime and ``predict(U, continue_=True)`` go on from there.

    Examples
    --------
    Learn to say what comes next, then run free:

    >>> import numpy as np
    >>> import neurojit as nj
    >>> wave = np.sin(0.3 * np.arange(600))[:, None]
    >>> model = nj.EchoStateRegressor(n_units=50, random_state=0).fit(wave[:499], wave[1:500])
    >>> ahead = model.generate(20)
    >>> bool(np.abs(ahead - wave[500:520]).max() < 0.01)
    True
    """

    def __init__(
        self,
        n_units=500,
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
        ridge=1e-6,
        washout=100,
        feedback=False,
        feedback_scaling=1.0,
        teacher_scaling=1.0,
        teacher_shift=0.0,
        noise=0.0,
        n_layers=1,
        readout=None,
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
        self.feedback = feedback
        self.feedback_scaling = feedback_scaling
        self.teacher_scaling = teacher_scaling
        self.teacher_shift = teacher_shift
        self.noise = noise
        self.n_layers = n_layers
        self.readout = readout
        self.input_to_readout = input_to_readout
        self.dtype = dtype
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state
        self.verbose = verbose

    # -- fitting --------------------------------------------------------------------------------------------------

    def fit(self, X, y):
        """Train the readout.

        Parameters
        ----------
        X : array-like, shape (n_steps, n_features), or list of such
            A series, or several of any lengths, each of which starts from a state of zeros. Memory-mapped arrays are
            read piece by piece.
        y : array-like, shape (n_steps,) or (n_steps, n_outputs), or list of such
            The output wanted at each step.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            Before any work, if an argument or an option is wrong; the message names it.
        """
        self._check_options()
        check_readout(self.readout)
        series, many = check_series(self, X, reset=True)
        targets, columns = check_targets(y, series, many)
        self._check_washout(series, self.washout)
        self._check_force()
        with threads(self.n_threads), one_blas_thread():
            self._start(targets[0].shape[1], columns)
            self._learn(series, targets)
        return self

    def partial_fit(self, X, y):
        """Learn from more data.

        Parameters
        ----------
        X, y
            As for `fit`. A single series goes on where the last call ended, as if it had come in one piece; each of a
            list starts anew. `reset_state` before the call starts a single series anew too.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As for `fit`; also if the readout is a scikit-learn regressor, which cannot learn piece by piece.
        """
        if not hasattr(self, "reservoir_"):
            return self.fit(X, y)
        self._check_options()
        if isinstance(self.readout_, FittedReadout):
            raise ValueError("readout: got a scikit-learn estimator, wanted None or a rule for partial_fit")
        series, many = check_series(self, X, reset=False)
        targets, _ = check_targets(y, series, many)
        if targets[0].shape[1] != self.n_outputs_:
            raise ValueError(f"y: got {targets[0].shape[1]} outputs, wanted {self.n_outputs_} as in fit")
        if many:
            self._check_washout(series, self.washout)
            self.reset_state()
        with threads(self.n_threads), one_blas_thread():
            self._learn(series, targets)
        return self

    def _check_washout(self, series, washout):
        shortest = min(range(len(series)), key=lambda i: len(series[i]))
        if len(series[shortest]) <= washout:
            raise ValueError(
                f"washout: got {washout}, wanted fewer than the {len(series[shortest])} steps of series {shortest}"
                f" (n_samples={len(series[shortest])})"
            )

    # -- using ----------------------------------------------------------------------------------------------------

    def reset_state(self):
        """Set the network back to the state of zeros it starts from, outputs fed back included.

        Returns
        -------
        self
        """
        check_is_fitted(self, "reservoir_")
        self._state = np.zeros(self.reservoir_.size, self.reservoir_.dtype)
        self._output = np.zeros(self.n_outputs_)
        self._n_steps = 0
        return self

    def predict(self, X, continue_=False):
        """The output at each step, washout included.

        Parameters
        ----------
        X : array-like, shape (n_steps, n_features), or list of such
        continue_ : bool, default=False
            Whether to go on where the last call ended (see Notes of the class) and not from a state of zeros; for a
            single series.

        Returns
        -------
        numpy.ndarray, shape (n_steps,) or (n_steps, n_outputs), or list of such
            In the form of y in `fit`.
        """
        check_is_fitted(self)
        series, many = check_series(self, X, reset=False)
        if continue_ and many:
            raise ValueError("continue_: got True with a list of series, wanted a single series to go on with")
        state = np.zeros((len(series), self.reservoir_.size), self.reservoir_.dtype)
        before = np.zeros(self.n_outputs_)
        if continue_:
            state[0], before = self._state, self._output
        with threads(self.n_threads):
            outputs = self._closed(series, state, before) if self.feedback else self._open(series, state)
        if continue_:
            self._state, self._output = state[0].copy(), outputs[0][-1].copy()
            self._n_steps += len(series[0])
        outputs = [y if self._columns else y[:, 0] for y in outputs]
        return outputs if many else outputs[0]

    def generate(self, n_steps, prime=None):
        """Run free: each output is the input of the next step.

        Parameters
        ----------
        n_steps : int
        prime : array-like, shape (n_primed, n_features) or None, default=None
            A series to run through first, from a state of zeros; the first value generated is the one after it. None
            goes on from where the last `fit`, `generate` or continued `predict` ended.

        Returns
        -------
        numpy.ndarray, shape (n_steps,) or (n_steps, n_outputs)

        Raises
        ------
        TypeError, ValueError
            If `n_steps` is no integer >= 0, there are not as many outputs as inputs, or the prime is wrong.
        FloatingPointError
            If the loop diverges; it says at which step.
        """
        check_is_fitted(self)
        if self.n_outputs_ != self.n_features_in_:
            raise ValueError(
                f"generate: got a network with {self.n_features_in_} inputs and {self.n_outputs_} outputs, wanted as"
                " many outputs as inputs: an output is the next input"
            )
        STEPS.check("n_steps", n_steps)
        if prime is not None:
            self._prime(prime)
        none = np.empty((0, self.n_features_in_))
        y, state = self._loop(none, self._state, self._output, n_steps)
        if n_steps:
            self._state, self._output = state, y[-1].astype(np.float64)
            self._n_steps += n_steps
        return (y if self._columns else y[:, 0]).astype(np.float64)

    def states(self, X):
        """The states of the reservoir along series, from zero.

        Parameters
        ----------
        X : array-like, shape (n_steps, n_features), or list of such

        Returns
        -------
        numpy.ndarray, shape (n_steps, n_layers * n_units), or list of such
            Units layer by layer. Where outputs are fed back, these are the network's own.
        """
        check_is_fitted(self)
        series, many = check_series(self, X, reset=False)
        state = np.zeros((len(series), self.reservoir_.size), self.reservoir_.dtype)
        outputs = None
        if self.feedback:
            outputs = self._closed(series, state.copy(), np.zeros(self.n_outputs_))
        found = [np.empty((len(u), self.reservoir_.size), self.reservoir_.dtype) for u in series]
        with threads(self.n_threads):
            for piece in harvest(self.reservoir_, Drive(series, outputs), state):
                for i, s, rows in piece.rows():
                    found[s][piece.first + rows.start : piece.first + rows.stop] = piece.states[i, rows]
        return found if many else found[0]

    def _fitted_state(self):
        if isinstance(self.readout_, FittedReadout):
            raise TypeError(f"readout: got {self.readout!r}, which a file cannot hold, wanted None or a rule to save")
        return {
            "reservoir": self.reservoir_.state(),
            "readout": self.readout_.state(),
            "n_features": int(self.n_features_in_),
            "n_outputs": self.n_outputs_,
            "columns": self._columns,
            "key": str(self._key.value),
            "state": self._state,
            "output": self._output,
            "n_steps": self._n_steps,
        }

    def _restore(self, state):
        self.n_features_in_ = state["n_features"]
        self._columns, self._key = state["columns"], Key(int(state["key"]))
        self.n_outputs_ = state["n_outputs"]
        self.reservoir_ = Reservoir.from_state(state["reservoir"])
        self._start_readout(state["readout"])
        self._finish()
        self._state, self._output, self._n_steps = state["state"], state["output"], state["n_steps"]

    def score(self, X, y, sample_weight=None):
        """Coefficient of determination R^2 of the predictions, over all steps of all series.

        Parameters
        ----------
        X, y
            As for `fit`.
        sample_weight : array-like or None, default=None
            Weights of the steps, series after series.

        Returns
        -------
        float
        """
        series, many = check_series(self, X, reset=False)
        targets, _ = check_targets(y, series, many)
        predicted = self.predict(series if many else series[0])
        predicted = np.concatenate([p.reshape(len(p), -1) for p in (predicted if many else [predicted])])
        return r2_score(np.concatenate(targets), predicted, sample_weight=sample_weight)
