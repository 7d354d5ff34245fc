"""Long short-term memory."""

import numpy as np

from neurojit.core.cuda import on_device
from neurojit.functional.device_lstm import DeviceLstm
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
from neurojit.kernels.cpu import lstm as kernels


def _checked(x, h0, c0, weight_ih, weight_hh, bias, peephole, coupled, lengths, mask):
    """Canonical arrays, and lengths where they differ."""
    gates = 3 if coupled else 4
    x, tokens, weight_ih, weight_hh = check_sequence(x, weight_ih, weight_hh, gates)
    n, h = len(x), len(weight_hh)
    h0, c0 = (check_given(v, name, x, (n, h)) for v, name in ((h0, "h0"), (c0, "c0")))
    bias = check_given(bias, "bias", x, (gates * h,))
    peephole = check_given(peephole, "peephole", x, (3, h))
    return (x, tokens, h0, c0, check_lengths(lengths, x), check_mask(mask, x, h)), (
        weight_ih,
        weight_hh,
        bias,
        peephole,
    )


class _Lstm:
    """A checked call."""

    def __init__(self, x, h0, c0, weight_ih, weight_hh, bias, peephole, coupled, lengths, reverse, mask):
        self.coupled = bool(coupled)
        sequences, weights = _checked(x, h0, c0, weight_ih, weight_hh, bias, peephole, coupled, lengths, mask)
        x, tokens, h0, c0, ends, mask = sequences
        self.weight_ih, self.weight_hh, self.bias, peephole = weights
        n, self.h = len(x), len(self.weight_hh)
        self.peephole = np.zeros((0, self.h), x.dtype) if peephole is None else peephole
        h0, self.c0 = (np.zeros((n, self.h), x.dtype) if v is None else v for v in (h0, c0))
        columns = self.weight_hh.shape[1]
        batch = self.batch = Sequences(x, tokens, h0, ends, bool(reverse), columns, mask)
        start = batch.start(self.bias, batch.columns)
        self.weights = batch.input_weights(self.weight_ih, self.bias), start, batch.weights(self.weight_hh)

    def arguments(self, begin, end, gates, c, y):
        """Of the kernels, for steps begin .. end."""
        b = self.batch
        gate_options = self.peephole, self.coupled
        inputs = b.x, b.tokens, *self.weights, *gate_options, b.h0, *b.masking
        return *inputs, *b.sharing, b.span(begin, end), gates, c, y

    def forward(self, begin, end, gates, c, y):
        """Steps begin .. end, from the cells in c[0]; what is kept of them, and the states, in gates, c and y."""
        self.batch.walk(kernels.forward, kernels.forward_rows, *self.arguments(begin, end, gates, c, y))

    def run(self, segments):
        """y, the last cells, and the cells before each segment; nothing else is kept."""
        y, gates = self.batch.by_time(self.h), self.batch.kept(self.batch.chunk, self.batch.columns)
        c, starts = self.c0[None].copy(), []
        for begin, end in segments:
            starts.append(c[0].copy() if begin else self.c0)
            self.forward(begin, end, gates, c, y)
        return y, c[0], starts

    def recall(self, begin, end, c, y):
        """gates and cells of steps begin .. end, from the cells before them."""
        gates, cells = self.batch.kept(end - begin, self.batch.columns), self.batch.kept(end - begin + 1, self.h)
        cells[0] = c
        self.forward(begin, end, gates, cells, y)
        return gates, cells


def _on_device(x, h0, c0, weight_ih, weight_hh, bias, peephole, coupled, lengths, reverse, mask, checkpoint_every):
    """A checked call on the device."""
    check_no_checkpoints(checkpoint_every)
    sequences, weights = _checked(x, h0, c0, weight_ih, weight_hh, bias, peephole, coupled, lengths, mask)
    *inputs, mask = sequences
    return DeviceLstm(*inputs, bool(reverse), mask, *weights, bool(coupled))


