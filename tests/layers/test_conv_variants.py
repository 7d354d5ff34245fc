"""Layers of the convolution variants: their functions, shapes and gradients."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit import layers
from neurojit.testing import gradcheck

IMAGES = np.random.default_rng(1).standard_normal((2, 6, 7, 4))
VOLUMES = np.random.default_rng(2).standard_normal((2, 3, 4, 5, 2))


def values(layer, *names):
    found = layer.named_parameters()
    return [found[name].value for name in names]


CASES = [
    (
        layers.Conv3d(3, (2, 3, 1), padding=1),
        VOLUMES,
        lambda layer, x: F.conv3d(x, *values(layer, "weight", "bias"), padding=1),
    ),
    (
        layers.ConvTranspose1d(3, 4, stride=2, padding=1),
        IMAGES[:, 0],
        lambda layer, x: F.conv_transpose1d(x, *values(layer, "weight", "bias"), stride=2, padding=1),
    ),
    (
        layers.ConvTranspose2d(6, 3, stride=2, output_padding=1, groups=2),
        IMAGES,
        lambda layer, x: F.conv_transpose2d(x, *values(layer, "weight", "bias"), stride=2, output_padding=1, groups=2),
    ),
    (
        layers.ConvTranspose3d(2, 2, stride=2, padding="same", use_bias=False),
        VOLUMES,
        lambda layer, x: F.conv_transpose3d(x, *values(layer, "weight"), stride=2, padding="same"),
    ),
    (
        layers.DepthwiseConv2d(3, 2, stride=2, padding="same"),
        IMAGES,
        lambda layer, x: F.conv2d(x, *values(layer, "weight", "bias"), stride=2, padding="same", groups=4),
    ),
    (
        layers.SeparableConv2d(5, 3, multiplier=2, padding=1),
        IMAGES,
        lambda layer, x: F.conv2d(
            F.conv2d(x, *values(layer, "depthwise.weight"), padding=1, groups=4),
            *values(layer, "pointwise.weight", "pointwise.bias"),
        ),
    ),
    (
        layers.SpatialSeparableConv2d(3, (3, 5), stride=(2, 1), padding=((0, 1), (2, 1))),
        IMAGES,
        lambda layer, x: F.conv2d(
            F.conv2d(x, *values(layer, "column.weight"), stride=(2, 1), padding=((0, 1), (0, 0))),
            *values(layer, "row.weight", "row.bias"),
            padding=((0, 0), (2, 1)),
        ),
    ),
    (
        layers.SpatialSeparableConv2d(3, 3, padding=(1, 2), dilation=(1, 2), use_bias=False),
        IMAGES,
        lambda layer, x: F.conv2d(
            F.conv2d(x, *values(layer, "column.weight"), padding=(1, 0)),
            *values(layer, "row.weight"),
            padding=(0, 2),
            dilation=(1, 2),
        ),
    ),
]


@pytest.mark.parametrize(("layer", "x", "function"), CASES, ids=[repr(layer) for layer, *_ in CASES])
def test_layer(layer, x, function):
    y = layer(x)
    np.testing.assert_array_equal(y, function(layer, x))
    assert layer.output_shape(x.shape[1:]) == y.shape[1:]
    gradcheck(layer, x, max_entries=40)


BINARY = [
    (layers.BinaryConv2d(3, 3, padding=1), IMAGES, F.binary_conv2d, {"padding": 1}),
    (
        layers.BinaryConv2d(3, 2, binary_input=False, stride=2, use_bias=False),
        IMAGES,
        F.binary_conv2d,
        {"binary_input": False, "stride": 2},
    ),
    (layers.BinaryDense(3), IMAGES.reshape(2, -1), F.binary_dense, {}),
]


@pytest.mark.parametrize(("layer", "x", "op", "options"), BINARY, ids=[repr(layer) for layer, *_ in BINARY])
def test_binary_layer(layer, x, op, options):
    y, backward = layer.vjp(x)
    expected, pullback = op.vjp(x, *values(layer, *layer.named_parameters()), **options)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(layer(x), y)
    assert layer.output_shape(x.shape[1:]) == y.shape[1:]
    dx, gradients = backward(y)
    for mine, theirs in zip((dx, *gradients.values()), pullback(y), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("options", [{}, {"modulated": True, "offset_groups": 2}, {"use_bias": False, "groups": 2}])
def test_deformable_layer_starts_as_a_convolution(options):
    layer = layers.DeformConv2d(4, 3, padding=1, **options)
    y = layer(IMAGES)
    given = values(layer, "weight", "bias") if layer.use_bias else values(layer, "weight")
    share = 0.5 if layer.modulated else 1
    np.testing.assert_allclose(y, share * F.conv2d(IMAGES, *given, padding=1, groups=layer.groups), atol=1e-12)
    assert layer.output_shape(IMAGES.shape[1:]) == y.shape[1:]
    rng = np.random.default_rng(3)
    layer.place_weight.value[...] = 0.02 * rng.standard_normal(layer.place_weight.value.shape)
    layer.place_bias.value[...] = rng.uniform(0.3, 0.7, layer.place_bias.value.shape)  # away from whole pixels
    gradcheck(layer, IMAGES, max_entries=30)


def test_frozen_places_cost_nothing():
    layer = layers.DeformConv2d(4, 3, modulated=True).make(IMAGES.shape[1:], 0, np.float64)
    layer.place_weight.trainable = layer.place_bias.trainable = False
    y, backward = layer.vjp(IMAGES)
    dx, gradients = backward(y, need_dx=False)
    assert dx is None
    assert set(gradients) == {layer.weight, layer.bias}
    layer.freeze()
    assert backward(y, need_dx=False) == (None, {})


BAD = [
    (lambda: layers.DepthwiseConv2d(3, 0), "multiplier: got 0"),
    (lambda: layers.DepthwiseConv2d(9).output_shape((8, 8, 3)), "window: got 9"),
    (lambda: layers.SeparableConv2d(0, 3), "filters: got 0"),
    (lambda: layers.SpatialSeparableConv2d(4, 3, padding=-1), "padding: got -1"),
    (lambda: layers.ConvTranspose2d(4, 3).output_shape((8, 3)), "ConvTranspose2d: got inputs of shape"),
    (lambda: layers.ConvTranspose2d(4, 3, groups=3).output_shape((8, 8, 3)), "groups: got 3"),
    (lambda: layers.ConvTranspose2d(4, 3, groups=0), "groups: got 0"),
    (lambda: layers.DeformConv2d(4, 3, offset_groups=3)(IMAGES), "offset_groups: got 3"),
    (lambda: layers.BinaryDense(0), "units: got 0"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
