"""Gated recurrent units on the device."""

import numpy as np

from neurojit.core.cuda import device_empty, device_empty_like, to_device
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.device_products import outer_product, product, transposed
from neurojit.functional.device_recurrence import DeviceSequences
from neurojit.functional.device_rows import cut_columns, joined_columns, scaled_steps
from neurojit.kernels.cuda import gru as kernels
from neurojit.kernels.cuda import walks


class DeviceGru:
    """A checked call: `run` gives the results, `backward` the gradients."""

    def __init__(self, x, tokens, h0, ends, reverse, mask, weight_ih, weight_hh, bias, bias_hh, after):
        self.weight_ih, self.weight_hh, self.after = weight_ih, weight_hh, int(after)
        h = len(weight_hh)
        self.batch = DeviceSequences(x, tokens, h0, ends, reverse, h, mask)
        self.outside, self.inside = _biases(bias, bias_hh, h, after)
        if not after:
            self.u_rz, self.u_n = cut_columns(weight_hh, 0, 2 * h), cut_columns(weight_hh, 2 * h, h)
        if self.inside is None:
            self.inside = to_device(np.zeros(h, x.dtype))

    def run(self):
        batch = self.batch
        self.gates = batch.input_products(self.weight_ih, self.outside)
        self.inner, states = batch.room(batch.steps, batch.units), batch.start().reshape(-1)
        gates, inner, state = self.gates.reshape(-1), self.inner.reshape(-1), batch.state.reshape(-1)
        own = batch.own_units(walks.gru_forward) if self.after else 0  # each step has two products else
        if own:
            known = self.inside, batch.mask.reshape(-1), batch.lengths, inner, states
            walks.gru_forward(gates, self.weight_hh.reshape(-1), *known, *batch.exchange(own, 1))
            return batch.outputs()
        for s in range(batch.steps):
            known = batch.mask.reshape(-1), batch.lengths, s, batch.units
            if self.after:
                found = found_n = product(batch.state, self.weight_hh).reshape(-1)
            else:
                found, reset_state = product(batch.state, self.u_rz).reshape(-1), device_empty_like(batch.state)
                kernels.reset(gates, found, *known, states, inner, reset_state.reshape(-1))
                found_n = product(reset_state, self.u_n).reshape(-1)
            kernels.mix(gates, found, found_n, self.inside, self.after, *known, inner, states, state)
        return batch.outputs()

    def backward(self, dys, wrt):
        """dx, dh0, dweight_ih, dweight_hh, dbias and dbias_hh."""
        batch, dh0 = self.batch, None
        dgates, dproducts, direct, found = self._walk_back(*dys, wrt[1])
        if wrt[1]:
            dh0 = direct + scaled_steps(found, batch.mask)
        dx, dweight_ih, dbias = batch.gradients(dgates, self.weight_ih, (wrt[0], wrt[2], wrt[4] or wrt[5]))
        dweight_hh = self._state_weight_gradient(dgates, dproducts) if wrt[3] else None
        dbias_hh = sum_over_rows(dproducts) if wrt[5] and self.after else dbias
        return dx, dh0, dweight_ih, dweight_hh, dbias if wrt[4] else None, dbias_hh if wrt[5] else None

    def _walk_back(self, dy, dlast, wants_dh0):
        """Gradients to gates and to products of all steps, and to the first states: direct, and by the product."""
        batch = self.batch
        dy, dlast, states = batch.by_step(dy).reshape(-1), dlast.reshape(-1), batch.states.reshape(-1)
        mask, gates, inner = batch.mask.reshape(-1), self.gates.reshape(-1), self.inner.reshape(-1)
        columns = (3 if self.after else 2) * batch.units
        dgates, dproducts = device_empty_like(self.gates), batch.room(batch.steps, columns)
        flat, none = (dgates.reshape(-1), dproducts.reshape(-1)), device_empty(0, dy.dtype)
        found, direct = dlast, device_empty_like(batch.state)
        weight = transposed(self.weight_hh if self.after else self.u_rz)
        weight_n = None if self.after else transposed(self.u_n)
        for s in reversed(range(batch.steps)):
            dgate = device_empty((batch.n, columns), dy.dtype)
            dmix = dgate if self.after else device_empty_like(batch.state)
            known = batch.lengths, s, batch.units, direct.reshape(-1)
            into = flat[0], flat[1] if self.after else none, dmix.reshape(-1)
            kernels.mix_backward(dy, gates, inner, states, self.after, mask, found.reshape(-1), dlast, *known, *into)
            if not self.after:
                found_n = product(dmix, weight_n).reshape(-1)
                kernels.reset_backward(gates, states, mask, found_n, *known, *flat, dgate.reshape(-1))
            found = product(dgate, weight) if s > 0 or wants_dh0 else None
        return dgates, dproducts, direct, found

    def _state_weight_gradient(self, dgates, dproducts):
        """dweight_hh: r and z saw the states before; n saw them reset, or what came of them was reset."""
        batch = self.batch
        dweight = outer_product(batch.seen_states(), dproducts)
        if self.after:
            return dweight
        dn = cut_columns(dgates, 2 * batch.units, batch.units)
        return joined_columns(dweight, outer_product(scaled_steps(self.inner, batch.mask), dn))


def _biases(bias, bias_hh, h, after):
    """What is added to the inputs' products, and inside the reset gate to the states'; None for zeros."""
    if bias_hh is None or not after:
        both = [b for b in (bias, bias_hh) if b is not None]
        return (both[0] + both[1] if len(both) == 2 else both[0] if both else None), None
    given, inside = bias_hh.reshape(1, -1), cut_columns(bias_hh.reshape(1, -1), 2 * h, h).reshape(-1)
    first = cut_columns(given, 0, 2 * h)
    zeros = to_device(np.zeros((1, 3 * h), bias_hh.dtype))
    bias = zeros if bias is None else bias.reshape(1, -1)
    outside = joined_columns(cut_columns(bias, 0, 2 * h) + first, cut_columns(bias, 2 * h, h))
    return outside.reshape(-1), inside
