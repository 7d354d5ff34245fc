"""Recurrent layers: sequences in, states out."""

from typing import Any

import numpy as np

from neurojit.core.shapes import integers
from neurojit.functional.dropout import check_rate, dropout
from neurojit.functional.gru import gru
from neurojit.functional.lstm import lstm
from neurojit.functional.recurrence import check_checkpoint
from neurojit.functional.rnn import rnn
from neurojit.layers.base import INFERENCE, Layer, Parameter
from neurojit.layers.initializers import glorot_uniform, orthogonal


class Recurrent(Layer):
    """What recurrent layers share; a subclass names its function, its gates and its states."""

    function: Any = None
    states: tuple[str, ...] = ("h0",)

    def __init__(
        self, units, return_sequences, reverse, learn_initial_state, recurrent_dropout, use_bias, checkpoint_every
    ):
        (self.units,) = integers(units, "units", 1)
        check_rate(recurrent_dropout)
        check_checkpoint(checkpoint_every)
        self.return_sequences = return_sequences
        self.reverse = reverse
        self.learn_initial_state = learn_initial_state
        self.recurrent_dropout = recurrent_dropout
        self.use_bias = use_bias
        self.checkpoint_every = checkpoint_every
        self.weight_ih = self.weight_hh = self.bias = self.h0 = None

    # -- what a subclass may change -------------------------------------------------------------------------------

    @property
    def gates(self):
        """Units of the weights for each unit of the layer."""
        return 1

    def make_bias(self, dtype):
        """What the bias starts from."""
        return np.zeros(self.gates * self.units, dtype)

    def keywords(self):
        """Options of the function."""
        return {}

    def keyword_parameters(self):
        """Parameters that the function takes as keywords, in its order."""
        return {}

    # -- what follows ---------------------------------------------------------------------------------------------

    def build(self, input_shape, key, dtype=np.float32):
        if len(input_shape) != 2:
            raise ValueError(f"x: got shape (n, {', '.join(map(str, input_shape))}), wanted (n, t, f)")
        f, h = input_shape[-1], self.units
        inputs = [glorot_uniform((f, h), f, h, key.child(2 * gate), dtype) for gate in range(self.gates)]
        states = [orthogonal(h, key.child(2 * gate + 1), dtype) for gate in range(self.gates)]
        self.weight_ih, self.weight_hh = Parameter(np.hstack(inputs)), Parameter(np.hstack(states))
        self.bias = Parameter(self.make_bias(dtype)) if self.use_bias else None
        if self.learn_initial_state:
            for name in self.states:
                setattr(self, name, Parameter(np.zeros(h, dtype)))

    def output_shape(self, input_shape):
        return (input_shape[0], self.units) if self.return_sequences else (self.units,)

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        states, _ = self._start(x, mode)
        weight_hh, _ = self._drop(mode)
        y, last = self.function(x, *states, self.weight_ih.value, weight_hh, *self._bias(), **self._keywords(mode))
        return self._finish(y, last, mode)

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        states, learned = self._start(x, mode)
        weight_hh, undrop = self._drop(mode)
        arguments = x, *states, self.weight_ih.value, weight_hh, *self._bias()
        (y, last), pullback = self.function.vjp(*arguments, **self._keywords(mode))
        extra = self.keyword_parameters().values()
        weights = [p for p in (self.weight_ih, self.weight_hh, self.bias, *extra) if p is not None]
        starts = [getattr(self, name) for name in self.states] if self.learn_initial_state else []

        def backward(dy, need_dx=True):
            wanted = [bool(starts) and learned and starts[k].trainable for k in range(len(states))]
            wrt = (need_dx, *wanted, *(p.trainable for p in weights))
            gradients = {p: np.zeros_like(p.value) for p in starts if p.trainable}
            if not any(wrt):
                return None, gradients
            dx, *found = pullback(self._spread(dy, y, last), wrt)
            dstates, dweights = found[: len(states)], found[len(states) :]
            gradients |= {p: d.sum(axis=0) for p, d in zip(starts, dstates, strict=False) if d is not None}
            gradients |= {p: d for p, d in zip(weights, dweights, strict=True) if p.trainable}
            if self.weight_hh in gradients:
                gradients[self.weight_hh] = undrop(gradients[self.weight_hh])
            return dx, gradients

        return self._finish(y, last, mode), backward

    def _start(self, x, mode):
        """States to start from, and whether they are the learned ones."""
        held = None if mode.carry is None else mode.carry.get(self)
        if held is not None:
            if any(len(state) != len(x) for state in held):
                raise ValueError(f"mode.carry: got states of {len(held[0])} sequences, wanted {len(x)} as in the batch")
            return held, False
        if not self.learn_initial_state:
            return [np.zeros((len(x), self.units), self.weight_hh.value.dtype) for _ in self.states], False
        return [np.tile(getattr(self, name).value, (len(x), 1)) for name in self.states], True

    def _drop(self, mode):
        """The recurrent weights with the rows of dropped units set to zero, and the same for their gradient."""
        weight = self.weight_hh.value
        if not (mode.training and self.recurrent_dropout):
            return weight, lambda dweight: dweight
        if mode.key is None:
            raise ValueError(f"mode.key: got None, wanted a Key for {type(self).__name__}'s dropout in training")
        mask = dropout(np.ones((self.units, 1), weight.dtype), self.recurrent_dropout, mode.key)
        return weight * mask, lambda dweight: dweight * mask

    def _bias(self):
        return () if self.bias is None else (self.bias.value,)

    def _keywords(self, mode):
        given = {name: p.value for name, p in self.keyword_parameters().items() if p is not None}
        options = {"lengths": mode.lengths, "reverse": self.reverse, "checkpoint_every": self.checkpoint_every}
        return self.keywords() | given | options

    def _finish(self, y, last, mode):
        """The layer's output; the last states go where they are carried on from."""
        h_n = last[0] if isinstance(last, tuple) else last
        if mode.carry is not None:
            mode.carry[self] = last if isinstance(last, tuple) else (last,)
        return y if self.return_sequences else h_n

    def _spread(self, dy, y, last):
        """dy as gradients nested like the function's results."""
        h_n = last[0] if isinstance(last, tuple) else last
        dy, dh_n = (dy, np.zeros_like(h_n)) if self.return_sequences else (np.zeros_like(y), dy)
        return (dy, (dh_n, np.zeros_like(h_n))) if isinstance(last, tuple) else (dy, dh_n)


