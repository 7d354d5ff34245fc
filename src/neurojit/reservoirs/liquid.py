"""A liquid: a column of spiking neurons, connected the more the closer they are."""

import numpy as np

from neurojit.core import workers
from neurojit.core.random import Key
from neurojit.kernels.cpu import spiking as kernels
from neurojit.reservoirs.device import DeviceLiquid

# Maass, Natschläger and Markram 2002, "Real-time computing without stable states", appendix A: by the kinds of the
# sending and the receiving neuron, E or I, how often they are connected and the mean strength.
_CHANCE = {("E", "E"): 0.3, ("E", "I"): 0.2, ("I", "E"): 0.4, ("I", "I"): 0.1}
_STRENGTH = {("E", "E"): 30.0, ("E", "I"): 60.0, ("I", "E"): -19.0, ("I", "I"): -19.0}
_REFRACTORY = {"E": 3, "I": 2}  # steps of a millisecond
_MEMBRANE, _EXCITATORY, _INHIBITORY = 30.0, 3.0, 6.0  # time constants in milliseconds
_BACKGROUND, _THRESHOLD, _RESET = 13.5, 15.0, 13.5
_KINDS, _CONNECTED, _STRENGTHS, _INPUTS, _INPUT_STRENGTHS, _START = range(6)  # sub-streams of a liquid's key


class Liquid:
    """Leaky integrate-and-fire neurons on a grid, in steps of one millisecond.

    The neurons, their connections and their numbers are those of Maass, Natschläger and Markram 2002, appendix A; their
    synapses are static here. Neurons a and b at distance D are connected with probability C exp(-(D / reach)^2), where
    C depends on their kinds; strengths are the mean of the kinds times half a sum of four uniform draws.

    Parameters
    ----------
    n_channels : int
        Input spike trains.
    shape : tuple of int, default=(3, 3, 15)
        The grid.
    reach : float, default=2.0
        lambda: how far connections go.
    inhibitory : float, default=0.2
        Share of the neurons that inhibit.
    strength : float, default=1.0
        Factor of all connections between neurons.
    input_strength : float, default=60.0
        Mean strength of a connection from an input.
    input_density : float, default=0.3
        Share of the neurons that read a channel.
    trace : float, default=30.0
        Time constant in milliseconds of the filter that spikes are read through.
    random_state : int, RandomState, Generator or None, default=None

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import Liquid
    >>> liquid = Liquid(1, random_state=0)
    >>> traces, n_spikes = liquid.run(np.ones((100, 1)), every=10)
    >>> traces.shape, n_spikes > 0
    ((10, 135), True)
    """

    def __init__(
        self,
        n_channels,
        *,
        shape=(3, 3, 15),
        reach=2.0,
        inhibitory=0.2,
        strength=1.0,
        input_strength=60.0,
        input_density=0.3,
        trace=30.0,
        random_state=None,
    ):
        self.shape = tuple(int(side) for side in shape)
        self.n_neurons = int(np.prod(self.shape))
        self.n_channels = n_channels
        key = Key.from_random_state(random_state)
        n = self.n_neurons
        inhibits = np.zeros(n, bool)
        inhibits[key.child(_KINDS).permutation(n)[: round(inhibitory * n)]] = True
        self.kinds = np.where(inhibits, "I", "E")
        self.weights = strength * self._connections(reach, key)
        reads = key.child(_INPUTS).uniform((n_channels, n), dtype=np.float64) < input_density
        self.input_weights = np.where(
            reads, input_strength * _spread(key.child(_INPUT_STRENGTHS), (n_channels, n)), 0.0
        )
        decays = [np.exp(-1.0 / tau) for tau in (_MEMBRANE, _EXCITATORY, _INHIBITORY, trace)]
        self.numbers = np.array([*decays, _BACKGROUND, _THRESHOLD, _RESET])
        self.refractory = np.array([_REFRACTORY[kind] for kind in self.kinds], np.int32)
        self.start = _RESET + (_THRESHOLD - _RESET) * key.child(_START).uniform(n, 0.0, 1.0, np.float64)
        self._lists = (*_lists(self.input_weights), *_lists(self.weights))
        self._on_device = None

    def to(self, device):
        """Compute on ``"cuda"`` or on ``"cpu"`` from now on; returns the liquid.

        Raises
        ------
        neurojit.core.cuda.CudaUnavailable
            If there is no GPU, with what is missing.
        """
        self._on_device = DeviceLiquid(self) if device == "cuda" else None
        return self

    def _connections(self, reach, key):
        """Strengths, row j those of the connections that neuron j sends."""
        n = self.n_neurons
        places = np.stack(np.unravel_index(np.arange(n), self.shape), axis=1)
        squares = ((places[:, None] - places) ** 2).sum(axis=2)
        chance, mean = np.empty((n, n)), np.empty((n, n))
        for pair, c in _CHANCE.items():
            block = np.outer(self.kinds == pair[0], self.kinds == pair[1])
            chance[block], mean[block] = c, _STRENGTH[pair]
        chance *= np.exp(-squares / reach**2)
        np.fill_diagonal(chance, 0.0)
        connected = key.child(_CONNECTED).uniform((n, n), dtype=np.float64) < chance
        return np.where(connected, mean * _spread(key.child(_STRENGTHS), (n, n)), 0.0)

    def run(self, spikes, every=1):
        """Filtered spikes of the neurons, from rest.

        Parameters
        ----------
        spikes : numpy.ndarray, shape (n_steps, n_channels)
            Spikes of each input in each step.
        every : int, default=1
            The filtered spikes are given after each `every` steps.

        Returns
        -------
        traces : numpy.ndarray, shape (n_steps // every, n_neurons)
        n_spikes : int
            Spikes in the liquid.
        """
        if self._on_device is not None:
            (traces,), (total,) = self._on_device.run([spikes], every)
            return traces, total
        n = self.n_neurons
        traces = np.empty((len(spikes) // every, n))
        excited, inhibited, trace = np.zeros(n), np.zeros(n), np.zeros(n)
        resting = np.zeros(n, np.int32)
        spikes = np.ascontiguousarray(spikes, np.float64)
        start = self.start.copy()
        currents = (excited, inhibited, start, resting, trace)
        total = kernels.liquid(spikes, *self._lists, self.numbers, self.refractory, *currents, every, traces)
        return traces, total


def run_all(liquid, trains, every):
    """`Liquid.run` for each of several spike trains, on all threads or in one launch: a list of traces."""
    if liquid._on_device is not None:
        return liquid._on_device.run(list(trains), every)[0]
    return [traces for traces, _ in workers.run_all(lambda spikes: liquid.run(spikes, every), trains)]


def _spread(key, shape):
    """Positive draws of mean 1 and standard deviation 0.29: half the sum of four between 0 and 1."""
    draws = [key.child(i).uniform(shape, 0.0, 1.0, np.float64) for i in range(4)]
    return np.sum(draws, axis=0) / 2.0


def _lists(weights):
    """The connections of each row: starts, targets, strengths."""
    rows, targets = np.nonzero(weights)
    starts = np.searchsorted(rows, np.arange(len(weights) + 1)).astype(np.int64)
    return starts, targets.astype(np.int64), weights[rows, targets]
