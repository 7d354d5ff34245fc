"""Pooling layers: shapes and gradients."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit import layers
from neurojit.testing import gradcheck

IMAGES = np.random.default_rng(1).standard_normal((2, 7, 6, 3))
VOLUMES = np.random.default_rng(2).standard_normal((2, 3, 4, 5, 2))
CASES = [
    (layers.MaxPool2d(2), IMAGES, lambda x: F.max_pool2d(x, 2)),
    (
        layers.MaxPool2d((3, 2), 2, "same", 1, True),
        IMAGES,
        lambda x: F.max_pool2d(x, (3, 2), stride=2, padding="same", ceil_mode=True),
    ),
    (layers.MaxPool1d(3, padding=1), IMAGES[:, 0], lambda x: F.max_pool1d(x, 3, padding=1)),
    (
        layers.AvgPool2d(3, 1, 1, count_include_pad=False),
        IMAGES,
        lambda x: F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False),
    ),
    (layers.AvgPool1d(2, ceil_mode=True), IMAGES[:, :, 0], lambda x: F.avg_pool1d(x, 2, ceil_mode=True)),
    (layers.MaxPool3d(2, padding=1), VOLUMES, lambda x: F.max_pool3d(x, 2, padding=1)),
    (layers.AvgPool3d((1, 2, 2), 1), VOLUMES, lambda x: F.avg_pool3d(x, (1, 2, 2), stride=1)),
    (layers.LpPool1d(3, 4), IMAGES[:, 0], lambda x: F.lp_pool1d(x, 3, p=4)),
    (layers.LpPool2d(2, stride=1, ceil_mode=True), IMAGES, lambda x: F.lp_pool2d(x, 2, stride=1, ceil_mode=True)),
    (layers.LpPool3d(2), VOLUMES, lambda x: F.lp_pool3d(x, 2)),
    (layers.AdaptiveAvgPool2d((2, 5)), IMAGES, lambda x: F.adaptive_avg_pool2d(x, (2, 5))),
    (layers.GlobalAvgPool(), IMAGES, F.global_avg_pool),
    (layers.GlobalMaxPool(), IMAGES, F.global_max_pool),
]


@pytest.mark.parametrize(("layer", "x", "function"), CASES, ids=[repr(layer) for layer, *_ in CASES])
def test_layer(layer, x, function):
    y = layer(x)
    np.testing.assert_array_equal(y, function(x))
    assert layer.output_shape(x.shape[1:]) == y.shape[1:]
    assert layer.state() == {}
    gradcheck(layer, x)


def test_output_shape_of_the_wrong_rank():
    with pytest.raises(ValueError, match="MaxPool2d: got inputs of shape"):
        layers.MaxPool2d(2).output_shape((8, 3))
    with pytest.raises(ValueError, match="AdaptiveAvgPool2d: got inputs of shape"):
        layers.AdaptiveAvgPool2d(2).output_shape((8, 3))
    with pytest.raises(ValueError, match="window: got 9"):
        layers.MaxPool2d(9).output_shape((8, 8, 3))
