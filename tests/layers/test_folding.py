"""Batch normalization folded into what stands before it."""

import numpy as np
import pytest

from neurojit.layers import (
    AvgPool2d,
    BatchNorm,
    Concat,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Dense,
    Flatten,
    MaxPool2d,
    MaxUnpool2d,
    Mode,
    ReLU,
    Residual,
    Sequential,
    from_config,
)

X = np.random.default_rng(1).standard_normal((3, 9, 8, 2))


def trained(network, x=X, seed=2):
    """The network with moments and weights that are not those of the start."""
    network(x, Mode(training=True))
    rng = np.random.default_rng(seed)
    for layer, _ in network.walk():
        if isinstance(layer, BatchNorm):
            layer.gamma.value[:] = rng.uniform(0.5, 2, layer.gamma.value.shape)
            layer.beta.value[:] = rng.standard_normal(layer.beta.value.shape)
            layer.running_var[:] = rng.uniform(0.5, 2, layer.running_var.shape)
    return network


def kinds(network):
    return [type(layer).__name__ for layer, _ in network.walk()]


NETWORKS = {
    "convolution": Sequential(Conv2d(4, 3), BatchNorm(), ReLU(), Conv2d(6, 3, groups=2, use_bias=False), BatchNorm()),
    "dense": Sequential(Flatten(), Dense(5), BatchNorm(), ReLU(), Dense(3, use_bias=False), BatchNorm()),
    "behind a pooling": Sequential(Conv2d(4, 3, use_bias=False), MaxPool2d(3, 2, padding=1), BatchNorm()),
    "residual": Residual(Conv2d(4, 3, padding=1), BatchNorm(), projection=Sequential(Conv2d(4, 1), BatchNorm())),
    "two in a row": Sequential(Conv2d(4, 3), BatchNorm(), BatchNorm()),
    "transposed": Sequential(ConvTranspose2d(4, 3, stride=2), BatchNorm(), ReLU(), ConvTranspose2d(3, 2), BatchNorm()),
    "transposed in groups": Sequential(ConvTranspose2d(6, 3, groups=2, use_bias=False), BatchNorm()),
    "within an unpooling": MaxUnpool2d(MaxPool2d(2), Conv2d(2, 3, padding=1), BatchNorm()),
    "branches": Concat(Sequential(Conv2d(4, 1), BatchNorm()), Conv2d(2, 1)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_folded_networks_compute_the_same(name):
    network = trained(NETWORKS[name])
    before = {key: array.copy() for key, array in network.state().items()}
    folded = network.fold()
    assert "BatchNorm" not in kinds(folded)
    np.testing.assert_allclose(folded(X), network(X), rtol=1e-10, atol=1e-10)
    for key, array in network.state().items():
        np.testing.assert_array_equal(array, before[key])
    again = from_config(folded.config()).make(X.shape[1:], 0, np.float64)
    again.load_state(folded.state())
    np.testing.assert_array_equal(again(X), folded(X))


def test_float32_stays_float32():
    x = X.astype(np.float32)
    network = trained(Sequential(Conv2d(4, 3), BatchNorm()), x)
    folded = network.fold()
    assert {array.dtype for array in folded.state().values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(folded(x), network(x), rtol=1e-4, atol=1e-5)


def test_what_stays():
    tied = Conv2d(2, 3, padding=1)
    negative = trained(Sequential(Conv2d(4, 3), MaxPool2d(2), BatchNorm()))
    negative[2].gamma.value[0] = -1
    for network in (
        trained(Sequential(Conv2d(4, 3), ReLU(), BatchNorm())),
        trained(Sequential(Conv2d(4, 3), AvgPool2d(2), BatchNorm())),
        trained(Sequential(BatchNorm(), Conv2d(4, 3))),
        trained(Sequential(tied, ReLU(), tied, BatchNorm())),
        trained(Sequential(Concat(Conv2d(4, 3)), BatchNorm())),
        negative,
    ):
        folded = network.fold()
        assert kinds(folded) == kinds(network)
        np.testing.assert_array_equal(folded(X), network(X))
    assert kinds(Sequential(Conv2d(4, 3), BatchNorm()).fold()) == ["Sequential", "Conv2d", "BatchNorm"]  # not built


def test_one_that_stays_keeps_its_place():
    network = trained(Sequential(Conv1d(4, 3), ReLU(), BatchNorm(), Conv1d(4, 3), BatchNorm()), X[:, :, 0])
    folded = network.fold()
    assert kinds(folded) == ["Sequential", "Conv1d", "ReLU", "BatchNorm", "Conv1d"]
    np.testing.assert_allclose(folded(X[:, :, 0]), network(X[:, :, 0]), rtol=1e-10, atol=1e-10)
