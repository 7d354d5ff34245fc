"""Layers made of layers: one after another, around a shortcut, side by side."""

import numpy as np

from neurojit.functional.layout import joined, parted
from neurojit.layers.base import INFERENCE, Layer, add_gradients


class Combinator(Layer):
    """A layer made of others, named by their position; a subclass says how they are put together.

    Its `repr` is the expression that makes it, and once it is built the table of `neurojit.inspection.cost`: layers,
    shapes of their outputs, parameters and multiply-adds for inputs such as it was built for.

    Parameters
    ----------
    *layers : Layer

    Examples
    --------
    >>> from neurojit.layers import Dense, Sequential
    >>> len(Sequential(Dense(8), Dense(3)))
    2
    """

    def __init__(self, *layers):
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"layers[{i}]: got {type(layer).__name__}, wanted a Layer")
        self.layers = list(layers)

    def children(self):
        return {str(i): layer for i, layer in enumerate(self.layers)}

    def config(self):
        return {"layer": type(self).__name__, "layers": [layer.config() for layer in self.layers]}

    def __repr__(self):
        from neurojit.layers.cost import cost, countable

        return str(cost(self, self.made_for)) if countable(self) else self._expression()

    def _expression(self):
        inner = ",\n".join(layer._expression() for layer in self.layers).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {inner},\n)" if self.layers else f"{type(self).__name__}()"

    def __len__(self):
        return len(self.layers)

    def __iter__(self):
        return iter(self.layers)


class Sequential(Combinator):
    """Layers applied one after another: y = f_n(... f_2(f_1(x))).

    Parameters
    ----------
    *layers : Layer

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Dense, ReLU, Sequential
    >>> network = Sequential(Dense(8), ReLU(), Dense(3))
    >>> network(np.ones((2, 5), np.float32)).shape
    (2, 3)
    """

    def __getitem__(self, index):
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]

    def build(self, input_shape, key, dtype=np.float32):
        for i, layer in enumerate(self.layers):
            layer.make(input_shape, key.child(i), dtype)
            input_shape = layer.output_shape(input_shape)

    def output_shape(self, input_shape):
        for layer in self.layers:
            input_shape = layer.output_shape(input_shape)
        return tuple(input_shape)

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        for i, layer in enumerate(self.layers):
            x = layer.forward(x, mode.child(i))
        return x

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        pullbacks = []
        for i, layer in enumerate(self.layers):
            x, pullback = layer.vjp(x, mode.child(i))
            pullbacks.append(pullback)

        def backward(dy, need_dx=True):
            gradients = {}
            # Below the first layer that learns, nobody needs the gradient: do not compute it.
            last = 0 if need_dx else self._first_trainable()
            for i in range(len(pullbacks) - 1, last - 1, -1):
                dy, found = pullbacks[i](dy, need_dx or i > last)
                add_gradients(gradients, found)
            return (dy if need_dx else None), gradients

        return x, backward

    def _first_trainable(self):
        for i, layer in enumerate(self.layers):
            if any(parameter.trainable for parameter in layer.named_parameters().values()):
                return i
        return len(self.layers)


class Residual(Combinator):
    """A shortcut around layers: y = f(x) + x, or f(x) + g(x) with a projection g (He et al. 2016, equations 1 and 2).

    Parameters
    ----------
    *layers : Layer
        The residual function f, applied in sequence.
    projection : Layer or None, default=None
        The shortcut g, for when f changes the shape; None is the identity.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Conv2d, ReLU, Residual
    >>> block = Residual(Conv2d(4, 3, padding="same"), ReLU(), Conv2d(4, 3, padding="same"))
    >>> block(np.ones((2, 5, 5, 4), np.float32)).shape
    (2, 5, 5, 4)
    """

    def __init__(self, *layers, projection=None):
        super().__init__(*layers)
        if projection is not None and not isinstance(projection, Layer):
            raise TypeError(f"projection: got {type(projection).__name__}, wanted a Layer")
        self.projection = projection
        self.rebuild()

    def rebuild(self):
        """Make the residual function anew of `layers`, after these were exchanged."""
        self._residual = Sequential(*self.layers)

    def children(self):
        projection = {} if self.projection is None else {"projection": self.projection}
        return super().children() | projection

    def config(self):
        projection = None if self.projection is None else self.projection.config()
        return super().config() | {"projection": projection}

    def build(self, input_shape, key, dtype=np.float32):
        self._residual.make(input_shape, key.child(0), dtype)
        shortcut = tuple(input_shape)
        if self.projection is not None:
            self.projection.make(input_shape, key.child(1), dtype)
            shortcut = self.projection.output_shape(input_shape)
        residual = self._residual.output_shape(input_shape)
        if residual != shortcut:
            raise ValueError(f"Residual: the layers give {residual}, the shortcut {shortcut}, wanted equal shapes")

    def output_shape(self, input_shape):
        return self._residual.output_shape(input_shape)

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        shortcut = x if self.projection is None else self.projection.forward(x, mode.child(1))
        return self._residual.forward(x, mode.child(0)) + shortcut

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        y, residual_pullback = self._residual.vjp(x, mode.child(0))
        shortcut, projection_pullback = x, None
        if self.projection is not None:
            shortcut, projection_pullback = self.projection.vjp(x, mode.child(1))

        def backward(dy, need_dx=True):
            dx, gradients = residual_pullback(dy, need_dx)
            dshortcut = dy
            if projection_pullback is not None:
                dshortcut, found = projection_pullback(dy, need_dx)
                add_gradients(gradients, found)
            return (dx + dshortcut if need_dx else None), gradients

        return y + shortcut, backward


class Concat(Combinator):
    """Branches side by side on one input, joined along the channels: y = [f_1(x), ..., f_n(x)].

    Parameters
    ----------
    *layers : Layer
        The branches; their outputs agree in all but the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Concat, Conv2d
    >>> block = Concat(Conv2d(4, 1), Conv2d(8, 3, padding="same"))
    >>> block(np.ones((2, 5, 5, 3), np.float32)).shape
    (2, 5, 5, 12)
    """

    def build(self, input_shape, key, dtype=np.float32):
        for i, layer in enumerate(self.layers):
            layer.make(input_shape, key.child(i), dtype)
        self.output_shape(input_shape)

    def output_shape(self, input_shape):
        shapes = [layer.output_shape(input_shape) for layer in self.layers]
        if len({shape[:-1] for shape in shapes}) != 1:
            raise ValueError(f"Concat: the branches give {shapes}, wanted shapes equal in all but the last axis")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return joined([f.forward(x, mode.child(i)) for i, f in enumerate(self.layers)])

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        outputs, pullbacks = zip(*(f.vjp(x, mode.child(i)) for i, f in enumerate(self.layers)), strict=True)
        lengths = [y.shape[-1] for y in outputs]

        def backward(dy, need_dx=True):
            total, gradients = None, {}
            for pullback, part in zip(pullbacks, parted(dy, lengths), strict=True):
                dx, found = pullback(part, need_dx)
                add_gradients(gradients, found)
                if need_dx:
                    total = dx if total is None else total + dx
            return total, gradients

        return joined(outputs), backward
