"""Gated recurrent units."""

import numpy as np

from neurojit.core.cuda import on_device
from neurojit.functional.device_gru import DeviceGru
from neurojit.functional.device_recurrence import check_no_checkpoints
from neurojit.functional.op import op
from neurojit.functional.recurrence import (
    Sequences,
    WeightGradients,
    check_checkpoint,
    check_given,
    check_lengths,
    check_mask,
    check_sequence,
    longest,
)
from neurojit.functional.recurrent_stream import RecurrentStream, check_start
from neurojit.kernels.cpu import gru as kernels


def _checked(x, h0, weight_ih, weight_hh, bias, bias_hh, lengths, mask):
    """Canonical arrays, and lengths where they differ."""
    x, tokens, weight_ih, weight_hh = check_sequence(x, weight_ih, weight_hh, 3)
    h = len(weight_hh)
    h0 = check_given(h0, "h0", x, (len(x), h))
    bias, bias_hh = (check_given(v, name, x, (3 * h,)) for v, name in ((bias, "bias"), (bias_hh, "bias_hh")))
    return (x, tokens, h0, check_lengths(lengths, x), check_mask(mask, x, h)), (weight_ih, weight_hh, bias, bias_hh)


class _Gru:
    """A checked call."""

    def __init__(self, x, h0, weight_ih, weight_hh, bias, bias_hh, reset_after, lengths, reverse, mask):
        self.after = bool(reset_after)
        sequences, weights = _checked(x, h0, weight_ih, weight_hh, bias, bias_hh, lengths, mask)
        x, tokens, h0, ends, mask = sequences
        self.weight_ih, self.weight_hh, bias, bias_hh = weights
        h = self.h = len(self.weight_hh)
        h0 = np.zeros((len(x), h), x.dtype) if h0 is None else h0
        batch = self.batch = Sequences(x, tokens, h0, ends, bool(reverse), 3 * h, mask)
        # Only the last third of bias_hh is under the reset gate, and that only where the reset comes after the product.
        outside = np.zeros(3 * h, x.dtype) if bias is None else bias.copy()
        inside = np.zeros(h, x.dtype)
        if bias_hh is not None:
            outside[: 2 * h] += bias_hh[: 2 * h]
            (inside if self.after else outside[2 * h :])[...] += bias_hh[2 * h :]
        u_rz, u_n = batch.weights(self.weight_hh[:, : 2 * h]), batch.weights(self.weight_hh[:, 2 * h :])
        w_ih, start = batch.input_weights(self.weight_ih, outside), batch.start(outside, 3 * h)
        self.weights = w_ih, start, u_rz, u_n, batch.start(inside, h)

    def arguments(self, begin, end, gates, inner, y):
        """Of the kernels, for steps begin .. end."""
        b = self.batch
        inputs = b.x, b.tokens, *self.weights, self.after, b.h0, *b.masking
        return *inputs, *b.sharing, b.span(begin, end), gates, inner, y

    def forward(self, begin, end, gates, inner, y):
        """Steps begin .. end; what is kept of them, and the states, in gates, inner and y."""
        self.batch.walk(kernels.forward, kernels.forward_rows, *self.arguments(begin, end, gates, inner, y))

    def run(self):
        """y alone."""
        y = self.batch.by_time(self.h)
        room = (self.batch.kept(self.batch.chunk, columns) for columns in (3 * self.h, self.h))
        self.forward(0, self.batch.steps, *room, y)
        return y

    def recall(self, begin, end, y):
        """Gates and inner products of steps begin .. end, from the states before them."""
        gates, inner = (self.batch.kept(end - begin, columns) for columns in (3 * self.h, self.h))
        self.forward(begin, end, gates, inner, y)
        return gates, inner


def _on_device(x, h0, weight_ih, weight_hh, bias, bias_hh, reset_after, lengths, reverse, mask, checkpoint_every):
    """A checked call on the device."""
    check_no_checkpoints(checkpoint_every)
    sequences, weights = _checked(x, h0, weight_ih, weight_hh, bias, bias_hh, lengths, mask)
    *inputs, mask = sequences
    return DeviceGru(*inputs, bool(reverse), mask, *weights, bool(reset_after))


