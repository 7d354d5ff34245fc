"""Reservoirs and liquids on a GPU: the weights as its kernels read them, and states along series."""

import threading

import numpy as np

from neurojit.core.cuda import current_target, device_empty, device_zeros, to_device
from neurojit.kernels.cuda import reservoir as kernels
from neurojit.kernels.cuda import spiking
from neurojit.reservoirs.shifts import ShiftMatrix


class DeviceReservoir:
    """The weights of a `Reservoir` on the device.

    Parameters
    ----------
    reservoir : Reservoir
    """

    def __init__(self, reservoir):
        self.dtype, self.size, self.n_layers = reservoir.dtype, reservoir.size, reservoir.n_layers
        matrices = [*reservoir.recurrent, *reservoir.links]
        self.is_shifted = isinstance(matrices[0], ShiftMatrix)
        rows = [(m.values.T, m.shifts) if self.is_shifted else _rows(m) for m in matrices]
        slots = max(values.shape[1] for values, _ in rows)
        self.numbers = reservoir.n_units, slots, int(self.is_shifted)
        weight = np.stack([_widened(values, slots) for values, _ in rows]).astype(self.dtype)
        index = np.stack([_widened(units, slots) for _, units in rows]).astype(np.int32)
        host = reservoir.w_in, reservoir.bias, weight
        self.weights = *(to_device(array.reshape(-1)) for array in host), to_device(index.reshape(-1))
        self.cell = self.n_layers, float(reservoir.leak_rate), reservoir.activation
        self._lock = threading.Lock()  # pieces of series may come from several threads

    def run(self, u, states, noise, seeds, first):
        """The states along series: of u (n, n_steps, n_inputs) from states (n, size), shape (n, n_steps, size)."""
        n, steps, _ = u.shape
        with self._lock:
            found = device_empty((steps + 1, n, self.size), self.dtype)
            arrays = np.moveaxis(u, 0, 1), states
            drive, start = (to_device(np.ascontiguousarray(a, self.dtype).reshape(-1)) for a in arrays)
            blocks = kernels.most_blocks(n, self.numbers[0])
            blocks = min(blocks, kernels.RESIDENT * current_target().processors)
            options = float(noise), to_device(seeds), first
            series = blocks, drive, start, *self.weights, n, steps, self.numbers
            kernels.harvest_series(*series, *self.cell, *options, found.reshape(-1))
            return np.moveaxis(found.numpy()[1:], 0, 1)


def _rows(matrix):
    """The numbers of each row of a sparse matrix and their columns, filled up with zeros to one length."""
    matrix = matrix.tocsr()
    counts = np.diff(matrix.indptr)
    values = np.zeros((len(counts), max(counts.max(initial=0), 1)))
    columns = np.zeros(values.shape, np.int32)
    held = np.arange(values.shape[1]) < counts[:, np.newaxis]
    values[held], columns[held] = matrix.data, matrix.indices
    return values, columns


def _widened(array, slots):
    """Zeros behind the last axis."""
    room = [(0, 0)] * (array.ndim - 1) + [(0, slots - array.shape[-1])]
    return np.pad(array, room)


class DeviceLiquid:
    """The connections of a `Liquid` on the device.

    Parameters
    ----------
    liquid : Liquid
    """

    def __init__(self, liquid):
        self.n, self.start = liquid.n_neurons, liquid.start
        self.lists = (*_received(liquid.input_weights), *_received(liquid.weights))
        self.numbers = (*liquid.numbers, 1.0 - liquid.numbers[0])
        self.refractory = to_device(liquid.refractory)

    def run(self, trains, every):
        """Traces of each spike train, and how many spikes there were."""
        n, lengths = len(trains), np.array([len(train) for train in trains])
        first_step, frames = _sums(lengths), _sums(lengths // every)
        spikes = np.concatenate([np.asarray(train, np.float64) for train in trains])
        excited, inhibited, trace = (device_zeros(n * self.n, np.float64) for _ in range(3))
        resting, fired = (to_device(np.zeros(n * self.n, np.int32)) for _ in range(2))
        traces, counts = device_empty((int(frames[-1]), self.n), np.float64), to_device(np.zeros(n, np.int32))
        voltage = to_device(np.tile(self.start, n))
        state = self.refractory, excited, inhibited, voltage, resting, fired, trace
        places = to_device(spikes.reshape(-1)), to_device(first_step)
        spiking.liquids(
            *places, *self.lists, self.numbers, *state, every, to_device(frames[:-1]), traces.reshape(-1), counts
        )
        return np.split(traces.numpy(), frames[1:-1]), counts.numpy().tolist()


def _sums(counts):
    """Where each of several parts begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def _received(weights):
    """The connections to each column: starts, rows, strengths."""
    columns, rows = np.nonzero(weights.T)
    starts = np.searchsorted(columns, np.arange(weights.shape[1] + 1)).astype(np.int32)
    return to_device(starts), to_device(rows.astype(np.int32)), to_device(weights.T[columns, rows])
