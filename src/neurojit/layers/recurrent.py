"""Recurrent layers: sequences in, states out."""

import numpy as np

from neurojit.functional.gru import gru
from neurojit.functional.lstm import lstm
from neurojit.functional.rnn import rnn
from neurojit.layers.base import Parameter
from neurojit.layers.recurrence import Recurrent


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
        Share of the units whose states the next step does not see, in training: others for each sequence, the same
        ones at all its steps.
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
    theoretically grounded application of dropout in recurrent neural networks" (NeurIPS 2016), section 4.

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
        Share of the units whose states the next step does not see, in training: others for each sequence, the same
        ones at all its steps.
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
        Share of the units whose states the next step's gates do not see, in training: others for each sequence, the
        same ones at all its steps.
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
