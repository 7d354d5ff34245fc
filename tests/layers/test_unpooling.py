"""Unpooling layers: switches that stay within the pass."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.layers import (
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Dense,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    MaxUnpool1d,
    MaxUnpool2d,
    MaxUnpool3d,
    ReLU,
    Sequential,
    from_config,
)
from neurojit.testing import gradcheck

RNG = np.random.default_rng(3)
IMAGES = RNG.standard_normal((2, 7, 6, 3))
SIGNALS = RNG.standard_normal((2, 9, 3))
VOLUMES = RNG.standard_normal((2, 3, 4, 5, 2))


@pytest.mark.parametrize(
    ("layer", "x", "pool", "unpool"),
    [
        (MaxUnpool1d(MaxPool1d(3, 2)), SIGNALS, F.max_pool1d, F.max_unpool1d),
        (MaxUnpool2d(MaxPool2d((2, 3), 2, 1, ceil_mode=True)), IMAGES, F.max_pool2d, F.max_unpool2d),
        (MaxUnpool3d(MaxPool3d(2)), VOLUMES, F.max_pool3d, F.max_unpool3d),
    ],
)
def test_maxima_return_to_their_places(layer, x, pool, unpool):
    options = {name: value for name, value in layer.layers[0].config().items() if name != "layer"}
    y, switches = pool(x, **options, return_switches=True)
    np.testing.assert_array_equal(layer(x), unpool(y, switches, spatial_shape=x.shape[1:-1]))
    np.testing.assert_array_equal(layer.vjp(x)[0], layer(x))
    assert layer.output_shape(x.shape[1:]) == x.shape[1:]
    gradcheck(layer, x)


def test_layers_work_on_the_maxima():
    conv = Conv2d(3, 3, padding="same")
    layer = MaxUnpool2d(MaxPool2d(2), conv, ReLU())
    y, switches = F.max_pool2d(IMAGES, 2, return_switches=True)
    wanted = F.max_unpool2d(F.relu(conv(y)), switches, spatial_shape=(7, 6))
    np.testing.assert_array_equal(layer(IMAGES), wanted)
    gradcheck(layer, IMAGES)


def test_a_network_that_goes_down_and_up():
    network = Sequential(
        Conv2d(4, 3, padding=1),
        MaxUnpool2d(MaxPool2d(2), Conv2d(4, 1), MaxUnpool2d(MaxPool2d(3, 2), Dense(4)), Conv2d(4, 3, padding=1)),
        ConvTranspose2d(2, 3, padding=1),
    )
    assert network(IMAGES).shape == (2, 7, 6, 2)
    gradcheck(network, IMAGES)
    again = from_config(network.config()).make(IMAGES.shape[1:], 5, np.float64)
    again.load_state(network.state())
    np.testing.assert_array_equal(again(IMAGES), network(IMAGES))


def test_frozen_layers_and_no_gradient_to_the_input():
    layer = MaxUnpool1d(MaxPool1d(2), Conv1d(3, 1))
    y, backward = layer.vjp(SIGNALS)
    dx, gradients = backward(np.ones_like(y), need_dx=False)
    assert dx is None
    assert len(gradients) == 2
    layer.freeze()
    assert layer.vjp(SIGNALS)[1](np.ones_like(y))[1] == {}


def test_errors():
    with pytest.raises(TypeError, match=r"layers\[0\]: got Conv2d, wanted a MaxPool2d"):
        MaxUnpool2d(Conv2d(3, 3))
    with pytest.raises(TypeError, match=r"layers\[0\]: got MaxPool2d, wanted a MaxPool1d"):
        MaxUnpool1d(MaxPool2d(2))
    with pytest.raises(TypeError, match=r"layers\[0\]: got no layer"):
        MaxUnpool3d()
    with pytest.raises(ValueError, match=r"MaxUnpool2d: the layers give \(3, 3, 5\), wanted \(3, 3, 3\)"):
        MaxUnpool2d(MaxPool2d(2), Conv2d(5, 1)).make(IMAGES.shape[1:])
