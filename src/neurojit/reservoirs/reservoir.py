"""A reservoir: its weights, and its states along a series."""

import functools

import numpy as np

from neurojit.core.random import Key
from neurojit.core.sparse import SERIES
from neurojit.kernels.cpu import reservoir as kernels
from neurojit.kernels.cpu.reservoir_batch import harvest_batch
from neurojit.reservoirs.device import DeviceReservoir
from neurojit.reservoirs.matrices import input_matrix, reservoir_matrix
from neurojit.reservoirs.packing import pack, pack_beside
from neurojit.reservoirs.shifts import ShiftMatrix
from neurojit.reservoirs.spectrum import check_radius, scale_spectral_radius

ACTIVATIONS = {
    "identity": kernels.IDENTITY,
    "tanh": kernels.TANH,
    "sigmoid": kernels.SIGMOID,
    "relu": kernels.RELU,
}
_RECURRENT, _INPUT, _LINK, _BIAS, _FEEDBACK = range(5)  # sub-streams of a reservoir's key; layers are their children


class Reservoir:
    """Fixed random recurrent units that a series is fed into.

    x_1(n) = (1 - a) x_1(n-1) + a f(W_in [1; u(n)] + W_1 x_1(n-1) + noise), and deeper layers read the layer above in
    place of u: Lukoševičius 2012, "A practical guide to applying echo state networks", equations 2 and 3; for layers,
    Gallicchio, Micheli and Pedrelli 2017, "Deep reservoir computing".

    Parameters
    ----------
    w_in : numpy.ndarray, shape (n_units, 1 + n_inputs)
        Input weights, the bias first.
    recurrent : list
        W of each layer, as `reservoir_matrix` makes them.
    links : list, default=()
        Weights from each layer to the next, of the kind W is.
    biases : numpy.ndarray, shape (n_layers - 1, n_units) or None, default=None
        Biases of the deeper layers.
    leak_rate : float, default=1.0
        a: the share of a unit's state that is renewed in a step.
    activation : {"tanh", "sigmoid", "relu", "identity"}, default="tanh"
    dtype : dtype, default=numpy.float64

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import make_reservoir
    >>> reservoir = make_reservoir(1, n_units=100, random_state=0)
    >>> reservoir.run(np.ones((50, 1))).shape
    (50, 100)
    """

    def __init__(self, w_in, recurrent, links=(), biases=None, *, leak_rate=1.0, activation="tanh", dtype=np.float64):
        self.dtype = np.dtype(dtype)
        self.n_layers, self.n_units = len(recurrent), len(w_in)
        self.n_inputs = w_in.shape[1] - 1
        self.recurrent, self.links = list(recurrent), list(links)
        self.leak_rate = self.dtype.type(leak_rate)
        self.activation_name, self.activation = activation, ACTIVATIONS[activation]
        self.w_in = np.ascontiguousarray(w_in[:, 1:].T, self.dtype)
        self.bias = np.zeros((self.n_layers, self.n_units), self.dtype)
        self.bias[0] = w_in[:, 0]
        if biases is not None:
            self.bias[1:] = biases
        self.packed = pack([*self.recurrent, *self.links], self.dtype)
        self._on_device = None

    @property
    def device(self):
        """Where states are computed, ``"cpu"`` or ``"cuda"``."""
        return "cpu" if self._on_device is None else "cuda"

    def to(self, device):
        """Compute states on ``"cuda"`` or on ``"cpu"`` from now on; returns the reservoir.

        Raises
        ------
        neurojit.core.cuda.CudaUnavailable
            If there is no GPU, with what is missing.
        """
        self._on_device = DeviceReservoir(self) if device == "cuda" else None
        return self

    @property
    def size(self):
        """Numbers in a state: the units of all layers."""
        return self.n_layers * self.n_units

    def weights(self):
        """What the kernels that run one series take of it."""
        return (self.w_in, self.bias, *self.packed.arrays(), self.leak_rate, self.activation)

    @functools.cached_property
    def _beside(self):
        """The matrices as series side by side read them, packed when they are first wanted."""
        return pack_beside([*self.recurrent, *self.links], self.dtype)

    def run(self, u, state=None, *, noise=0.0, key=None, first=0, out=None):
        """The states along one series.

        Parameters
        ----------
        u : array-like, shape (n_steps, n_inputs)
        state : numpy.ndarray, shape (size,) or None, default=None
            The state before the first step; None is zero.
        noise : float, default=0.0
            Uniform noise between -noise and noise inside f.
        key : Key or None, default=None
            Where noise is drawn from; step n takes the draws of step ``first + n``.
        first : int, default=0
        out : numpy.ndarray, shape (n_steps, size) or None, default=None
            Where the states go; None makes an array.

        Returns
        -------
        numpy.ndarray, shape (n_steps, size)
            Layer by layer.
        """
        u = np.ascontiguousarray(u, self.dtype)
        start = np.zeros(self.size, self.dtype) if state is None else np.ascontiguousarray(state, self.dtype)
        out = np.empty((len(u), self.size), self.dtype) if out is None else out
        if self._on_device is not None:
            options = {"noise": noise, "keys": None if key is None else [key], "first": first}
            return self.run_batch(u[np.newaxis], start[np.newaxis], out=out[np.newaxis], **options)[0]
        seed = np.uint64(0 if key is None else key.value)
        kernels.harvest(u, *self.weights(), self.dtype.type(noise), seed, first, start, out)
        return out

    def run_batch(self, u, states, *, noise=0.0, keys=None, first=0, out=None):
        """The states along up to `core.sparse.SERIES` series of one length, side by side: `run`, one axis more."""
        n_series, n_steps, _ = u.shape
        u, states = np.ascontiguousarray(u, self.dtype), np.ascontiguousarray(states, self.dtype)
        seeds = np.zeros(n_series, np.uint64)
        if keys is not None:
            seeds[:] = [key.value for key in keys]
        if self._on_device is not None:
            found = self._on_device.run(u, states, noise, seeds, first)
            if out is None:
                return found
            out[:] = found
            return out
        whole = n_series == SERIES and out is not None
        rows = out if whole else np.empty((SERIES, n_steps, self.size), self.dtype)
        step = (*self._beside, self.leak_rate, self.activation, self.dtype.type(noise))
        harvest_batch(u, self.w_in, self.bias, *step, seeds, first, states, rows)
        if out is None:
            return rows[:n_series]
        if not whole:
            out[:] = rows[:n_series]
        return out

    def close_loop(self, u, w_out, offset, state, before, n_steps, *, inputs_to_readout):
        """Run on the outputs of a linear readout, fed back a step later.

        Parameters
        ----------
        u : numpy.ndarray, shape (n_driven, n_inputs)
            Inputs of the first steps; after them the output takes their place.
        w_out : numpy.ndarray, shape (n_outputs, n_features)
        offset : numpy.ndarray, shape (n_outputs,)
        state : numpy.ndarray, shape (size,)
        before : numpy.ndarray, shape (n_outputs,)
            The output before the first step.
        n_steps : int
        inputs_to_readout : int
            How many inputs the readout sees, before the units.

        Returns
        -------
        y : numpy.ndarray, shape (n_steps, n_outputs)
        state : numpy.ndarray, shape (size,)

        Raises
        ------
        FloatingPointError
            If an output is no longer finite; it says at which step.
        """
        y = np.zeros((n_steps, len(offset)), self.dtype)
        state = np.array(state, self.dtype)
        if n_steps == 0:
            return y, state
        y[0] = before
        u, w_out = np.ascontiguousarray(u, self.dtype), np.ascontiguousarray(w_out, self.dtype)
        offset = np.asarray(offset, self.dtype)
        if self._on_device is not None:
            return y, self._close_loop_on_device(u, w_out, offset, state, y, inputs_to_readout)
        done = kernels.close_loop(u, *self.weights(), w_out, offset, inputs_to_readout, state, y)
        check_finite(done, n_steps)
        return y, state

    def _close_loop_on_device(self, u, w_out, offset, state, y, seen):
        """`close_loop` with the states of the device and the readout of the host, step by step; the last state."""
        last = y[0].copy()
        for t in range(len(y)):
            v = np.concatenate([u[t] if t < len(u) else last, last])[: self.n_inputs]
            state = self.run(v[np.newaxis], state)[0]
            y[t] = last = offset + w_out @ np.concatenate([v[:seen], state])
            if not np.isfinite(last).all():
                check_finite(t, len(y))
        return state

    def state(self):
        """All that it is, as a nested dict of arrays and plain values."""
        w_in = np.vstack([self.bias[:1], self.w_in]).T
        matrices = {str(i): _matrix_state(W) for i, W in enumerate([*self.recurrent, *self.links])}
        options = {"leak_rate": float(self.leak_rate), "activation": self.activation_name, "dtype": self.dtype.name}
        return {"w_in": w_in, "biases": self.bias[1:], "matrices": matrices, "layers": self.n_layers, **options}

    @classmethod
    def from_state(cls, state):
        """The reservoir that `state` describes."""
        matrices = [_matrix_from_state(state["matrices"][str(i)]) for i in range(len(state["matrices"]))]
        layers = state["layers"]
        options = {name: state[name] for name in ("leak_rate", "activation", "dtype")}
        return cls(state["w_in"], matrices[:layers], matrices[layers:], state["biases"], **options)


