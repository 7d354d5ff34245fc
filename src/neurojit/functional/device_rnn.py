"""The vanilla recurrent network on the device."""

from neurojit.core.cuda import device_empty_like
from neurojit.functional.device_products import outer_product, product, transposed
from neurojit.functional.device_recurrence import DeviceSequences
from neurojit.functional.device_rows import scaled_steps
from neurojit.kernels.cuda import rnn as kernels
from neurojit.kernels.cuda import walks


class DeviceRnn:
    """A checked call: `run` gives the results, `backward` the gradients."""

    def __init__(self, x, tokens, h0, ends, reverse, mask, weight_ih, weight_hh, bias, relu):
        self.weight_ih, self.weight_hh, self.bias, self.relu = weight_ih, weight_hh, bias, int(relu)
        self.batch = DeviceSequences(x, tokens, h0, ends, reverse, len(weight_hh), mask)

    def run(self):
        batch = self.batch
        sums, states = batch.input_products(self.weight_ih, self.bias).reshape(-1), batch.start().reshape(-1)
        known = self.relu, batch.mask.reshape(-1), batch.lengths
        if own := batch.own_units(walks.rnn_forward):
            walks.rnn_forward(sums, self.weight_hh.reshape(-1), *known, states, *batch.exchange(own, 1))
        else:
            for s in range(batch.steps):
                found = product(batch.state, self.weight_hh).reshape(-1)
                kernels.step(sums, found, *known, s, batch.units, states, batch.state.reshape(-1))
        return batch.outputs()

    def backward(self, dys, wrt):
        """dx, dh0, dweight_ih, dweight_hh and dbias."""
        batch, (dy, dlast) = self.batch, dys
        dsums, found = self._walk_back(batch.by_step(dy).reshape(-1), dlast.reshape(-1), wrt[1])
        dx, dweight_ih, dbias = batch.gradients(dsums, self.weight_ih, (wrt[0], wrt[2], wrt[4]))
        dweight_hh = outer_product(batch.seen_states(), dsums) if wrt[3] else None
        return dx, scaled_steps(found, batch.mask) if wrt[1] else None, dweight_ih, dweight_hh, dbias

    def _walk_back(self, dy, dlast, wants_dh0):
        """Gradients to the sums of all steps, and by the product to the first states."""
        batch = self.batch
        dsums, states, mask = batch.room(batch.steps, batch.units), batch.states.reshape(-1), batch.mask.reshape(-1)
        found, dsum = dlast, device_empty_like(batch.state)
        if own := batch.own_units(walks.rnn_backward):
            known = self.weight_hh.reshape(-1), self.relu, mask, dlast, batch.lengths
            room = dsum.reshape(-1), dsums.reshape(-1), *batch.exchange(own, 4)
            walks.rnn_backward(dy, states, *known, *room)
            return dsums, dsum
        weight = transposed(self.weight_hh)
        for s in reversed(range(batch.steps)):
            known = self.relu, mask, found.reshape(-1), dlast, batch.lengths, s, batch.units
            kernels.step_backward(dy, states, *known, dsums.reshape(-1), dsum.reshape(-1))
            found = product(dsum, weight) if s > 0 or wants_dh0 else None
        return dsums, found