class RNN(Recurrent):
    """A vanilla recurrent network.

    Parameters
    ----------
    units : int
        Length of the state.
    activation : {"tanh", "relu"}, default="tanh"
    return_sequences : bool, default=False
        Give the state after every step, (n, t, units); else that after each sequence's last, (n, units).
    reverse : bool, default=False
        Run from the last valid step to the first.
    learn_initial_state : bool, default=False
        Train the state before the first step, `h0`; else it is zero.
    recurrent_dropout : float, default=0.0
        Share of the units whose states the next step does not see, in training: the same ones at all steps of a pass.
    use_bias : bool, default=True
    checkpoint_every : int or None, default=None
        Save memory in training on long sequences: see the function.

    Attributes
    ----------
    weight_ih : Parameter, shape (f, units)
        Starts uniform, as Glorot says.
    weight_hh : Parameter, shape (units, units)
        Starts orthogonal.
    bias : Parameter, shape (units,), or None
    h0 : Parameter, shape (units,), or None

    See Also
    --------
    neurojit.functional.rnn : the equation.

    Notes
    -----
    `Mode.lengths` and `Mode.carry` are heeded. Dropout that stays the same over time: Gal and Ghahramani, "A
    theoretically grounded application of dropout in recurrent neural networks" (NeurIPS 2016), section 4; here the
    sequences of a batch share it.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import RNN
    >>> RNN(4)(np.ones((2, 5, 3), np.float32)).shape
    (2, 4)
    """

    function = rnn

    def __init__(
        self,
        units,
        activation="tanh",
        return_sequences=False,
        reverse=False,
        learn_initial_state=False,
        recurrent_dropout=0.0,
        use_bias=True,
        checkpoint_every=None,
    ):
        if activation not in ("tanh", "relu"):
            raise ValueError(f"activation: got {activation!r}, wanted 'tanh' or 'relu'")
        self.activation = activation
        super().__init__(
            units, return_sequences, reverse, learn_initial_state, recurrent_dropout, use_bias, checkpoint_every
        )

    def keywords(self):
        return {"activation": self.activation}


