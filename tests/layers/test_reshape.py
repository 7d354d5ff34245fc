"""Flatten and Reshape layers."""

import numpy as np
import pytest

from neurojit.layers import Flatten, Reshape
from neurojit.testing import gradcheck

X = np.random.default_rng(1).standard_normal((3, 4, 6))


@pytest.mark.parametrize(("layer", "shape"), [(Flatten(), (24,)), (Reshape((-1, 3)), (8, 3)), (Reshape(24), (24,))])
def test_layer(layer, shape):
    np.testing.assert_array_equal(layer(X), X.reshape(3, *shape))
    assert layer.output_shape((4, 6)) == shape
    gradcheck(layer, X)


def test_bad_shape():
    with pytest.raises(TypeError, match="shape: got 'flat'"):
        Reshape("flat")
    with pytest.raises(ValueError, match=r"shape: got \(5, -1\)"):
        Reshape((5, -1)).output_shape((4, 6))
