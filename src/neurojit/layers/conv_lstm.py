"""The convolutional LSTM layer."""

import numpy as np

from neurojit.core.shapes import integers
from neurojit.functional.conv_lstm import conv_lstm
from neurojit.layers.base import Parameter
from neurojit.layers.initializers import glorot_uniform, orthogonal
from neurojit.layers.recurrence import Recurrent


class ConvLSTM(Recurrent):
    """Convolutional long short-term memory: states are images, and convolutions take the place of products.

    Parameters
    ----------
    filters : int
        Channels of the state.
    kernel_size : int or (int, int)
        Height and width of the windows, for inputs and states alike.
    return_sequences : bool, default=False
        Give the state after every step, (n, t, height, width, filters); else that after the last.
    peephole : bool, default=False
        Let the gates see the cell, each position with weights of its own, as in the paper.
    learn_initial_state : bool, default=False
        Train the state and the cell before the first step, `h0` and `c0`, the same everywhere; else they are zero.
    use_bias : bool, default=True

    Attributes
    ----------
    weight_ih : Parameter, shape (kernel_height, kernel_width, c, 4 filters)
        Starts uniform, as Glorot says, gate by gate.
    weight_hh : Parameter, shape (kernel_height, kernel_width, filters, 4 filters)
        Starts with orthogonal columns, gate by gate.
    bias : Parameter, shape (4 filters,), or None
        Starts at 1 for the forget gate and 0 for the others.
    peepholes : Parameter, shape (3, height, width, filters), or None
        Starts at zero.
    h0, c0 : Parameter, shape (filters,), or None

    See Also
    --------
    neurojit.functional.conv_lstm : the equations.

    Notes
    -----
    `Mode.carry` is heeded; with `Mode.lengths` a pass is an error, as all sequences are taken whole.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import ConvLSTM
    >>> ConvLSTM(4, 3)(np.ones((2, 5, 8, 8, 3), np.float32)).shape
    (2, 8, 8, 4)
    """

    function = conv_lstm
    states = ("h0", "c0")

    def __init__(
        self,
        filters,
        kernel_size,
        return_sequences=False,
        peephole=False,
        learn_initial_state=False,
        use_bias=True,
    ):
        (self.filters,) = integers(filters, "filters", 1)
        super().__init__(self.filters, return_sequences, False, learn_initial_state, 0.0, use_bias, None)
        self.kernel_size = kernel_size
        self.peephole = peephole
        self._window = integers(kernel_size, "kernel_size", 2)
        self.peepholes = self.c0 = None

    @property
    def gates(self):
        return 4

    def build(self, input_shape, key, dtype=np.float32):
        if len(input_shape) != 4:
            raise ValueError(f"x: got shape (n, {', '.join(map(str, input_shape))}), wanted (n, t, height, width, c)")
        _, height, width, c = input_shape
        h, window = self.filters, self._window
        taps = window[0] * window[1]
        inputs = [glorot_uniform((*window, c, h), taps * c, taps * h, key.child(2 * g), dtype) for g in range(4)]
        states = [orthogonal(taps * h, h, key.child(2 * g + 1), dtype).reshape(*window, h, h) for g in range(4)]
        self.weight_ih = Parameter(np.concatenate(inputs, axis=-1))
        self.weight_hh = Parameter(np.concatenate(states, axis=-1))
        bias = np.zeros(4 * h, dtype)
        bias[h : 2 * h] = 1
        self.bias = Parameter(bias) if self.use_bias else None
        if self.learn_initial_state:
            self.h0, self.c0 = Parameter(np.zeros(h, dtype)), Parameter(np.zeros(h, dtype))
        if self.peephole:
            self.peepholes = Parameter(np.zeros((3, height, width, h), dtype))

    def output_shape(self, input_shape):
        shape = (*input_shape[:-1], self.filters)
        return shape if self.return_sequences else shape[1:]

    def state_shape(self, x):
        return (len(x), *x.shape[2:4], self.filters)

    def keyword_parameters(self):
        return {"peephole": self.peepholes}

    def options(self, mode):
        if mode.lengths is not None:
            raise ValueError("mode.lengths: got lengths, wanted None: ConvLSTM takes all sequences whole")
        return {}
