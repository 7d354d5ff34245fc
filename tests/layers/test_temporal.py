"""Weight normalization around layers and the blocks of temporal convolutional networks."""

import numpy as np
import pytest

from neurojit.core.random import Key
from neurojit.inspection import cost, receptive_field
from neurojit.layers import Conv1d, Conv2d, Dense, Mode, ReLU, Sequential, TemporalBlock, WeightNorm, from_config
from neurojit.models import tcn
from neurojit.testing import gradcheck

TRAINING = Mode(training=True, key=Key.from_random_state(1))
X = np.random.default_rng(1).standard_normal((3, 9, 2))


@pytest.mark.parametrize("inner", [Dense(4), Conv1d(4, 3, padding=1), Conv1d(4, 2, use_bias=False)], ids=repr)
def test_weight_norm_of_a_layer(inner):
    layer = WeightNorm(inner)
    plain = from_config(inner.config()).make(X.shape[1:], None, X.dtype)
    y = layer(X)
    plain.weight.value[...] = inner.weight.value
    np.testing.assert_allclose(y, plain(X), rtol=1e-12, atol=1e-14)  # at first it changes nothing
    layer.gain.value *= -2
    inner.weight.value *= 3  # lengths of directions do not matter
    np.testing.assert_allclose(layer(X), -2 * y, rtol=1e-12, atol=1e-14)
    gradcheck(layer, X)


def test_weight_norm_of_images_and_frozen_parts():
    layer = WeightNorm(Conv2d(3, 3)).make((5, 5, 2), 0, np.float64)
    x = np.random.default_rng(0).standard_normal((2, 5, 5, 2))
    gradcheck(layer, x)
    dy = np.ones_like(layer(x))
    _, everything = layer.vjp(x)[1](dy)
    assert list(layer.named_parameters()) == ["gain", "inner.weight", "inner.bias"]
    for frozen in layer.named_parameters().values():
        frozen.trainable = False
        _, found = layer.vjp(x)[1](dy)
        assert found.keys() == everything.keys() - {frozen}
        for parameter, gradient in found.items():
            np.testing.assert_array_equal(gradient, everything[parameter])
        frozen.trainable = True
    layer.freeze()
    dx, found = layer.vjp(x)[1](dy)
    assert found == {}
    assert dx.shape == x.shape
    assert layer.vjp(x)[1](dy, need_dx=False) == (None, {})


def test_weight_norm_refuses_what_has_no_weights():
    with pytest.raises(TypeError, match="inner: got int, wanted a Layer"):
        WeightNorm(3)
    with pytest.raises(TypeError, match="inner: got a ReLU, wanted a layer with a parameter `weight`"):
        WeightNorm(ReLU())(X)


@pytest.mark.parametrize("filters", [2, 5])
@pytest.mark.parametrize("mode", [Mode(), TRAINING], ids=["inference", "training"])
def test_gradients_of_a_block(filters, mode):
    gradcheck(TemporalBlock(filters, 3, dilation=2, dropout=0.3), X, mode=mode)


def test_gradients_of_a_network():
    network = Sequential(tcn([3, 3, 4], kernel_size=2), Dense(2)).make(X.shape[1:], 0, np.float64)
    for name, parameter in network.named_parameters().items():
        if name.endswith("bias"):  # else units whose inputs are all 0 stand on the rectifier's kink
            parameter.value += np.random.default_rng(3).uniform(0.01, 0.1, parameter.value.shape)
    gradcheck(network, X, mode=TRAINING, max_entries=20)


@pytest.mark.parametrize("filters", [2, 5])
def test_a_block_equals_pytorch(filters, torch):
    """The authors' block: weight_norm(Conv1d), cut on the right, relu, twice; 1x1 shortcut where channels differ."""
    block = TemporalBlock(filters, 3, dilation=2).make(X.shape[1:], 0, np.float64)
    parameters = block.named_parameters()
    rng = np.random.default_rng(2)
    for parameter in parameters.values():
        parameter.value += 0.3 * rng.standard_normal(parameter.value.shape)
    given = {name: torch.from_numpy(p.value.copy()).requires_grad_() for name, p in parameters.items()}
    x = torch.from_numpy(X.copy()).requires_grad_()

    def convolution(signal, place):
        direction = given[f"0.{place}.inner.weight"].permute(2, 1, 0)
        weight = torch._weight_norm(direction, given[f"0.{place}.gain"].reshape(-1, 1, 1), 0)
        y = torch.nn.functional.conv1d(signal, weight, given[f"0.{place}.inner.bias"], padding=4, dilation=2)
        return torch.relu(y[:, :, :-4])

    signal = x.transpose(1, 2)
    shortcut = signal
    if filters != 2:
        weight = given["0.projection.weight"].permute(2, 1, 0)
        shortcut = torch.nn.functional.conv1d(signal, weight, given["0.projection.bias"])
    wanted = torch.relu(convolution(convolution(signal, 0), 3) + shortcut).transpose(1, 2)
    dy = rng.standard_normal(wanted.shape)
    dx, *gradients = torch.autograd.grad(wanted, (x, *given.values()), torch.from_numpy(dy))

    y, backward = block.vjp(X)
    np.testing.assert_allclose(y, wanted.detach(), rtol=1e-11, atol=1e-13)
    mine, found = backward(dy)
    np.testing.assert_allclose(mine, dx, rtol=1e-10, atol=1e-12)
    for (name, parameter), gradient in zip(parameters.items(), gradients, strict=True):
        np.testing.assert_allclose(found[parameter], gradient, rtol=1e-10, atol=1e-12, err_msg=name)


def test_outputs_see_nothing_later():
    network = tcn([4, 4], kernel_size=3)
    y = network(X)
    changed = X.copy()
    changed[:, 5] += 1
    after = network(changed)
    np.testing.assert_array_equal(after[:, :5], y[:, :5])
    assert (after[:, 5] != y[:, 5]).any()


def test_reach_and_cost():
    network = tcn([8, 8, 8], kernel_size=4)
    assert receptive_field(network)[-1].size == (1 + 2 * 3 * 7,)
    assert cost(network, (50, 8)).total.parameters == 6 * (4 * 8 * 8 + 2 * 8)
    assert [block.dilation for block in network] == [1, 2, 4]
    with pytest.raises(ValueError, match="channels: got none"):
        tcn([])


def test_block_comes_back_from_its_description():
    block = TemporalBlock(4, 2, dilation=4, dropout=0.1)
    assert repr(block) == "TemporalBlock(4, 2, dilation=4, dropout=0.1)"
    assert block.config() == {"layer": "TemporalBlock", "filters": 4, "kernel_size": 2, "dilation": 4, "dropout": 0.1}
    y = block(X)
    again = from_config(block.config()).make(X.shape[1:], 7, X.dtype)
    again.load_state(block.state())
    np.testing.assert_array_equal(again(X), y)
