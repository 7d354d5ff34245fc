"""Layers made of recurrent ones, and of others for every step."""

import dataclasses

import numpy as np

from neurojit.core.cuda import on_device
from neurojit.functional.device_rows import taken_entries
from neurojit.functional.layout import joined, parted
from neurojit.layers.base import INFERENCE, add_gradients
from neurojit.layers.combinators import Combinator, Sequential
from neurojit.layers.dropout import Dropout
from neurojit.layers.registry import from_config


class Stacked(Sequential):
    """Recurrent layers one on another, with dropout between them.

    Parameters
    ----------
    *layers : Layer
        Recurrent layers, from the inputs up; all but the last give sequences, whatever their `return_sequences` said.
    dropout : float, default=0.0
        Share of the values that a layer does not see of the one under it, in training (Zaremba, Sutskever and Vinyals,
        "Recurrent neural network regularization" (2014), section 3.1: not along time).

    Raises
    ------
    TypeError
        If a layer has no `return_sequences`.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LSTM, Stacked
    >>> Stacked(LSTM(8), LSTM(4))(np.ones((2, 5, 3), np.float32)).shape
    (2, 4)
    """

    def __init__(self, *layers, dropout=0.0):
        super().__init__(*layers)
        self.dropout = dropout
        self._between = Dropout(dropout)
        for i, layer in enumerate(layers):
            if not hasattr(layer, "return_sequences"):
                raise TypeError(f"layers[{i}]: got {type(layer).__name__}, wanted a recurrent layer")
        for layer in layers[:-1]:
            layer.return_sequences = True

    @property
    def return_sequences(self):
        """Whether the last layer gives sequences."""
        return self.layers[-1].return_sequences

    @return_sequences.setter
    def return_sequences(self, value):
        self.layers[-1].return_sequences = value

    def config(self):
        return super().config() | {"dropout": self.dropout}

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return self._with_dropout().forward(x, mode)

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return self._with_dropout().vjp(x, mode)

    def _with_dropout(self):
        """The layers and what stands between them."""
        parts = [part for layer in self.layers for part in (layer, self._between)][:-1]
        return Sequential(*(parts if self.dropout else self.layers))


class Bidirectional(Combinator):
    """A recurrent layer and its mirror image, one from the start and one from the end of each sequence.

    Parameters
    ----------
    *layers : Layer
        A recurrent layer, of which another one is made that runs the other way; or both of them.
    merge : {"concat", "sum"}, default="concat"
        Put the two outputs side by side or add them.

    Raises
    ------
    ValueError
        In a pass with `Mode.carry`: who reads from the end cannot go on from what came before.

    Notes
    -----
    Schuster and Paliwal, "Bidirectional recurrent neural networks" (IEEE Transactions on Signal Processing 1997),
    section II.B. With `Mode.lengths` each direction sees the valid steps alone.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import GRU, Bidirectional
    >>> Bidirectional(GRU(4))(np.ones((2, 5, 3), np.float32)).shape
    (2, 8)
    """

    def __init__(self, *layers, merge="concat"):
        if merge not in ("concat", "sum"):
            raise ValueError(f"merge: got {merge!r}, wanted 'concat' or 'sum'")
        super().__init__(*layers)
        if len(layers) not in (1, 2) or not all(hasattr(layer, "reverse") for layer in layers):
            kinds = ", ".join(type(layer).__name__ for layer in layers)
            raise TypeError(f"layers: got ({kinds}), wanted one or two recurrent layers")
        if len(layers) == 1:
            mirrored = layers[0].config() | {"reverse": not layers[0].reverse}
            self.layers.append(from_config(mirrored, {type(layers[0]).__name__: type(layers[0])}))
        if bool(self.layers[0].reverse) == bool(self.layers[1].reverse):
            raise ValueError("layers: got two that run the same way, wanted one with reverse=True")
        self.merge = merge

    @property
    def return_sequences(self):
        """Whether both layers give sequences."""
        return all(layer.return_sequences for layer in self.layers)

    @return_sequences.setter
    def return_sequences(self, value):
        for layer in self.layers:
            layer.return_sequences = value

    def config(self):
        return super().config() | {"merge": self.merge}

    def build(self, input_shape, key, dtype=np.float32):
        for i, layer in enumerate(self.layers):
            layer.make(input_shape, key.child(i), dtype)
        shapes = [layer.output_shape(input_shape) for layer in self.layers]
        if shapes[0][:-1] != shapes[1][:-1] or (self.merge == "sum" and shapes[0] != shapes[1]):
            raise ValueError(f"Bidirectional: the layers give {shapes}, which cannot be merged by {self.merge}")

    def output_shape(self, input_shape):
        one, other = (layer.output_shape(input_shape) for layer in self.layers)
        return one if self.merge == "sum" else (*one[:-1], one[-1] + other[-1])

    def forward(self, x, mode=INFERENCE):
        self._check(x, mode)
        return self._merge(*(layer.forward(x, mode.child(i)) for i, layer in enumerate(self.layers)))

    def vjp(self, x, mode=INFERENCE):
        self._check(x, mode)
        passes = [layer.vjp(x, mode.child(i)) for i, layer in enumerate(self.layers)]
        (one, one_pullback), (other, other_pullback) = passes

        def backward(dy, need_dx=True):
            left, right = (dy, dy) if self.merge == "sum" else parted(dy, (one.shape[-1], other.shape[-1]))
            dx, gradients = one_pullback(left, need_dx)
            more, found = other_pullback(right, need_dx)
            return (dx + more if need_dx else None), add_gradients(gradients, found)

        return self._merge(one, other), backward

    def _check(self, x, mode):
        self.ensure_built(x)
        if mode.carry is not None:
            raise ValueError(
                "mode.carry: got states to go on from, wanted None: Bidirectional reads each sequence from its end, too"
            )

    def _merge(self, one, other):
        if self.merge == "sum":
            return one + other
        return joined([one, other])


