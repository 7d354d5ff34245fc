"""Architectures fit their inputs and can be written to JSON."""

import json

import numpy as np
import pytest

from neurojit import layers
from neurojit.inspection import cost
from neurojit.models import default_convnet, lenet, resnet18


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (2, 1), (7, 3), (64, 1), (200, 2), (1, 1, 1), (3, 5, 2), (8, 8, 1), (28, 28, 1), (33, 40, 3)],
)
def test_default_network_takes_any_size(shape):
    network = default_convnet(shape, 4)
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    assert network(x).shape == (2, 4)
    assert network.output_shape(shape) == (4,)


def test_default_network_grows_with_the_image():
    def maps(shape):
        network = default_convnet(shape, 10)
        head = next(i for i, layer in enumerate(network) if isinstance(layer, layers.Flatten))
        return network[:head].output_shape(shape)

    assert maps((28, 28, 1)) == (7, 7, 64)
    assert maps((64, 64, 3)) == (4, 4, 256)


@pytest.mark.parametrize("shape", [(), (8,), (8, 8, 8, 1)])
def test_default_network_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="input_shape: got"):
        default_convnet(shape, 2)


def test_lenet_has_the_papers_parameters():
    network = lenet(10).make((28, 28, 1), 0)
    count = sum(parameter.value.size for parameter in network.named_parameters().values())
    # 6 (25 + 1), 16 (150 + 1) with all maps joined, 120 (400 + 1), 84 (120 + 1), 10 (84 + 1)
    assert count == 156 + 2416 + 48120 + 10164 + 850


@pytest.mark.parametrize("network", [lenet(3), default_convnet((28, 28, 1), 3), default_convnet((20, 1), 3)])
def test_configurations_are_json(network):
    again = layers.from_config(json.loads(json.dumps(network.config())))
    assert again.config() == network.config()
    assert repr(again) == repr(network)


def test_resnet_has_the_papers_cost():
    # 11,689,512 parameters, as is often printed, and 1.8 G multiply-adds (He et al. 2016, table 1).
    total = cost(resnet18(), (224, 224, 3)).total
    assert (total.parameters, total.multiply_adds) == (11_689_512, 1_814_073_344)


def test_resnet_halves_its_map_five_times():
    network = resnet18(7)
    stages = [network[:end].output_shape((224, 224, 3)) for end in (3, 4, 8, 12, 16, 20, 22)]
    assert stages[:2] == [(112, 112, 64), (56, 56, 64)]
    assert stages[2:6] == [(56, 56, 64), (28, 28, 128), (14, 14, 256), (7, 7, 512)]
    assert stages[6] == (7,)


def test_a_folded_resnet_computes_the_same():
    network = resnet18(7).make((33, 32, 3), 0)
    rng = np.random.default_rng(3)
    for layer, _ in network.walk():
        if isinstance(layer, layers.BatchNorm):
            layer.running_mean[:] = 0.1 * rng.standard_normal(layer.running_mean.shape)
            layer.running_var[:] = rng.uniform(1, 2, layer.running_var.shape)
    x = rng.standard_normal((2, 33, 32, 3), np.float32)
    folded = network.fold()
    assert not any(isinstance(layer, layers.BatchNorm) for layer, _ in folded.walk())
    np.testing.assert_allclose(folded(x), network(x), rtol=1e-3, atol=1e-4 * np.abs(network(x)).max())