class LSTM(Recurrent):
    """Long short-term memory.

    Parameters
    ----------
    units : int
        Length of the state.
    return_sequences : bool, default=False
        Give the state after every step, (n, t, units); else that after each sequence's last, (n, units).
    reverse : bool, default=False
        Run from the last valid step to the first.
    peephole : bool, default=False
        Let the gates see the cell.
    coupled : bool, default=False
        Let as much in as is forgotten, i = 1 - f.
    learn_initial_state : bool, default=False
        Train the state and the cell before the first step, `h0` and `c0`; else they are zero.
    recurrent_dropout : float, default=0.0
        Share of the units whose states the next step does not see, in training: the same ones at all steps of a pass.
    use_bias : bool, default=True
    checkpoint_every : int or None, default=None
        Save memory in training on long sequences: see the function.

    Attributes
    ----------
    weight_ih : Parameter, shape (f, 4 units), or (f, 3 units) if coupled
        Starts uniform, as Glorot says, gate by gate.
    weight_hh : Parameter, shape (units, 4 units), or (units, 3 units)
        Starts orthogonal, gate by gate.
    bias : Parameter, shape (4 units,) or (3 units,), or None
        Starts at 1 for the forget gate and 0 for the others.
    peepholes : Parameter, shape (3, units), or None
        Starts at zero.
    h0, c0 : Parameter, shape (units,), or None

    See Also
    --------
    neurojit.functional.lstm : the equations.

    Notes
    -----
    `Mode.lengths` and `Mode.carry` are heeded. The forget gate starts open: Jozefowicz, Zaremba and Sutskever, "An
    empirical exploration of recurrent network architectures" (ICML 2015), section 2.2. Dropout is as in `RNN`.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LSTM
    >>> LSTM(4, return_sequences=True)(np.ones((2, 5, 3), np.float32)).shape
    (2, 5, 4)
    """

    function = lstm
    states = ("h0", "c0")

    def __init__(
        self,
        units,
        return_sequences=False,
        reverse=False,
        peephole=False,
        coupled=False,
        learn_initial_state=False,
        recurrent_dropout=0.0,
        use_bias=True,
        checkpoint_every=None,
    ):
        super().__init__(
            units, return_sequences, reverse, learn_initial_state, recurrent_dropout, use_bias, checkpoint_every
        )
        self.peephole = peephole
        self.coupled = coupled
        self.peepholes = self.c0 = None

    @property
    def gates(self):
        return 3 if self.coupled else 4

    def make_bias(self, dtype):
        bias = super().make_bias(dtype)
        forget = 0 if self.coupled else self.units
        bias[forget : forget + self.units] = 1
        return bias

    def build(self, input_shape, key, dtype=np.float32):
        super().build(input_shape, key, dtype)
        if self.peephole:
            self.peepholes = Parameter(np.zeros((3, self.units), dtype))

    def keywords(self):
        return {"coupled": self.coupled}

    def keyword_parameters(self):
        return {"peephole": self.peepholes}


class GRU(Recurrent):
    """Gated recurrent units.

    Parameters
    ----------
    units : int
        Length of the state.
    return_sequences : bool, default=False
        Give the state after every step, (n, t, units); else that after each sequence's last, (n, units).
    reverse : bool, default=False
        Run from the last valid step to the first.
    reset_after : bool, default=False
        Reset after the product, with a second bias, as PyTorch and Keras do; else before it, as in the paper.
    learn_initial_state : bool, default=False
        Train the state before the first step, `h0`; else it is zero.
    recurrent_dropout : float, default=0.0
        Share of the units whose states the next step's gates do not see, in training: the same at all steps of a pass.
    use_bias : bool, default=True
    checkpoint_every : int or None, default=None
        Save memory in training on long sequences: see the function.

    Attributes
    ----------
    weight_ih : Parameter, shape (f, 3 units)
        Starts uniform, as Glorot says, gate by gate.
    weight_hh : Parameter, shape (units, 3 units)
        Starts orthogonal, gate by gate.
    bias : Parameter, shape (3 units,), or None
    bias_hh : Parameter, shape (3 units,), or None
        There with `reset_after`.
    h0 : Parameter, shape (units,), or None

    See Also
    --------
    neurojit.functional.gru : the equations.

    Notes
    -----
    `Mode.lengths` and `Mode.carry` are heeded. Dropout is as in `RNN`.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import GRU
    >>> GRU(4)(np.ones((2, 5, 3), np.float32)).shape
    (2, 4)
    """

    function = gru

    def __init__(
        self,
        units,
        return_sequences=False,
        reverse=False,
        reset_after=False,
        learn_initial_state=False,
        recurrent_dropout=0.0,
        use_bias=True,
        checkpoint_every=None,
    ):
        super().__init__(
            units, return_sequences, reverse, learn_initial_state, recurrent_dropout, use_bias, checkpoint_every
        )
        self.reset_after = reset_after
        self.bias_hh = None

    @property
    def gates(self):
        return 3

    def build(self, input_shape, key, dtype=np.float32):
        super().build(input_shape, key, dtype)
        if self.reset_after and self.use_bias:
            self.bias_hh = Parameter(self.make_bias(dtype))

    def keywords(self):
        return {"reset_after": self.reset_after}

    def keyword_parameters(self):
        return {"bias_hh": self.bias_hh}
