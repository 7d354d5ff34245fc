"""The convolutional LSTM on the device: the convolutions of the engine, and the LSTM's step with positions as rows."""

import numpy as np

from neurojit.core.cuda import device_empty, device_empty_like, to_device
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.device_correlation import data_gradient, forward, weight_gradient
from neurojit.functional.device_lstm import peephole_gradient
from neurojit.functional.device_rows import taken_rows
from neurojit.kernels.cuda import lstm as kernels


class DeviceConvLstm:
    """A checked call: `run` gives the results, `backward` the gradients.

    Parameters
    ----------
    x : DeviceArray, shape (n, t, height, width, c)
    h0, c0 : DeviceArray, shape (n, height, width, h), or None
    weight_ih, weight_hh, bias : DeviceArray
    peephole : DeviceArray, shape (3, positions, h), or None
    inputs, states : Geometry
        Of the convolutions.
    """

    def __init__(self, x, h0, c0, weight_ih, weight_hh, bias, peephole, inputs, states):
        n, self.steps, height, width, _ = x.shape
        self.h, self.maps = weight_hh.shape[2], (n, height, width, weight_hh.shape[2])
        self.weight_ih, self.weight_hh, self.bias = weight_ih, weight_hh, bias
        self.inputs, self.state_maps, self.none = inputs, states, device_empty(0, x.dtype)
        self.positions = 1 if peephole is None else peephole.shape[1]
        self.peephole = self.none if peephole is None else peephole.reshape(-1)
        self.all = device_empty(0, np.int32)  # no sequence ends before the others
        zeros = to_device(np.zeros(self.maps, x.dtype)) if h0 is None or c0 is None else None
        self.h0, self.c0 = zeros if h0 is None else h0, zeros if c0 is None else c0
        self.x = self._as_images(self._by_step(x))

    def run(self, keeps):
        """y and the last states and cells; `keeps` says whether a way back is to follow."""
        self.gates = forward(self.x, self.weight_ih, self.bias, self.inputs)
        state = self.h0.copy()
        self.states = device_empty((self.steps + 1, *self.maps), state.dtype)
        self.c = device_empty((self.steps + 1 if keeps else 1, *self.maps), state.dtype)
        for array, first in ((self.states, self.h0), (self.c, self.c0)):
            array.head(1)[...] = first.reshape(1, *self.maps)
        for s in range(self.steps):
            found = forward(self._as_images(state), self.weight_hh, None, self.state_maps).reshape(-1)
            known = self.peephole, self.positions, 0, self.none, self.all, s, self.h
            into = self.c.reshape(-1), self.states.reshape(-1), state.reshape(-1)
            kernels.step(self.gates.reshape(-1), found, *known, *into)
        return self._by_time(self.states, 1), (state, self._last(self.c))

    def backward(self, dys, wrt):
        """dx, dh0, dc0, dweight_ih, dweight_hh, dbias and dpeephole (3, positions, h)."""
        dy, (dlast, dc) = dys
        dy, dlast, dc = self._by_step(dy).reshape(-1), dlast.reshape(-1), dc.copy()
        dgates, dgate = device_empty_like(self.gates), device_empty((*self.maps[:3], 4 * self.h), dy.dtype)
        found, cells = dlast, self.c.reshape(-1)
        for s in reversed(range(self.steps)):
            known = self.peephole, self.positions, 0, self.none, found.reshape(-1), dlast, self.all, s, self.h
            into = dc.reshape(-1), dgates.reshape(-1), dgate.reshape(-1)
            kernels.step_backward(dy, self.gates.reshape(-1), cells, *known, *into)
            if s > 0 or wrt[1]:
                found = data_gradient(self._as_images(dgate), self.weight_hh, self.state_maps)
        seen = self._as_images(self.states.head(self.steps))
        return (
            self._by_time(data_gradient(dgates, self.weight_ih, self.inputs)) if wrt[0] else None,
            found.reshape(self.maps) if wrt[1] else None,
            dc if wrt[2] else None,
            weight_gradient(self.x, dgates, self.weight_ih.shape, self.inputs) if wrt[3] else None,
            weight_gradient(seen, dgates, self.weight_hh.shape, self.state_maps) if wrt[4] else None,
            sum_over_rows(dgates) if wrt[5] else None,
            peephole_gradient(dgates, self.c, self.positions, self.h, 0) if wrt[6] else None,
        )

    def _as_images(self, array):
        """Maps of some channels as the convolution engine takes them, (maps, 1, height, width, channels)."""
        _, height, width, _ = self.maps
        channels = array.shape[-1]
        return array.reshape(array.size // (height * width * channels), 1, height, width, channels)

    def _by_step(self, array):
        """(n, t, height, width, channels) as (t, n, ...)."""
        n, t = array.shape[:2]
        numbers = np.arange(n * t).reshape(n, t).T
        return taken_rows(array.reshape(n * t, array.size // (n * t)), numbers).reshape(t, n, *array.shape[2:])

    def _by_time(self, array, first=0):
        """Images by step, from this step on, as (n, t, height, width, channels)."""
        n, height, width, _ = self.maps
        channels, t = array.shape[-1], self.steps
        numbers = (np.arange(t * n).reshape(t, n) + first * n).T
        images = array.reshape(-1, height * width * channels)
        return taken_rows(images, numbers).reshape(n, t, height, width, channels)

    def _last(self, array):
        """The last of the maps that are kept by step."""
        n = self.maps[0]
        numbers = np.arange(n) + (len(array) - 1) * n
        return taken_rows(array.reshape(len(array) * n, -1), numbers).reshape(self.maps)