def check_finite(done, n_steps):
    """Raise FloatingPointError unless a closed loop did all its steps."""
    if done < n_steps:
        raise FloatingPointError(
            f"the closed loop diverged: its output is no longer finite at step {done} of {n_steps}; a larger ridge,"
            " noise in training or a smaller spectral_radius may keep it stable"
        )


def _matrix_state(W):
    if isinstance(W, ShiftMatrix):
        return {"values": W.values, "shifts": W.shifts}
    return {"data": W.data, "indices": W.indices, "indptr": W.indptr}


def _matrix_from_state(state):
    if "shifts" in state:
        return ShiftMatrix(state["values"], state["shifts"])
    from scipy.sparse import csr_array

    n = len(state["indptr"]) - 1
    return csr_array((state["data"], state["indices"], state["indptr"]), (n, n))


def make_reservoir(
    n_inputs,
    *,
    n_units=500,
    spectral_radius=0.9,
    leak_rate=1.0,
    input_scaling=1.0,
    bias_scaling=1.0,
    fan_in=10,
    density=None,
    input_fan_in=None,
    topology="random",
    distribution="uniform",
    activation="tanh",
    n_layers=1,
    n_feedback=0,
    feedback_scaling=1.0,
    feedback_shift=0.0,
    dtype=np.float64,
    random_state=None,
):
    """A reservoir with random weights, W scaled to a spectral radius.

    Parameters
    ----------
    n_inputs : int
    n_units : int, default=500
        Units in each layer.
    spectral_radius : float, default=0.9
        Of each W; of a delay line, whose radius is always zero, the weight of its connections.
    leak_rate : float, default=1.0
    input_scaling : float or array-like, shape (n_inputs,), default=1.0
    bias_scaling : float, default=1.0
    fan_in, density, topology, distribution
        As for `reservoir_matrix`.
    input_fan_in : int or None, default=None
        How many inputs a unit reads; None is all.
    activation : {"tanh", "sigmoid", "relu", "identity"}, default="tanh"
    n_layers : int, default=1
        Layers, each of which reads the one before through connections as many as its own.
    n_feedback : int, default=0
        Columns that follow the inputs, for outputs that are fed back.
    feedback_scaling, feedback_shift : float, default=1.0 and 0.0
        A unit reads feedback_scaling * y + feedback_shift, times a random weight, of an output y that is fed back.
    dtype : dtype, default=numpy.float64
    random_state : int, RandomState, Generator or None, default=None

    Returns
    -------
    Reservoir

    Raises
    ------
    ValueError
        If an option is out of its range; the message names it.

    Examples
    --------
    >>> from neurojit.reservoirs import make_reservoir, spectral_radius
    >>> reservoir = make_reservoir(2, n_units=50, topology="shifts", spectral_radius=1.25, random_state=0)
    >>> round(spectral_radius(reservoir.recurrent[0]), 6)
    1.25
    """
    check_radius(spectral_radius)
    key = Key.from_random_state(random_state)
    recurrent = []
    for layer in range(n_layers):
        W = reservoir_matrix(
            n_units,
            topology=topology,
            fan_in=fan_in,
            density=density,
            distribution=distribution,
            random_state=key.child(_RECURRENT).child(layer),
        )
        recurrent.append(W * spectral_radius if topology == "delay_line" else scale_spectral_radius(W, spectral_radius))
    links = [_link(recurrent[0], fan_in, distribution, key.child(_LINK).child(layer)) for layer in range(1, n_layers)]
    w_in = input_matrix(
        n_units,
        n_inputs,
        scaling=input_scaling,
        bias_scaling=bias_scaling,
        fan_in=input_fan_in,
        distribution=distribution,
        random_state=key.child(_INPUT),
    )
    fed_back = input_matrix(n_units, n_feedback, distribution=distribution, random_state=key.child(_FEEDBACK))[:, 1:]
    w_in = np.hstack([w_in, feedback_scaling * fed_back])
    w_in[:, 0] += feedback_shift * fed_back.sum(axis=1)
    biases = key.child(_BIAS).uniform((n_layers - 1, n_units), -bias_scaling, bias_scaling, np.float64)
    return Reservoir(w_in, recurrent, links, biases, leak_rate=leak_rate, activation=activation, dtype=dtype)


def _link(W, fan_in, distribution, key):
    """Weights from a layer to the next, in the form that W has; a unit's sum is about as large as one input."""
    n_units = W.shape[0]
    if isinstance(W, ShiftMatrix):
        count, topology = len(W.shifts), "shifts"
    else:
        count, topology = min(fan_in, n_units), "random"
    link = reservoir_matrix(n_units, topology=topology, fan_in=count, distribution=distribution, random_state=key)
    return link * count**-0.5
