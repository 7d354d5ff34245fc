"""Weight normalization by its definition, one output at a time."""

import math

import numpy as np


def weight_norm(direction, gain):
    """w_j = g_j v_j / |v_j|; the last axis is that of the outputs."""
    result = np.zeros(direction.shape)
    for j in range(direction.shape[-1]):
        norm = math.sqrt(sum(float(v) ** 2 for v in direction[..., j].ravel()))
        result[..., j] = gain[j] * direction[..., j] / norm
    return result
