"""The LSTM on the device."""

import numpy as np

from neurojit.core.cuda import device_empty, device_empty_like
from neurojit.functional.columns import over_parts
from neurojit.functional.device_products import outer_product, product, transposed
from neurojit.functional.device_recurrence import DeviceSequences
from neurojit.functional.device_rows import scaled_steps, taken_rows
from neurojit.kernels.cuda import lstm as kernels

_LEAST_TURNS = 64  # steps and images that a block of the peepholes' sums takes
_MOST_BLOCKS = 64


class DeviceLstm:
    """A checked call: `run` gives the results, `backward` the gradients."""

    def __init__(self, x, tokens, h0, c0, ends, reverse, mask, weight_ih, weight_hh, bias, peephole, coupled):
        self.weight_ih, self.weight_hh, self.bias = weight_ih, weight_hh, bias
        self.coupled = int(coupled)
        self.peephole = device_empty((0, len(weight_hh)), x.dtype) if peephole is None else peephole
        batch = self.batch = DeviceSequences(x, tokens, h0, ends, reverse, len(weight_hh), mask)
        self.c0 = batch.zeros() if c0 is None else c0

    def run(self, keeps):
        """y and the last states and cells; `keeps` says whether a way back is to follow."""
        batch = self.batch
        self.gates = batch.input_products(self.weight_ih, self.bias)
        self.c = batch.room(batch.steps + 1 if keeps else 1, batch.units)
        first, states = self.c.head(1), batch.start()
        first[...] = self.c0.reshape(first.shape)
        for s in range(batch.steps):
            found = product(batch.state, self.weight_hh).reshape(-1)
            known = self.peephole.reshape(-1), 1, self.coupled, batch.mask.reshape(-1), batch.lengths, s, batch.units
            into = self.c.reshape(-1), states.reshape(-1), batch.state.reshape(-1)
            kernels.step(self.gates.reshape(-1), found, *known, *into)
        y, h_n = batch.outputs()
        last = np.arange(batch.n) + (len(self.c) - 1) * batch.n
        return y, (h_n, taken_rows(self.c.reshape(-1, batch.units), last))

    def backward(self, dys, wrt):
        """dx, dh0, dc0, dweight_ih, dweight_hh, dbias and dpeephole."""
        batch, (dy, (dlast, dc)) = self.batch, dys
        dy, dlast, dc = batch.by_step(dy).reshape(-1), dlast.reshape(-1), dc.copy()
        weight, dgates = transposed(self.weight_hh), device_empty_like(self.gates)
        found, dgate = dlast, device_empty(self.gates.shape[1:], dy.dtype)
        for s in reversed(range(batch.steps)):
            gates = self.peephole.reshape(-1), 1, self.coupled
            known = batch.mask.reshape(-1), found.reshape(-1), dlast, batch.lengths, s, batch.units
            into = dc.reshape(-1), dgates.reshape(-1), dgate.reshape(-1)
            kernels.step_backward(dy, self.gates.reshape(-1), self.c.reshape(-1), *gates, *known, *into)
            found = product(dgate, weight) if s > 0 or wrt[1] else None
        dx, dweight_ih, dbias = batch.gradients(dgates, self.weight_ih, (wrt[0], wrt[3], wrt[5]))
        return (
            dx,
            scaled_steps(found, batch.mask) if wrt[1] else None,
            dc if wrt[2] else None,
            dweight_ih,
            outer_product(batch.seen_states(), dgates) if wrt[4] else None,
            dbias,
            peephole_gradient(dgates, self.c, 1, batch.units, self.coupled) if wrt[6] else None,
        )


def peephole_gradient(dgates, c, positions, units, coupled):
    """Sums over steps and images of what the gates pass on to the cells they saw, (3, positions * h)."""
    turns = dgates.size // (dgates.shape[-1] * positions)
    blocks = max(1, min(_MOST_BLOCKS, turns // _LEAST_TURNS))
    partial = device_empty((blocks, 3 * positions * units), dgates.dtype)
    kernels.peephole_gradient(dgates.reshape(-1), c.reshape(-1), coupled, units, partial)
    return over_parts(partial).reshape(3, positions * units)
