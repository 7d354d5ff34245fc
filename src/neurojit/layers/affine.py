"""Layers that end in a product with weights and a bias take further scales and shifts in."""

import numpy as np

from neurojit.layers.base import Parameter


def absorb_affine(layer, scale, shift):
    """Put y -> scale y + shift into a layer's weight, whose last axis is that of its outputs, and its bias."""
    weight = layer.weight.value
    bias = np.zeros_like(scale) if layer.bias is None else layer.bias.value
    layer.weight = Parameter((weight * scale).astype(weight.dtype), layer.weight.trainable)
    layer.bias = Parameter((bias * scale + shift).astype(weight.dtype), layer.weight.trainable)
    layer.use_bias = True
    return True