@op("x", "h0", "weight_ih", "weight_hh", "bias", "bias_hh", tokens="x")
def gru(
    x,
    h0,
    weight_ih,
    weight_hh,
    bias=None,
    *,
    bias_hh=None,
    reset_after=False,
    lengths=None,
    reverse=False,
    recurrent_mask=None,
    checkpoint_every=None,
):
    r"""Run a network of gated recurrent units over sequences.

    .. math::

        r_t &= \sigma(x_t W_r + h_{t-1} U_r + b_r) \\
        z_t &= \sigma(x_t W_z + h_{t-1} U_z + b_z) \\
        n_t &= \tanh(x_t W_n + (r_t h_{t-1}) U_n + b_n) \\
        h_t &= (1 - z_t) n_t + z_t h_{t-1}

    Parameters
    ----------
    x : array, shape (n, t, f), or integers, shape (n, t)
        Sequences; float32 or float64. Integers are tokens, numbers of rows of `weight_ih`, as if they were one-hot
        vectors; no product is made then.
    h0 : array, shape (n, h), or None
        States before the first step; None is zeros.
    weight_ih : array, shape (f, 3 h)
        Weights of the inputs, W: for r, z and n side by side.
    weight_hh : array, shape (h, 3 h)
        Weights of the state, U.
    bias : array, shape (3 h,), optional
        None is zeros.
    bias_hh : array, shape (3 h,), optional
        A second bias, that of the state's product; it matters for n with `reset_after` alone, else the biases add up.
        None is zeros.
    reset_after : bool, default=False
        Reset after the product, as cuDNN, PyTorch and Keras do: :math:`n_t = \tanh(x_t W_n + b_n + r_t (h_{t-1} U_n +
        b_{hh,n}))`. By default before it, as in the paper.
    lengths : integers, shape (n,), optional
        Valid steps of each sequence, 1 to t; None where all are.
    reverse : bool, default=False
        Run over the valid steps from the last to the first.
    recurrent_mask : array, shape (n, h), optional
        What the products with `weight_hh` see of each sequence's states: all of them are multiplied by it, element by
        element. For dropout that is the same at all steps; it has no gradient. None is all of them.
    checkpoint_every : int, optional
        Keep nothing but `y` for the way back, and compute the gates of so many steps again at a time: for long
        sequences, about the square root of t makes the memory least. Outputs keep their
        bits; gradients to weights may round otherwise.

    Returns
    -------
    y : array, shape (n, t, h)
        The state after each step, in the order of the inputs; zero past a sequence's length.
    h_n : array, shape (n, h)
        The state after each sequence's last step (its first one in `reverse`).

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or `lengths` is not of integers.
    ValueError
        If shapes do not fit, there is no step or no feature, a token has no row, or a length is not between 1 and t.

    Notes
    -----
    Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation" (EMNLP
    2014), equations 5 to 8. As there, z = 1 keeps the old state and z = 0 takes the new one; so it is in PyTorch
    and Keras. Chung et al., "Empirical evaluation of gated recurrent neural networks on sequence modeling" (2014),
    equation 5, and many lectures point z the other way, :math:`h_t = (1 - z_t) h_{t-1} + z_t n_t`: negate W_z, U_z
    and b_z to go from one to the other. Their :math:`\tilde h` is n here.

    The pullback takes the gradients ``(dy, dh_n)`` and returns dx, dh0, dweight_ih, dweight_hh, dbias and dbias_hh.
    PyTorch's weights are transposed; its gates have this order.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> x = np.ones((1, 3, 1), np.float32)
    >>> w = np.ones((1, 3), np.float32)
    >>> y, h_n = F.gru(x, None, w, w)
    >>> y.ravel().round(2), h_n.round(2)
    (array([0.2 , 0.35, 0.45], dtype=float32), array([[0.45]], dtype=float32))
    """
    check_checkpoint(checkpoint_every)
    given = x, h0, weight_ih, weight_hh, bias, bias_hh, reset_after, lengths, reverse, recurrent_mask
    if on_device(weight_hh):
        return _on_device(*given, checkpoint_every).run()
    call = _Gru(*given)
    y = call.run()
    return y, call.batch.last(y)


