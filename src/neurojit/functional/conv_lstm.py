"""Convolutional long short-term memory, on the convolution engine."""

import math

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import on_device
from neurojit.core.memory import empty
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.correlation import data_gradient, forward, weight_gradient
from neurojit.functional.device_conv_lstm import DeviceConvLstm
from neurojit.functional.geometry import geometry_of
from neurojit.functional.op import op
from neurojit.functional.recurrence import check_given
from neurojit.kernels.cpu import conv_lstm as kernels


def _checked(x, h0, c0, weight_ih, weight_hh, bias, peephole):
    """Canonical arrays, the peephole as (3, positions, h)."""
    x = canonical(x, "x", ndim=5)
    if 0 in x.shape[1:]:
        raise ValueError(f"x: got shape {x.shape}, wanted (n, t, height, width, c) without an empty axis but n")
    n, _, height, width, c_in = x.shape
    weight_hh = canonical(weight_hh, "weight_hh", dtype=x.dtype, ndim=4)
    h = weight_hh.shape[2]
    if weight_hh.shape[3] != 4 * h or min(weight_hh.shape) == 0:
        raise ValueError(f"weight_hh: got shape {weight_hh.shape}, wanted (kernel height, kernel width, h, 4 h)")
    weight_ih = canonical(weight_ih, "weight_ih", dtype=x.dtype, shape=(None, None, c_in, 4 * h))
    bias = check_given(bias, "bias", x, (4 * h,))
    h0, c0 = (check_given(v, name, x, (n, height, width, h)) for v, name in ((h0, "h0"), (c0, "c0")))
    if peephole is not None:
        peephole = peephole if on_device(peephole) else np.asarray(peephole)
        wanted = (3, h) if peephole.ndim == 2 else (3, height, width, h)
        peephole = canonical(peephole, "peephole", dtype=x.dtype, shape=wanted)
        peephole = peephole.reshape(3, peephole.size // (3 * h), h)
    return x, h0, c0, weight_ih, weight_hh, bias, peephole


def _geometries(x, weight_ih, weight_hh):
    """Of the convolutions of inputs and of states."""
    n, _, height, width, c_in = x.shape
    same = (1, "same", 1, 1)
    inputs = geometry_of((n, height, width, c_in), weight_ih.shape, *same)
    return inputs, geometry_of((n, height, width, weight_hh.shape[2]), weight_hh.shape, *same)


class _ConvLstm:
    """A checked call; everything that is kept of steps is (t, n, height, width, channels)."""

    def __init__(self, x, h0, c0, weight_ih, weight_hh, bias, peephole, inputs, states):
        n, self.steps, height, width, c_in = x.shape
        h = self.h = weight_hh.shape[2]
        self.weight_ih, self.weight_hh, self.bias = weight_ih, weight_hh, bias
        self.maps, self.rows = (n, height, width, h), n * height * width
        self.h0, self.c0 = (np.zeros(self.maps, x.dtype) if v is None else v for v in (h0, c0))
        self.peephole = np.zeros((0, 1, h), x.dtype) if peephole is None else peephole
        self.x = np.ascontiguousarray(x.swapaxes(0, 1)).reshape(n * self.steps, 1, height, width, c_in)
        self.inputs, self.states = inputs, states

    def run(self, keeps):
        """h and c of all steps with those before the first, and the gates, or of c and gates the last ones alone."""
        h = self.h
        a = forward(self.x, self.weight_ih, self.bias, self.inputs).reshape(self.steps, self.rows, 4 * h)
        depth = self.steps if keeps else 1
        hs = empty((self.steps + 1, self.rows, h), a.dtype)
        cs = empty((depth + 1, self.rows, h), a.dtype)
        gates = empty((depth, *a.shape[1:]), a.dtype)
        hs[0], cs[0] = self.h0.reshape(hs[0].shape), self.c0.reshape(cs[0].shape)
        for t in range(self.steps):
            state = forward(self.as_maps(hs[t]), self.weight_hh, None, self.states).reshape(a[t].shape)
            before, after = (cs[t], cs[t + 1]) if keeps else (cs[t % 2], cs[(t + 1) % 2])
            kernels.forward(a[t], state, before, self.peephole, gates[t % depth], after, hs[t + 1])
        last = cs[self.steps] if keeps else cs[self.steps % 2]
        results = self.by_batch(hs[1:]), (hs[-1].reshape(self.maps).copy(), last.reshape(self.maps).copy())
        return results, hs, cs, gates

    def as_maps(self, rows):
        """Rows of positions as the convolution engine takes them, (maps, 1, height, width, channels)."""
        *counts, channels = rows.shape
        _, height, width, _ = self.maps
        return rows.reshape(math.prod(counts) // (height * width), 1, height, width, channels)

    def by_batch(self, kept):
        """(t, rows, channels) as (n, t, height, width, channels)."""
        return np.ascontiguousarray(kept.reshape(self.steps, *self.maps[:3], kept.shape[-1]).swapaxes(0, 1))

    def by_step(self, array):
        """(n, t, height, width, channels) as (t, rows, channels)."""
        return np.ascontiguousarray(array.swapaxes(0, 1)).reshape(self.steps, self.rows, array.shape[-1])

    def backward(self, dys, wrt, hs, cs, gates):
        """All gradients, of what `run` gave; that of the peephole is (3, positions, h)."""
        dy, (dh_n, dc_n) = dys
        dy = self.by_step(dy)
        dh, dc = dh_n.reshape(hs[0].shape), dc_n.reshape(hs[0].shape).copy()
        dgates = empty(gates.shape, gates.dtype)
        for t in reversed(range(self.steps)):
            kernels.backward(gates[t], cs[t], cs[t + 1], self.peephole, dy[t] + dh, dc, dgates[t])
            if t > 0 or wrt[1]:
                dh = data_gradient(self.as_maps(dgates[t]), self.weight_hh, self.states).reshape(hs[0].shape)
        maps = self.as_maps(dgates)
        dx = data_gradient(maps, self.weight_ih, self.inputs) if wrt[0] else None
        return (
            None if dx is None else self.by_batch(dx.reshape(self.steps, self.rows, dx.shape[-1])),
            dh.reshape(self.maps) if wrt[1] else None,
            dc.reshape(self.maps) if wrt[2] else None,
            weight_gradient(self.x, maps, self.weight_ih.shape, self.inputs) if wrt[3] else None,
            weight_gradient(self.as_maps(hs[:-1]), maps, self.weight_hh.shape, self.states) if wrt[4] else None,
            sum_over_rows(dgates) if wrt[5] else None,
            _peephole_gradient(dgates, cs, self) if wrt[6] else None,
        )


@op("x", "h0", "c0", "weight_ih", "weight_hh", "bias", "peephole")
def conv_lstm(x, h0, c0, weight_ih, weight_hh, bias=None, *, peephole=None):
    r"""Run a convolutional LSTM over sequences of images.

    .. math::

        i_t &= \sigma(x_t * W_i + h_{t-1} * U_i + p_i c_{t-1} + b_i) \\
        f_t &= \sigma(x_t * W_f + h_{t-1} * U_f + p_f c_{t-1} + b_f) \\
        c_t &= f_t c_{t-1} + i_t \tanh(x_t * W_g + h_{t-1} * U_g + b_g) \\
        o_t &= \sigma(x_t * W_o + h_{t-1} * U_o + p_o c_t + b_o) \\
        h_t &= o_t \tanh(c_t)

    Parameters
    ----------
    x : array, shape (n, t, height, width, c)
        Sequences of images; float32 or float64.
    h0, c0 : array, shape (n, height, width, h), or None
        States and cells before the first step; None is zeros.
    weight_ih : array, shape (kernel_height, kernel_width, c, 4 h)
        Filters of the inputs, W: for i, f, g and o side by side.
    weight_hh : array, shape (kernel_height, kernel_width, h, 4 h)
        Filters of the state, U.
    bias : array, shape (4 h,), optional
        None is zeros.
    peephole : array, shape (3, height, width, h) or (3, h), optional
        p of the gates i, f and o: of its own for every position, as in the paper, or the same for all. None is none.

    Returns
    -------
    y : array, shape (n, t, height, width, h)
        The state after each step.
    h_n, c_n : tuple of two arrays, shape (n, height, width, h)
        State and cell after the last step.

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision.
    ValueError
        If shapes do not fit or an axis but the first is empty.

    Notes
    -----
    Shi, Chen, Wang, Yeung, Wong and Woo, "Convolutional LSTM network: a machine learning approach for precipitation
    nowcasting" (NeurIPS 2015), equation 3. ``*`` is `conv2d` with ``padding="same"``; that of the inputs is done for
    all steps at once, and so are the gradients to all weights. The pullback takes gradients ``(dy, (dh_n, dc_n))`` and
    returns dx, dh0, dc0, dweight_ih, dweight_hh, dbias and dpeephole.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> film = np.ones((1, 2, 4, 4, 3), np.float32)
    >>> w, u = np.ones((3, 3, 3, 8), np.float32), np.ones((3, 3, 2, 8), np.float32)
    >>> y, (h_n, c_n) = F.conv_lstm(film, None, None, w, u)
    >>> y.shape, h_n.shape
    ((1, 2, 4, 4, 2), (1, 4, 4, 2))
    """
    arrays = _checked(x, h0, c0, weight_ih, weight_hh, bias, peephole)
    geometries = _geometries(arrays[0], *arrays[3:5])
    if on_device(arrays[0]):
        return DeviceConvLstm(*arrays, *geometries).run(keeps=False)
    return _ConvLstm(*arrays, *geometries).run(keeps=False)[0]


@conv_lstm.define_vjp
def _conv_lstm_vjp(x, h0, c0, weight_ih, weight_hh, bias=None, *, peephole=None):
    arrays = _checked(x, h0, c0, weight_ih, weight_hh, bias, peephole)
    geometries = _geometries(arrays[0], *arrays[3:5])
    if on_device(arrays[0]):
        device_call = DeviceConvLstm(*arrays, *geometries)
        results, backward = device_call.run(keeps=True), device_call.backward
    else:
        call = _ConvLstm(*arrays, *geometries)
        results, *kept = call.run(keeps=True)

        def backward(dys, wrt):
            return call.backward(dys, wrt, *kept)

    def pullback(dys, wrt):
        *found, dpeephole = backward(dys, wrt)
        shape = peephole.shape if on_device(peephole) else np.shape(peephole)
        return *found, dpeephole.reshape(shape) if wrt[6] else None

    return results, pullback


def _peephole_gradient(dgates, cs, call):
    """Sums over steps and images (and positions) of what the gates pass on to the cells they saw."""
    h, positions = call.h, call.peephole.shape[1]
    pairs = ((0, cs[:-1]), (1, cs[:-1]), (3, cs[1:]))
    found = [
        np.einsum(
            "mpc,mpc->pc",
            dgates[:, :, gate * h : (gate + 1) * h].reshape(-1, positions, h),
            np.ascontiguousarray(cells).reshape(-1, positions, h),
        )
        for gate, cells in pairs
    ]
    return np.stack(found)
