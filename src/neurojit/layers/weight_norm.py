"""Weight normalization around a layer."""

import numpy as np

from neurojit.functional.weight_norm import weight_norm
from neurojit.layers.base import INFERENCE, Layer, Parameter


class WeightNorm(Layer):
    """A layer whose weights are learned as norms and directions.

    The `weight` of the layer inside then holds the directions, whose own norms do not matter; at first the weights are
    what they would have been without. The paper sets the norms by a first batch instead, which is not done here.

    Parameters
    ----------
    inner : Layer
        A dense or convolution layer, or another with a parameter `weight` whose last axis is that of the outputs.

    Attributes
    ----------
    gain : Parameter, shape (outputs,)
        The norm of each output's weights.

    See Also
    --------
    neurojit.functional.weight_norm : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Dense, WeightNorm
    >>> layer = WeightNorm(Dense(3))
    >>> layer(np.ones((2, 5), np.float32)).shape
    (2, 3)
    >>> list(layer.named_parameters())
    ['gain', 'inner.weight', 'inner.bias']
    """

    def __init__(self, inner):
        if not isinstance(inner, Layer):
            raise TypeError(f"inner: got {type(inner).__name__}, wanted a Layer")
        self.inner = inner
        self.gain = None

    def children(self):
        return {"inner": self.inner}

    def config(self):
        return {"layer": type(self).__name__, "inner": self.inner.config()}

    def build(self, input_shape, key, dtype=np.float32):
        self.inner.make(input_shape, key.child(0), dtype)
        weight = getattr(self.inner, "weight", None)
        if not isinstance(weight, Parameter):
            raise TypeError(f"inner: got a {type(self.inner).__name__}, wanted a layer with a parameter `weight`")
        norms = np.sqrt(np.square(weight.value).sum(axis=tuple(range(weight.value.ndim - 1))))
        self.gain = Parameter(norms.astype(dtype))

    def output_shape(self, input_shape):
        return self.inner.output_shape(input_shape)

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        op, parameters, options = self.inner.operation(mode)
        return op(x, *self._values(parameters, weight_norm(*self._parts())), **options)

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        direction, gain = self.inner.weight, self.gain
        op, parameters, options = self.inner.operation(mode)
        weight, weight_pullback = weight_norm.vjp(*self._parts())
        y, pullback = op.vjp(x, *self._values(parameters, weight), **options)
        given = [p for p in parameters if p is not None]

        def backward(dy, need_dx=True):
            learns = {id(p): p.trainable for p in given} | {id(direction): direction.trainable or gain.trainable}
            wrt = (need_dx, *(learns[id(p)] for p in given))
            if not any(wrt):
                return None, {}
            dx, *found = pullback(dy, wrt)
            gradients = {p: g for p, g in zip(given, found, strict=True) if learns[id(p)]}
            if learns[id(direction)]:
                wanted = (direction.trainable, gain.trainable)
                parts = weight_pullback(gradients.pop(direction), wrt=wanted)
                gradients |= {p: g for p, g in zip((direction, gain), parts, strict=True) if p.trainable}
            return dx, gradients

        return y, backward

    def _parts(self):
        return self.inner.weight.value, self.gain.value

    def _values(self, parameters, weight):
        """The inner layer's arrays, with the normalized weight in place of the directions."""
        return [weight if p is self.inner.weight else None if p is None else p.value for p in parameters]
