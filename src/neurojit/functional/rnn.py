"""The vanilla recurrent network."""

import numpy as np

from neurojit.functional.op import op
from neurojit.functional.recurrence import (
    Sequences,
    WeightGradients,
    check_checkpoint,
    check_given,
    check_lengths,
    check_sequence,
    longest,
)
from neurojit.kernels.cpu import rnn as kernels

_ACTIVATIONS = ("tanh", "relu")


def _check(x, h0, weight_ih, weight_hh, bias, activation, lengths, reverse):
    """A checked batch, its weights and bias, and whether the activation is relu."""
    x, weight_ih, weight_hh = check_sequence(x, weight_ih, weight_hh, 1)
    h = len(weight_hh)
    h0 = check_given(h0, "h0", x, (len(x), h))
    bias = check_given(bias, "bias", x, (h,))
    if activation not in _ACTIVATIONS:
        raise ValueError(f"activation: got {activation!r}, wanted one of {_ACTIVATIONS}")
    h0 = np.zeros((len(x), h), x.dtype) if h0 is None else h0
    batch = Sequences(x, h0, check_lengths(lengths, x), bool(reverse), h)
    return batch, weight_ih, weight_hh, bias, activation == "relu"


def _forward(batch, weight_ih, weight_hh, bias, relu):
    y = batch.by_time(len(weight_hh))
    inputs = (
        batch.x,
        batch.weights(weight_ih),
        batch.start(bias, batch.columns),
        batch.weights(weight_hh),
        relu,
        batch.h0,
    )
    sums = batch.kept(batch.chunk, len(weight_hh))
    batch.walk(kernels.forward, kernels.forward_rows, *inputs, *batch.sharing, batch.span(0, batch.steps), sums, y)
    return y


@op("x", "h0", "weight_ih", "weight_hh", "bias")
def rnn(
    x, h0, weight_ih, weight_hh, bias=None, *, activation="tanh", lengths=None, reverse=False, checkpoint_every=None
):
    r"""Run a vanilla recurrent network over sequences.

    .. math::

        h_t = f(x_t W_{ih} + h_{t-1} W_{hh} + b)

    Parameters
    ----------
    x : array, shape (n, t, f)
        Sequences; float32 or float64.
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
        If shapes do not fit, there is no step or no feature, or a length is not between 1 and t.

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
    batch, *rest = _check(x, h0, weight_ih, weight_hh, bias, activation, lengths, reverse)
    y = _forward(batch, *rest)
    return y, batch.last(y)


@rnn.define_vjp
def _rnn_vjp(
    x, h0, weight_ih, weight_hh, bias=None, *, activation="tanh", lengths=None, reverse=False, checkpoint_every=None
):
    check_checkpoint(checkpoint_every)
    batch, weight_ih, weight_hh, bias, relu = _check(x, h0, weight_ih, weight_hh, bias, activation, lengths, reverse)
    y = _forward(batch, weight_ih, weight_hh, bias, relu)

    def pullback(dys, wrt):
        dy, dh_n = dys
        dh, dx = dh_n.copy(), batch.input_gradient(wrt[0])
        weights = batch.transposed(weight_ih), batch.transposed(weight_hh), relu
        sums, segments = WeightGradients(batch, y), batch.segments(checkpoint_every)
        kept, zeros = batch.kept(longest(segments), batch.columns), batch.zeros()
        for begin, end in reversed(segments):
            dsums = kept[: end - begin]
            numbers = *weights, *batch.sharing, batch.span(begin, end), zeros
            batch.walk(kernels.backward, kernels.backward_rows, dy, y, *numbers, dh, dsums, dx)
            sums.add_segment(dsums, begin, end, wrt[2:5])
        found = (sums.get(name) for name in ("weight_ih", "weight_hh", "bias"))
        return dx if wrt[0] else None, dh if wrt[1] else None, *found

    return (y, batch.last(y)), pullback