@gru.define_vjp
def _gru_vjp(
    x,
    h0,
    weight_ih,
    weight_hh,
    bias=None,
    *,
    bias_hh=None,
    reset_after=False,
    lengths=None,
    reverse=False,
    recurrent_mask=None,
    checkpoint_every=None,
):
    check_checkpoint(checkpoint_every)
    given = x, h0, weight_ih, weight_hh, bias, bias_hh, reset_after, lengths, reverse, recurrent_mask
    if on_device(weight_hh):
        call = _on_device(*given, checkpoint_every)
        return call.run(), call.backward
    call = _Gru(*given)
    batch, h, segments = call.batch, call.h, call.batch.segments(checkpoint_every)
    if checkpoint_every is None:
        y = batch.by_time(h)
        kept = call.recall(0, batch.steps, y)
    else:
        y, kept = call.run(), None

    def recall(begin, end):
        return call.recall(begin, end, y) if kept is None else tuple(part[begin:end] for part in kept)

    def pullback(dys, wrt):
        dy, dh_n = dys
        dh, dx = dh_n.copy(), batch.input_gradient(wrt[0])
        weights = batch.input_transposed(call.weight_ih, wrt[0]), batch.transposed(call.weight_hh), call.after
        sums = WeightGradients(batch, y, len(call.weight_ih))
        room, zeros = [batch.kept(longest(segments), columns) for columns in (h, 3 * h)], batch.zeros()
        for begin, end in reversed(segments):
            gates, inner = recall(begin, end)
            dinner, dgates = (part[: end - begin] for part in room)
            numbers = *weights, *batch.masking, *batch.sharing, batch.span(begin, end), gates, inner, zeros
            batch.walk(kernels.backward, kernels.backward_rows, dy, batch.h0, y, *numbers, dh, dinner, dgates, dx)
            sums.add_segment(dgates, begin, end, (wrt[2], False, wrt[4] or wrt[5]))
            if wrt[3] or wrt[5]:
                _add_recurrent(sums, dgates, None if call.after else batch.masked(inner), dinner, begin, end)
        wants_dx = wrt[0] and not batch.reads_tokens
        return dx if wants_dx else None, dh if wrt[1] else None, *_weight_gradients(sums, call.after, wrt)

    return (y, batch.last(y)), pullback


@gru.define_stream
def _gru_stream(h0, weight_ih, weight_hh, bias=None, *, bias_hh=None, reset_after=False):
    x = check_start(h0, weight_ih)
    call = _Gru(x, h0, weight_ih, weight_hh, bias, bias_hh, reset_after, None, False, None)
    batch = call.batch
    gates, inner = batch.kept(1, batch.columns), batch.kept(1, call.h)

    def prepare(x, before, after):
        batch.x, batch.h0 = x, before
        return batch.launch(kernels.forward, kernels.forward_rows, *call.arguments(0, 1, gates, inner, after))

    return RecurrentStream(prepare, x.shape[2], batch.h0)


def _add_recurrent(sums, dgates, reset, dinner, begin, end):
    """Add to dU: r and z saw the states before; n saw them reset, or what came of them was reset."""
    h = dinner.shape[2]
    _, states, rows = sums.addresses(dgates, begin, end)
    sums.add_products({"u_rz": (states, h)}, rows, 2 * h)
    if reset is None:
        _, states, rows = sums.addresses(dinner, begin, end)
        sums.add_products({"u_n": (states, h), "inside": None}, rows, h)
    else:
        _, _, states = sums.addresses(reset, begin, end)
        sums.add_products({"u_n": (states, h)}, rows + 2 * h * dgates.itemsize, h)


def _weight_gradients(sums, after, wrt):
    """dweight_ih, dweight_hh, dbias and dbias_hh of the sums over all segments."""
    dweight_hh = np.concatenate([sums.get("u_rz"), sums.get("u_n")], axis=1) if wrt[3] else None
    dbias, dbias_hh = sums.get("bias") if wrt[4] else None, sums.get("bias") if wrt[5] else None
    if dbias_hh is not None:
        dbias_hh = dbias_hh.copy()
        if after:
            dbias_hh[-len(sums.get("inside")) :] = sums.get("inside")
    return sums.get("weight_ih"), dweight_hh, dbias, dbias_hh