@op("x", "h0", "c0", "weight_ih", "weight_hh", "bias", "peephole", tokens="x")
def lstm(
    x,
    h0,
    c0,
    weight_ih,
    weight_hh,
    bias=None,
    *,
    peephole=None,
    coupled=False,
    lengths=None,
    reverse=False,
    recurrent_mask=None,
    checkpoint_every=None,
):
    r"""Run a network of long short-term memory over sequences.

    .. math::

        i_t &= \sigma(x_t W_i + h_{t-1} U_i + p_i c_{t-1} + b_i) \\
        f_t &= \sigma(x_t W_f + h_{t-1} U_f + p_f c_{t-1} + b_f) \\
        g_t &= \tanh(x_t W_g + h_{t-1} U_g + b_g) \\
        c_t &= f_t c_{t-1} + i_t g_t \\
        o_t &= \sigma(x_t W_o + h_{t-1} U_o + p_o c_t + b_o) \\
        h_t &= o_t \tanh(c_t)

    Parameters
    ----------
    x : array, shape (n, t, f), or integers, shape (n, t)
        Sequences; float32 or float64. Integers are tokens, numbers of rows of `weight_ih`, as if they were one-hot
        vectors; no product is made then.
    h0, c0 : array, shape (n, h), or None
        States and cells before the first step; None is zeros.
    weight_ih : array, shape (f, 4 h)
        Weights of the inputs, W: the gates i, f, g and o side by side.
    weight_hh : array, shape (h, 4 h)
        Weights of the state, U.
    bias : array, shape (4 h,), optional
        None is zeros.
    peephole : array, shape (3, h), optional
        p of the gates i, f and o, which see the cell: i and f the one before, o the new one. None is none.
    coupled : bool, default=False
        Let i = 1 - f, so that as much goes in as is forgotten: the gates are f, g and o, weights (f, 3 h) and (h, 3 h),
        the bias (3 h,), and the first row of `peephole` has no part.
    lengths : integers, shape (n,), optional
        Valid steps of each sequence, 1 to t; None where all are.
    reverse : bool, default=False
        Run over the valid steps from the last to the first.
    recurrent_mask : array, shape (n, h), optional
        What the products with `weight_hh` see of each sequence's states: all of them are multiplied by it, element by
        element. For dropout that is the same at all steps; it has no gradient. None is all of them.
    checkpoint_every : int, optional
        Keep but the cells of every so many steps for the way back, and compute the rest again from there: for long
        sequences, about the square root of t makes the memory least. Outputs keep their
        bits; gradients to weights may round otherwise.

    Returns
    -------
    y : array, shape (n, t, h)
        The state after each step, in the order of the inputs; zero past a sequence's length.
    h_n, c_n : tuple of two arrays, shape (n, h)
        State and cell after each sequence's last step (its first one in `reverse`).

    Raises
    ------
    TypeError
        If an array is not of real numbers or differs in precision, or `lengths` is not of integers.
    ValueError
        If shapes do not fit, there is no step or no feature, a token has no row, or a length is not between 1 and t.

    Notes
    -----
    Hochreiter and Schmidhuber, "Long short-term memory" (Neural Computation 1997), with the forget gate of Gers,
    Schmidhuber and Cummins, "Learning to forget" (2000), and the peepholes of Gers, Schraudolph and Schmidhuber,
    "Learning precise timing with LSTM recurrent networks" (JMLR 2002), equations 9 to 14; all variants in Greff et al.,
    "LSTM: a search space odyssey" (2017), section III and appendix A.

    The pullback takes gradients ``(dy, (dh_n, dc_n))`` and returns dx, dh0, dc0, dweight_ih, dweight_hh, dbias and
    dpeephole. PyTorch's two biases are one here, their sum, and its weights are transposed; its gates have this order.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> x = np.ones((2, 3, 1), np.float32)
    >>> w = np.ones((1, 4), np.float32)
    >>> y, (h_n, c_n) = F.lstm(x, None, None, w, w, lengths=[3, 1])
    >>> y[:, :, 0].round(2)
    array([[0.37, 0.65, 0.79],
           [0.37, 0.  , 0.  ]], dtype=float32)
    >>> h_n.ravel().round(2)
    array([0.79, 0.37], dtype=float32)
    """
    check_checkpoint(checkpoint_every)
    given = x, h0, c0, weight_ih, weight_hh, bias, peephole, coupled, lengths, reverse, recurrent_mask
    if on_device(weight_hh):
        return _on_device(*given, checkpoint_every).run(keeps=False)
    call = _Lstm(*given)
    y, c_n, _ = call.run([(0, call.batch.steps)])
    return y, (call.batch.last(y), c_n)


