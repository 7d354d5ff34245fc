"""Vectors of tokens, and recurrent layers that read them."""

import numpy as np

from neurojit.core.shapes import integers
from neurojit.functional.dense import dense
from neurojit.functional.embedding import embedding
from neurojit.layers.base import INFERENCE, Layer, Parameter
from neurojit.layers.combinators import Sequential
from neurojit.layers.recording import is_recorded
from neurojit.layers.recurrence import Recurrent


class Embedding(Layer):
    """A vector for every token: the layer under a network that reads words or characters.

    Parameters
    ----------
    size : int
        Different tokens, 0 to size - 1.
    units : int
        Length of the vectors, which start as standard normal draws.

    Attributes
    ----------
    weight : Parameter, shape (size, units)

    See Also
    --------
    neurojit.functional.embedding : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Embedding
    >>> Embedding(10, 4)(np.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    def __init__(self, size, units):
        (self.size,) = integers(size, "size", 1)
        (self.units,) = integers(units, "units", 1)
        self.weight = None

    def build(self, input_shape, key, dtype=np.float32):
        self.weight = Parameter(key.normal((self.size, self.units), dtype=dtype))

    def output_shape(self, input_shape):
        return (*input_shape, self.units)

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return embedding(x, self.weight.value)

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        y, pullback = embedding.vjp(x, self.weight.value)

        def backward(dy, need_dx=True):
            return None, {self.weight: pullback(dy)} if self.weight.trainable else {}

        return y, backward


class Embedded(Sequential):
    """A recurrent layer that reads tokens by their vectors.

    The same as the two layers one after another. But what a token gives to the gates, its vector's product with
    `weight_ih`, depends on nothing else: in a pass of more steps than there are different tokens it is computed once
    for each token, and steps take rows of this table.

    Parameters
    ----------
    *layers : Embedding and RNN, LSTM or GRU

    Raises
    ------
    TypeError
        If they are others.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LSTM, Embedded, Embedding
    >>> Embedded(Embedding(10, 4), LSTM(8))(np.array([[1, 2, 3]])).shape
    (1, 8)
    """

    def __init__(self, *layers):
        super().__init__(*layers)
        if len(layers) != 2 or not isinstance(layers[0], Embedding) or not isinstance(layers[1], Recurrent):
            kinds = ", ".join(type(layer).__name__ for layer in layers)
            raise TypeError(f"layers: got ({kinds}), wanted an Embedding and a recurrent layer")

    @property
    def return_sequences(self):
        """Whether the recurrent layer gives sequences."""
        return self.layers[1].return_sequences

    @return_sequences.setter
    def return_sequences(self, value):
        self.layers[1].return_sequences = value

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        if not self._pays(x):
            return super().forward(x, mode)
        table = Parameter(dense(*self._values()))
        return self.layers[1].forward_with(table, None, x, mode.child(1))

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        if not self._pays(x):
            return super().vjp(x, mode)
        parameters = [p for p in self._parameters() if p is not None]
        value, fill = dense.vjp(*self._values())
        table = Parameter(value, any(p.trainable for p in parameters))
        y, pullback = self.layers[1].vjp_with(table, None, x, mode.child(1))

        def backward(dy, need_dx=True):
            _, gradients = pullback(dy, need_dx=False)
            if table.trainable:
                found = fill(gradients.pop(table), wrt=tuple(p.trainable for p in parameters))
                gradients |= {p: d for p, d in zip(parameters, found, strict=True) if p.trainable}
            return None, gradients

        return y, backward

    def _parameters(self):
        vectors, layer = self.layers
        return vectors.weight, layer.weight_ih, layer.bias

    def _values(self):
        return [None if p is None else p.value for p in self._parameters()]

    def _pays(self, x):
        """Whether to make the table; where uses of layers are recorded each has to be used by itself."""
        vectors, layer = self.layers
        return np.size(x) >= vectors.size and not is_recorded(layer)
