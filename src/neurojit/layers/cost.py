"""What a network costs: parameters, multiply-adds, activations and bytes, layer by layer."""

import copy
import dataclasses
import math

import numpy as np

from neurojit.core.random import Key
from neurojit.core.tables import Table
from neurojit.layers.combinators import Combinator, Concat, Residual, Sequential
from neurojit.layers.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from neurojit.layers.embedding import Embedding
from neurojit.layers.recurrence import Recurrent
from neurojit.layers.sequences import Bidirectional, TimeDistributed
from neurojit.layers.unpooling import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d

_TRANSPOSED = ConvTranspose1d | ConvTranspose2d | ConvTranspose3d
_CHAINS = Sequential | Residual | MaxUnpool1d | MaxUnpool2d | MaxUnpool3d
_BRANCHES = Concat | Bidirectional
_KNOWN = _CHAINS | _BRANCHES


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
        Of convolutions, dense and recurrent layers, as is usual; what else there is costs little beside them.
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
    convolution from c_in to c_out channels, with a window of s^2 and a map of m^2, is c_in s^2 c_out m^2 multiply-adds,
    m^2 being outputs, or inputs where the convolution is transposed. A recurrent layer uses its weights in every step.

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
        If the network does not take inputs of this shape, or the shape leaves a size open.

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
    if any(size is None for size in input_shape):
        raise ValueError(f"input_shape: got {input_shape}, wanted a number for each size")
    if not network.built:
        network = copy.deepcopy(network)
        network.make(input_shape, _NoNumbers(0))
    network.output_shape(input_shape)
    counted: set[int] = set()
    rows = [_cost_of(*leaf, counted) for leaf in _leaves(network, input_shape, (), "")]
    sums = (sum(getattr(row, field.name) for row in rows) for field in dataclasses.fields(Cost)[2:])
    return Table(rows, Cost("total", None, *sums))


def countable(network):
    """Whether `cost` can count a network for the input it was built for."""
    made_for = network.made_for
    combinators = [layer for layer, _ in network.walk() if isinstance(layer, Combinator)]
    return made_for is not None and None not in made_for and all(isinstance(c, _KNOWN) for c in combinators)


def _leaves(layer, shape, steps, path):
    """Every layer that is not made of others, in the order they are passed: its path, the layer, its input's shape, and
    the axes before that, of steps it is applied to one by one.
    """
    if not isinstance(layer, Combinator):
        yield path, layer, shape, steps
        return
    if not isinstance(layer, _KNOWN):
        wanted = "Sequential, Residual, Concat, recurrent ones and MaxUnpool as combinators"
        raise TypeError(f"network: got a {type(layer).__name__}, wanted {wanted}")
    if isinstance(layer, TimeDistributed):
        shape, steps = shape[1:], (*steps, shape[0])
    projection = getattr(layer, "projection", None)
    if projection is not None:
        yield from _leaves(projection, shape, steps, f"{path}.projection".lstrip("."))
    for i, child in enumerate(layer):
        yield from _leaves(child, shape, steps, f"{path}.{i}".lstrip("."))
        if not isinstance(layer, _BRANCHES):
            shape = child.output_shape(shape)


def _cost_of(path, layer, input_shape, steps, counted):
    own = [p for p in layer.named_parameters().values() if id(p) not in counted]
    counted.update(id(p) for p in own)
    output_shape = (*steps, *layer.output_shape(input_shape))
    parameters, activations = sum(p.value.size for p in own), math.prod(output_shape)
    itemsize = own[0].value.itemsize if own else np.dtype(np.float32).itemsize
    return Cost(
        layer=f"{path} {type(layer).__name__}".strip(),
        output_shape=output_shape,
        parameters=parameters,
        multiply_adds=_multiply_adds(layer, input_shape) * math.prod(steps),
        activations=activations,
        bytes=itemsize * (parameters + activations),
    )


def _multiply_adds(layer, input_shape):
    """Each weight is used once for each position; those of an embedding are looked up."""
    if isinstance(layer, Embedding):
        return 0
    positions = layer.output_shape(input_shape)[:-1]
    if isinstance(layer, _TRANSPOSED):
        positions = input_shape[:-1]
    elif isinstance(layer, Recurrent) and not layer.return_sequences:
        positions = (input_shape[0], *positions)
    weights = [p.value.size for name, p in layer.named_parameters().items() if _is_weight(name)]
    return sum(weights) * math.prod(positions)


def _is_weight(name):
    return name.endswith(("weight", "weight_ih", "weight_hh"))


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
