"""Batch normalization folded into the layer before it, for inference."""

import collections
import copy

import numpy as np

from neurojit.layers.combinators import Combinator, Residual, Sequential
from neurojit.layers.normalization import BatchNorm
from neurojit.layers.pooling import MaxPool1d, MaxPool2d, MaxPool3d
from neurojit.layers.unpooling import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d

# Layers around a chain of others, which is made anew when these change.
_AROUND = Residual | MaxUnpool1d | MaxUnpool2d | MaxUnpool3d


def folded(network):
    """A copy of a network in which batch normalizations are part of the layers before them (`Layer.fold`)."""
    network = copy.deepcopy(network)
    uses = collections.Counter(id(layer) for layer in _every_use(network))
    _fold(network, uses)
    return network


def _every_use(layer):
    yield layer
    for child in layer.children().values():
        yield from _every_use(child)


def _fold(layer, uses):
    for child in layer.children().values():
        _fold(child, uses)
    if isinstance(layer, Sequential | _AROUND):
        layer.layers[:] = _without_norms(layer.layers, uses)
    if isinstance(layer, _AROUND):
        layer.rebuild()


def _without_norms(layers, uses):
    """A chain of layers, less the batch normalizations that the others could take in."""
    kept = []
    for layer in layers:
        if not (isinstance(layer, BatchNorm) and layer.built and _take_in(kept, layer, uses)):
            kept.append(layer)
    return kept


def _take_in(before, norm, uses):
    """Whether the last of the layers `before` a batch normalization could do its work as well."""
    inverse = 1.0 / np.sqrt(norm.running_var.astype(np.float64) + norm.eps)
    scale = inverse * norm.gamma.value
    shift = norm.beta.value - norm.running_mean * scale
    for layer in reversed(before):
        if isinstance(layer, MaxPool1d | MaxPool2d | MaxPool3d) and (scale > 0).all():
            continue  # the largest stays the largest
        alone = uses[id(layer)] == 1 and not isinstance(layer, Combinator)
        return alone and layer.absorb(scale, shift)
    return False
