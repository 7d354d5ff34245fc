"""The vanilla recurrent network on the device."""

from neurojit.core.cuda import device_empty_like
from neurojit.functional.device_products import outer_product, product, transposed
from neurojit.functional.device_recurrence import DeviceSequences
from neurojit.functional.device_rows import scaled_steps
from neurojit.kernels.cuda import rnn as kernels


class DeviceRnn:
    """A checked call: `run` gives the results, `backward` the gradients."""

    def __init__(self, x, tokens, h0, ends, reverse, mask, weight_ih, weight_hh, bias, relu):
        self.weight_ih, self.weight_hh, self.bias, self.relu = weight_ih, weight_hh, bias, int(relu)
        self.batch = DeviceSequences(x, tokens, h0, ends, reverse, len(weight_hh), mask)

    def run(self):
        batch = self.batch
        sums, states = batch.input_products(self.weight_ih, self.bias).reshape(-1), batch.start().reshape(-1)
        for s in range(batch.steps):
            found = product(batch.state, self.weight_hh).reshape(-1)
            known = self.relu, batch.mask.reshape(-1), batch.lengths, s, batch.units
            kernels.step(sums, found, *known, states, batch.state.reshape(-1))
        return batch.outputs()

    def backward(self, dys, wrt):
        """dx, dh0, dweight_ih, dweight_hh and dbias."""
        batch, (dy, dlast) = self.batch, dys
        dy, dlast = batch.by_step(dy), dlast.reshape(-1)
        weight, states, dsums = (
            transposed(self.weight_hh),
            batch.states.reshape(-1),
            batch.room(batch.steps, batch.units),
        )
        found, dsum = dlast, device_empty_like(batch.state)
        for s in reversed(range(batch.steps)):
            known = self.relu, batch.mask.reshape(-1), found.reshape(-1), dlast, batch.lengths, s, batch.units
            kernels.step_backward(dy.reshape(-1), states, *known, dsums.reshape(-1), dsum.reshape(-1))
            found = product(dsum, weight) if s > 0 or wrt[1] else None
        dx, dweight_ih, dbias = batch.gradients(dsums, self.weight_ih, (wrt[0], wrt[2], wrt[4]))
        dweight_hh = outer_product(batch.seen_states(), dsums) if wrt[3] else None
        return dx, scaled_steps(found, batch.mask) if wrt[1] else None, dweight_ih, dweight_hh, dbias
