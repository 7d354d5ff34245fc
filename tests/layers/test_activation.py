"""Activation layers apply their functions."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit import layers
from neurojit.testing import gradcheck

CASES = [
    (layers.ReLU(), F.relu, {}),
    (layers.LeakyReLU(0.2), F.leaky_relu, {"slope": 0.2}),
    (layers.ELU(0.7), F.elu, {"alpha": 0.7}),
    (layers.GELU(), F.gelu, {}),
    (layers.GELU(approximate=True), F.gelu, {"approximate": True}),
    (layers.SiLU(), F.silu, {}),
    (layers.Sigmoid(), F.sigmoid, {}),
    (layers.Tanh(), F.tanh, {}),
    (layers.Softplus(), F.softplus, {}),
    (layers.Softmax(), F.softmax, {}),
    (layers.Softmax(axis=1), F.softmax, {"axis": 1}),
    (layers.LogSoftmax(), F.log_softmax, {}),
    (layers.CELU(0.7), F.celu, {"alpha": 0.7}),
    (layers.SELU(), F.selu, {}),
    (layers.Mish(), F.mish, {}),
    (layers.HardSigmoid(0.3, 0.4), F.hard_sigmoid, {"slope": 0.3, "offset": 0.4}),
    (layers.HardSwish(), F.hard_swish, {}),
    (layers.ThresholdedReLU(0.5), F.thresholded_relu, {"threshold": 0.5}),
]


@pytest.mark.parametrize(("layer", "function", "options"), CASES, ids=[repr(layer) for layer, *_ in CASES])
def test_layer(layer, function, options):
    x = np.random.default_rng(1).standard_normal((3, 2, 5))
    np.testing.assert_array_equal(layer(x), function(x, **options))
    assert layer.output_shape((2, 5)) == (2, 5)
    gradcheck(layer, x)


def test_prelu_learns_a_slope_for_each_channel():
    layer, x = layers.PReLU(0.1), np.random.default_rng(2).standard_normal((3, 4, 5))
    np.testing.assert_array_equal(layer(x), np.where(x > 0, x, 0.1 * x))
    assert layer.slope.value.shape == (5,)
    gradcheck(layer, x)
