"""The vanilla recurrent network."""

import numpy as np

from neurojit.core.cuda import on_device
from neurojit.functional.device_recurrence import check_no_checkpoints
from neurojit.functional.device_rnn import DeviceRnn
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
from neurojit.kernels.cpu import rnn as kernels

_ACTIVATIONS = ("tanh", "relu")


def _checked(x, h0, weight_ih, weight_hh, bias, activation, lengths, mask):
    """Canonical arrays, lengths where they differ, and whether the activation is relu."""
    x, tokens, weight_ih, weight_hh = check_sequence(x, weight_ih, weight_hh, 1)
    h = len(weight_hh)
    h0 = check_given(h0, "h0", x, (len(x), h))
    bias = check_given(bias, "bias", x, (h,))
    if activation not in _ACTIVATIONS:
        raise ValueError(f"activation: got {activation!r}, wanted one of {_ACTIVATIONS}")
    sequences = x, tokens, h0, check_lengths(lengths, x), check_mask(mask, x, h)
    return sequences, (weight_ih, weight_hh, bias, activation == "relu")


def _check(x, h0, weight_ih, weight_hh, bias, activation, lengths, reverse, mask):
    """A checked batch, its weights and bias, and whether the activation is relu."""
    sequences, weights = _checked(x, h0, weight_ih, weight_hh, bias, activation, lengths, mask)
    x, tokens, h0, ends, mask = sequences
    h = len(weights[1])
    h0 = np.zeros((len(x), h), x.dtype) if h0 is None else h0
    return Sequences(x, tokens, h0, ends, bool(reverse), h, mask), *weights


def _on_device(x, h0, weight_ih, weight_hh, bias, activation, lengths, reverse, mask, checkpoint_every):
    """A checked call on the device."""
    check_no_checkpoints(checkpoint_every)
    (x, tokens, h0, ends, mask), weights = _checked(x, h0, weight_ih, weight_hh, bias, activation, lengths, mask)
    return DeviceRnn(x, tokens, h0, ends, bool(reverse), mask, *weights)


def _arguments(batch, weight_ih, weight_hh, bias, relu, sums, y):
    """Of the kernels, for all steps."""
    weights = batch.input_weights(weight_ih, bias), batch.start(bias, batch.columns), batch.weights(weight_hh)
    inputs = batch.x, batch.tokens, *weights, relu, batch.h0, *batch.masking
    return *inputs, *batch.sharing, batch.span(0, batch.steps), sums, y


def _forward(batch, weight_ih, weight_hh, bias, relu):
    y, sums = batch.by_time(len(weight_hh)), batch.kept(batch.chunk, len(weight_hh))
    arguments = _arguments(batch, weight_ih, weight_hh, bias, relu, sums, y)
    batch.walk(kernels.forward, kernels.forward_rows, *arguments)
    return y


