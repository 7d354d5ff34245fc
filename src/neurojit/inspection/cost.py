"""What a network costs: parameters, multiply-adds, activations and bytes, layer by layer."""

import copy
import dataclasses
import math

import numpy as np

from neurojit.core.random import Key
from neurojit.inspection.tables import Table
from neurojit.layers import Combinator, Concat, Residual, Sequential


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one layer costs for one sample.

    Parameters
    ----------
    layer : str
        Its place in the network and its kind.
    output_shape : tuple of int or None
        Of one sample; None in the line of totals.
    parameters : int
        Numbers that are learned; those that several layers share count for the first one.
    multiply_adds : int
        Of convolutions and dense layers, as is usual; what else there is costs little beside them.
    activations : int
        Numbers in the output.
    bytes : int
        Of the parameters and the output.

    Examples
    --------
    >>> from neurojit.inspection import Cost
    >>> Cost("0 Dense", (3,), 9, 6, 3, 48).parameters
    9
    """

    layer: str
    output_shape: tuple | None
    parameters: int
    multiply_adds: int
    activations: int
    bytes: int


def cost(network, input_shape):
    """Count what every layer of a network costs for one sample.

    The accounting of He and Sun, "Convolutional neural networks at constrained time cost" (CVPR 2015), equation 1: a
    convolution from c_in to c_out channels, with a window of s^2 and a map of m^2, is c_in s^2 c_out m^2 multiply-adds.

    Parameters
    ----------
    network : Layer
        Built or not; it is left as it is, and no weights are made to count them.
    input_shape : tuple of int
        Of one sample.

    Returns
    -------
    Table of Cost
        One row for each layer that is not made of others, in the order they are passed; prints as a table. Its `total`
        has the sums.

    Raises
    ------
    TypeError
        If the network holds a combinator of a kind that is not known.
    ValueError
        If the network does not take inputs of this shape.

    Examples
    --------
    >>> from neurojit.inspection import cost
    >>> from neurojit.layers import Conv2d, Dense, Flatten, ReLU, Sequential
    >>> print(cost(Sequential(Conv2d(6, 5), ReLU(), Flatten(), Dense(10)), (28, 28, 1)))
    layer      output shape  parameters  multiply adds  activations    bytes
    0 Conv2d    24 x 24 x 6         156         86,400        3,456   14,448
    1 ReLU      24 x 24 x 6           0              0        3,456   13,824
    2 Flatten         3,456           0              0        3,456   13,824
    3 Dense              10      34,570         34,560           10  138,320
    total                 -      34,726        120,960       10,378  180,416
    """
    input_shape = tuple(input_shape)
    if not network.built:
        network = copy.deepcopy(network)
        network.make(input_shape, _NoNumbers(0))
    network.output_shape(input_shape)
    counted: set[int] = set()
    rows = [_cost_of(path, layer, shape, counted) for path, layer, shape in _leaves(network, input_shape, "")]
    sums = (sum(getattr(row, field.name) for row in rows) for field in dataclasses.fields(Cost)[2:])
    return Table(rows, Cost("total", None, *sums))


def _leaves(layer, shape, path):
    """Every layer that is not made of others, with its path and its input's shape, in the order they are passed."""
    if not isinstance(layer, Combinator):
        yield path, layer, shape
        return
    if not isinstance(layer, Sequential | Residual | Concat):
        raise TypeError(f"network: got a {type(layer).__name__}, wanted Sequential, Residual and Concat as combinators")
    projection = getattr(layer, "projection", None)
    if projection is not None:
        yield from _leaves(projection, shape, f"{path}.projection".lstrip("."))
    for i, child in enumerate(layer):
        yield from _leaves(child, shape, f"{path}.{i}".lstrip("."))
        if not isinstance(layer, Concat):
            shape = child.output_shape(shape)


def _cost_of(path, layer, input_shape, counted):
    own = [p for p in layer.named_parameters().values() if id(p) not in counted]
    counted.update(id(p) for p in own)
    output_shape = layer.output_shape(input_shape)
    parameters, activations = sum(p.value.size for p in own), math.prod(output_shape)
    weights = [p.value.size for name, p in layer.named_parameters().items() if name.endswith("weight")]
    itemsize = own[0].value.itemsize if own else np.dtype(np.float32).itemsize
    return Cost(
        layer=f"{path} {type(layer).__name__}".strip(),
        output_shape=output_shape,
        parameters=parameters,
        multiply_adds=sum(weights) * math.prod(output_shape[:-1]),  # each weight is used once for each position
        activations=activations,
        bytes=itemsize * (parameters + activations),
    )


class _Unfilled(np.ndarray):
    """An array with a shape and no memory behind it, as is what is computed from it."""

    @classmethod
    def of(cls, shape, dtype):
        return np.broadcast_to(np.zeros((), dtype), shape).view(cls)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        shape = np.broadcast_shapes(*(np.shape(each) for each in inputs))
        if method == "reduce":
            summed = np.arange(len(shape))[np.r_[options["axis"]]]
            shape = tuple(size for axis, size in enumerate(shape) if axis not in summed)
        return _Unfilled.of(shape, self.dtype)


class _NoNumbers(Key):
    """A key that draws arrays without memory, to build a network of any size for its shapes."""

    def child(self, index):
        return self

    def normal(self, shape, std=1.0, dtype=np.float32):
        return _Unfilled.of(shape, dtype)

    def uniform(self, shape, low=0.0, high=1.0, dtype=np.float32):
        return _Unfilled.of(shape, dtype)