class TimeDistributed(Sequential):
    """Layers applied to every step by itself: what they give for (m, ...) is given for (n, t, ...).

    Parameters
    ----------
    *layers : Layer
        Applied one after another.

    Notes
    -----
    With `Mode.lengths` they see the valid steps alone; the output is zero past them.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Conv2d, TimeDistributed
    >>> TimeDistributed(Conv2d(4, 3))(np.ones((2, 5, 8, 8, 3), np.float32)).shape
    (2, 5, 6, 6, 4)
    """

    def build(self, input_shape, key, dtype=np.float32):
        super().build(input_shape[1:], key, dtype)

    def output_shape(self, input_shape):
        return (input_shape[0], *super().output_shape(input_shape[1:]))

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        steps, put_back = _steps(x, mode)
        return put_back(super().forward(steps, _without_time(mode)))

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        steps, put_back = _steps(x, mode)
        y, pullback = super().vjp(steps, _without_time(mode))

        def backward(dy, need_dx=True):
            dsteps, _ = _steps(dy, mode)
            dx, gradients = pullback(dsteps, need_dx)
            return (put_back(dx) if need_dx else None), gradients

        return put_back(y), backward


def _steps(x, mode):
    """All valid steps of x one below the other, and how to put such ones back in their places."""
    n, t = x.shape[:2]
    if mode.lengths is None:
        return x.reshape(n * t, *x.shape[2:]), lambda steps: steps.reshape(n, t, *steps.shape[1:])
    valid = np.arange(t) < np.asarray(mode.lengths)[:, None]
    if on_device(x):
        return _steps_on_device(x, valid)

    def put_back(steps):
        whole = np.zeros((n, t, *steps.shape[1:]), steps.dtype)
        whole[valid] = steps
        return whole

    return x[valid], put_back


def _steps_on_device(x, valid):
    """`_steps` for an array on the device."""
    n, t = valid.shape
    places = np.where(valid, np.cumsum(valid).reshape(n, t) - 1, -1)
    steps = taken_entries(x.reshape(n * t, *x.shape[2:]), np.flatnonzero(valid))
    return steps, lambda steps: taken_entries(steps, places)


def _without_time(mode):
    return dataclasses.replace(mode, lengths=None, carry=None)