@lstm.define_vjp
def _lstm_vjp(
    x,
    h0,
    c0,
    weight_ih,
    weight_hh,
    bias=None,
    *,
    peephole=None,
    coupled=False,
    lengths=None,
    reverse=False,
    recurrent_mask=None,
    checkpoint_every=None,
):
    check_checkpoint(checkpoint_every)
    given = x, h0, c0, weight_ih, weight_hh, bias, peephole, coupled, lengths, reverse, recurrent_mask
    if on_device(weight_hh):
        call = _on_device(*given, checkpoint_every)
        return call.run(keeps=True), call.backward
    call = _Lstm(*given)
    batch, segments = call.batch, call.batch.segments(checkpoint_every)
    if checkpoint_every is None:
        y = batch.by_time(call.h)
        gates, c = call.recall(0, batch.steps, call.c0, y)
        c_n = c[-1].copy()
    else:
        y, c_n, starts = call.run(segments)

    def recall(k):
        begin, end = segments[k]
        if checkpoint_every is None:
            return gates[begin:end], c[begin : end + 1]
        return call.recall(begin, end, starts[k], y)

    def pullback(dys, wrt):
        dy, (dh_n, dc_n) = dys
        dh, dc, dx = dh_n.copy(), dc_n.copy(), batch.input_gradient(wrt[0])
        weights = (
            batch.input_transposed(call.weight_ih, wrt[0]),
            batch.transposed(call.weight_hh),
            call.peephole,
            call.coupled,
        )
        sums = WeightGradients(batch, y, len(call.weight_ih))
        dkept, zeros = batch.kept(longest(segments), batch.columns), batch.zeros()
        for k in reversed(range(len(segments))):
            (begin, end), kept, dgates = segments[k], recall(k), dkept[: segments[k][1] - segments[k][0]]
            numbers = *weights, *batch.masking, *batch.sharing, batch.span(begin, end), *kept, zeros
            batch.walk(kernels.backward, kernels.backward_rows, dy, *numbers, dh, dc, dgates, dx)
            sums.add_segment(dgates, begin, end, wrt[3:6])
            if wrt[6]:
                sums.add("peephole", _peephole_gradient(dgates, kept[1], call.coupled))
        found = (sums.get(name) for name in ("weight_ih", "weight_hh", "bias", "peephole"))
        wants_dx = wrt[0] and not batch.reads_tokens
        starts = (d if wanted else None for d, wanted in zip((dx, dh, dc), (wants_dx, *wrt[1:3]), strict=True))
        return *starts, *found

    return (y, (batch.last(y), c_n)), pullback


@lstm.define_stream
def _lstm_stream(h0, c0, weight_ih, weight_hh, bias=None, *, peephole=None, coupled=False):
    x = check_start(h0, weight_ih)
    call = _Lstm(x, h0, c0, weight_ih, weight_hh, bias, peephole, coupled, None, False, None)
    batch = call.batch
    gates, c = batch.kept(1, batch.columns), call.c0[None].copy()

    def prepare(x, before, after):
        batch.x, batch.h0 = x, before
        return batch.launch(kernels.forward, kernels.forward_rows, *call.arguments(0, 1, gates, c, after))

    return RecurrentStream(prepare, x.shape[2], batch.h0)


def _peephole_gradient(dgates, c, coupled):
    """Sums over steps and rows of what the gates pass on to the cells they saw."""
    h = c.shape[2]
    di, df, do = dgates[:, :, :h], dgates[:, :, (0 if coupled else h) :][:, :, :h], dgates[:, :, -h:]
    seen = ((di, c[:-1]), (df, c[:-1]), (do, c[1:]))
    return np.stack(
        [
            np.zeros(h, c.dtype) if coupled and gate == 0 else np.einsum("snh,snh->h", d, cells)
            for gate, (d, cells) in enumerate(seen)
        ]
    )
