"""Small data that is quickly learnt."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def stripes():
    """Images of 6x6 pixels with horizontal or vertical stripes under noise, and which: (X, y), 120 of them."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    X = rng.normal(0, 0.3, (120, 6, 6, 1)).astype(np.float32)
    X[y == 0, ::2] += 1
    X[y == 1, :, ::2] += 1
    return X, y
