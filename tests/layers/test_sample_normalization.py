"""Layers that normalize each sample apply their functions and learn scale and shift."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit import layers
from neurojit.testing import gradcheck

X = np.random.default_rng(1).standard_normal((3, 4, 2, 6)) * 2 + 1
CASES = [
    (layers.InstanceNorm(1e-3), lambda x, g, b: F.instance_norm(x, g, b, eps=1e-3), (6,)),
    (layers.GroupNorm(3), lambda x, g, b: F.group_norm(x, g, b, groups=3), (6,)),
    (layers.LayerNorm(), F.layer_norm, (6,)),
    (layers.LayerNorm(axis=(1, 2, 3)), lambda x, g, b: F.layer_norm(x, g, b, axis=(1, 2, 3)), (4, 2, 6)),
    (layers.LayerNorm(axis=-2), lambda x, g, b: F.layer_norm(x, g, b, axis=2), (2,)),
    (layers.RMSNorm(eps=1e-2), lambda x, g, b: F.rms_norm(x, g, eps=1e-2), (6,)),
]


@pytest.mark.parametrize(("layer", "function", "shape"), CASES, ids=[repr(layer) for layer, *_ in CASES])
def test_layer(layer, function, shape):
    layer(X)
    rng = np.random.default_rng(2)
    parameters = layer.named_parameters()
    for parameter in parameters.values():
        parameter.value[:] = rng.standard_normal(shape)
    values = [parameters[name].value if name in parameters else None for name in ("gamma", "beta")]
    np.testing.assert_array_equal(layer(X), function(X, *values))
    assert layer.output_shape(X.shape[1:]) == X.shape[1:]
    gradcheck(layer, X)


def test_local_response_norm():
    layer = layers.LocalResponseNorm(3, alpha=0.2, beta=0.5, k=2.0)
    np.testing.assert_array_equal(layer(X), F.local_response_norm(X, size=3, alpha=0.2, beta=0.5, k=2.0))
    gradcheck(layer, X)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.GroupNorm(4).make((5, 6)), ValueError, "groups: got 4"),
        (lambda: layers.GroupNorm(0), ValueError, "groups: got 0"),
        (lambda: layers.LayerNorm(axis=0).make((5, 6)), ValueError, "axis: got 0"),
        (lambda: layers.RMSNorm(axis=3).make((5, 6)), ValueError, "axis: got 3"),
        (lambda: layers.LayerNorm(axis=-3).make((5, 6)), ValueError, "axis: got -3"),
        (lambda: layers.InstanceNorm(eps=0), ValueError, "eps: got 0"),
        (lambda: layers.RMSNorm(eps=-1), ValueError, "eps: got -1"),
    ],
)
def test_bad_options(make, error, message):
    with pytest.raises(error) as raised:
        make()
    assert str(raised.value).startswith(message)