@op("x", "h0", "weight_ih", "weight_hh", "bias", tokens="x")
def rnn(
    x,
    h0,
    weight_ih,
    weight_hh,
    bias=None,
    *,
    activation="tanh",
    lengths=None,
    reverse=False,
    recurrent_mask=None,
    checkpoint_every=None,
):
    r"""Run a vanilla recurrent network over sequences.

    .. math::

        h_t = f(x_t W_{ih} + h_{t-1} W_{hh} + b)

    Parameters
    ----------
    x : array, shape (n, t, f), or integers, shape (n, t)
        Sequences; float32 or float64. Integers are tokens, numbers of rows of `weight_ih`, as if they were one-hot
        vectors; no product is made then.
    h0 : array, shape (n, h), or None
        States before the first step; None is zeros.
    weight_ih : array, shape (f, h)
        Weights of the inputs.
    weight_hh : array, shape (h, h)
        Weights of the state.
    bias : array, shape (h,), optional
        None is zeros.
    activation : {"tanh", "relu"}, default="tanh"
        The function f.
    lengths : integers, shape (n,), optional
        Valid steps of each sequence, 1 to t; None where all are.
    reverse : bool, default=False
        Run over the valid steps from the last to the first.
    recurrent_mask : array, shape (n, h), optional
        What the products with `weight_hh` see of each sequence's states: all of them are multiplied by it, element by
        element. For dropout that is the same at all steps; it has no gradient. None is all of them.
    checkpoint_every : int, optional
        Steps whose gradients are held at a time on the way back. All else that way needs is `y` itself.

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
    Elman, "Finding structure in time" (Cognitive Science 1990); the pullback is backpropagation through time (Werbos,
    "Backpropagation through time: what it does and how to do it" (Proceedings of the IEEE 1990), table 1). It takes the
    gradients ``(dy, dh_n)`` and returns dx, dh0, dweight_ih, dweight_hh and dbias. PyTorch's two biases are one here,
    their sum, and its weights are transposed.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> x = np.array([[[1], [0], [0]]], np.float32)
    >>> one = np.ones((1, 1), np.float32)
    >>> y, h_n = F.rnn(x, None, one, 0.5 * one, activation="relu")
    >>> y.ravel(), h_n
    (array([1.  , 0.5 , 0.25], dtype=float32), array([[0.25]], dtype=float32))
    """
    check_checkpoint(checkpoint_every)
    given = x, h0, weight_ih, weight_hh, bias, activation, lengths, reverse, recurrent_mask
    if on_device(weight_hh):
        return _on_device(*given, checkpoint_every).run()
    batch, *rest = _check(*given)
    y = _forward(batch, *rest)
    return y, batch.last(y)


@rnn.define_vjp
def _rnn_vjp(
    x,
    h0,
    weight_ih,
    weight_hh,
    bias=None,
    *,
    activation="tanh",
    lengths=None,
    reverse=False,
    recurrent_mask=None,
    checkpoint_every=None,
):
    check_checkpoint(checkpoint_every)
    given = x, h0, weight_ih, weight_hh, bias, activation, lengths, reverse, recurrent_mask
    if on_device(weight_hh):
        call = _on_device(*given, checkpoint_every)
        return call.run(), call.backward
    batch, weight_ih, weight_hh, bias, relu = _check(*given)
    y = _forward(batch, weight_ih, weight_hh, bias, relu)

    def pullback(dys, wrt):
        dy, dh_n = dys
        dh, dx = dh_n.copy(), batch.input_gradient(wrt[0])
        weights = batch.input_transposed(weight_ih, wrt[0]), batch.transposed(weight_hh), relu
        sums, segments = WeightGradients(batch, y, len(weight_ih)), batch.segments(checkpoint_every)
        kept, zeros = batch.kept(longest(segments), batch.columns), batch.zeros()
        for begin, end in reversed(segments):
            dsums = kept[: end - begin]
            numbers = *weights, *batch.masking, *batch.sharing, batch.span(begin, end), zeros
            batch.walk(kernels.backward, kernels.backward_rows, dy, y, *numbers, dh, dsums, dx)
            sums.add_segment(dsums, begin, end, wrt[2:5])
        found = (sums.get(name) for name in ("weight_ih", "weight_hh", "bias"))
        wants_dx = wrt[0] and not batch.reads_tokens
        return dx if wants_dx else None, dh if wrt[1] else None, *found

    return (y, batch.last(y)), pullback


@rnn.define_stream
def _rnn_stream(h0, weight_ih, weight_hh, bias=None, *, activation="tanh"):
    x = check_start(h0, weight_ih)
    batch, *weights = _check(x, h0, weight_ih, weight_hh, bias, activation, None, False, None)
    sums = batch.kept(1, batch.columns)

    def prepare(x, before, after):
        batch.x, batch.h0 = x, before
        return batch.launch(kernels.forward, kernels.forward_rows, *_arguments(batch, *weights, sums, after))

    return RecurrentStream(prepare, x.shape[2], batch.h0)
