"""The LSTM on the device."""

import numpy as np

from neurojit.core.cuda import device_empty, device_empty_like
from neurojit.functional.columns import over_parts
from neurojit.functional.device_products import outer_product, product, transposed
from neurojit.functional.device_recurrence import DeviceSequences
from neurojit.functional.device_rows import scaled_steps, taken_rows
from neurojit.kernels.cuda import lstm as kernels
from neurojit.kernels.cuda import walks

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
        gates, into = self.gates.reshape(-1), (self.c.reshape(-1), states.reshape(-1))
        peephole, known = self.peephole.reshape(-1), (self.coupled, batch.mask.reshape(-1), batch.lengths)
        if own := batch.own_units(walks.lstm_forward):
            walks.lstm_forward(gates, self.weight_hh.reshape(-1), peephole, *known, *into, *batch.exchange(own, 1))
        else:
            for s in range(batch.steps):
                found = product(batch.state, self.weight_hh).reshape(-1)
                kernels.step(gates, found, peephole, 1, *known, s, batch.units, *into, batch.state.reshape(-1))
        y, h_n = batch.outputs()
        last = np.arange(batch.n) + (len(self.c) - 1) * batch.n
        return y, (h_n, taken_rows(self.c.reshape(-1, batch.units), last))

    def backward(self, dys, wrt):
        """dx, dh0, dc0, dweight_ih, dweight_hh, dbias and dpeephole."""
        batch, (dy, (dlast, dc)) = self.batch, dys
        dc = dc.copy()
        dgates, found = self._walk_back(batch.by_step(dy).reshape(-1), dlast.reshape(-1), dc, wrt[1])
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

    def _walk_back(self, dy, dlast, dc, wants_dh0):
        """Gradients to the gates of all steps, and by the product to the first states; dc becomes that to the cells."""
        batch, dgates = self.batch, device_empty_like(self.gates)
        dc, into, mask = dc.reshape(-1), dgates.reshape(-1), batch.mask.reshape(-1)
        given, peephole = (dy, self.gates.reshape(-1), self.c.reshape(-1)), self.peephole.reshape(-1)
        if own := batch.own_units(walks.lstm_backward):
            found, known = device_empty_like(batch.state), (peephole, self.coupled, mask, dlast, batch.lengths)
            room = found.reshape(-1), dc, into, *batch.exchange(own, 4)
            walks.lstm_backward(*given, self.weight_hh.reshape(-1), *known, *room)
            return dgates, found
        weight, dgate, found = transposed(self.weight_hh), device_empty(self.gates.shape[1:], dy.dtype), dlast
        for s in reversed(range(batch.steps)):
            known = mask, found.reshape(-1), dlast, batch.lengths, s, batch.units
            kernels.step_backward(*given, peephole, 1, self.coupled, *known, dc, into, dgate.reshape(-1))
            found = product(dgate, weight) if s > 0 or wants_dh0 else None
        return dgates, found


def peephole_gradient(dgates, c, positions, units, coupled):
    """Sums over steps and images of what the gates pass on to the cells they saw, (3, positions * h)."""
    turns = dgates.size // (dgates.shape[-1] * positions)
    blocks = max(1, min(_MOST_BLOCKS, turns // _LEAST_TURNS))
    partial = device_empty((blocks, 3 * positions * units), dgates.dtype)
    kernels.peephole_gradient(dgates.reshape(-1), c.reshape(-1), coupled, units, partial)
    return over_parts(partial).reshape(3, positions * units)
