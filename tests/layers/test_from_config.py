"""Layers made anew from their descriptions."""

import json

import numpy as np
import pytest

from neurojit import layers
from neurojit.layers import from_config


def everything():
    """One network with every public layer in it."""
    return layers.Sequential(
        layers.Conv2d(4, (3, 3), padding="same", use_bias=False),
        layers.BatchNorm(momentum=0.2),
        layers.ReLU(),
        layers.Residual(layers.LeakyReLU(0.2), layers.ELU(), projection=layers.Conv2d(4, 1)),
        layers.Concat(layers.MaxPool2d(2), layers.AvgPool2d((2, 2), count_include_pad=False)),
        layers.DepthwiseConv2d(3, padding=1),
        layers.SeparableConv2d(6, (3, 1), multiplier=2, padding="same"),
        layers.SpatialSeparableConv2d(6, 3, padding="same", use_bias=False),
        layers.DeformConv2d(8, 3, padding=1, modulated=True),
        layers.BinaryConv2d(8, 3, padding="same"),
        layers.ConvTranspose2d(8, 3, padding=1),
        layers.Reshape((1, 3, 3, 8)),
        layers.Conv3d(8, (1, 2, 2), padding="same"),
        layers.ConvTranspose3d(8, (1, 2, 2), stride=(1, 2, 2)),
        layers.MaxUnpool3d(layers.MaxPool3d((1, 2, 2)), layers.ReLU()),
        layers.Reshape((6, 6, 8)),
        layers.MaxUnpool2d(layers.MaxPool2d(2)),
        layers.GELU(approximate=True),
        layers.Sequential(layers.PReLU(), layers.CELU(2.0), layers.SELU(), layers.Mish(), layers.HardSigmoid(0.3)),
        layers.Sequential(layers.HardSwish(), layers.ThresholdedReLU(0.1), layers.LogSoftmax(axis=1)),
        layers.Sequential(layers.GroupNorm(2), layers.InstanceNorm(1e-3), layers.LayerNorm(axis=(1, 2, 3))),
        layers.Sequential(layers.RMSNorm(), layers.LocalResponseNorm(3, k=2.0), layers.LpPool2d(2, stride=1, p=3)),
        layers.AdaptiveAvgPool2d((3, 2)),
        layers.Reshape((3, 2, 1, 8)),
        layers.Concat(layers.MaxPool3d((2, 1, 1)), layers.AvgPool3d((2, 1, 1)), layers.LpPool3d((2, 1, 1))),
        layers.Reshape((1, 2, 24)),
        layers.Conv2d(8, 1),
        layers.SiLU(),
        layers.Reshape((-1, 8)),
        layers.WeightNorm(layers.Conv1d(3, 2, padding="causal")),
        layers.TemporalBlock(3, 2, dilation=2, dropout=0.1),
        layers.ConvTranspose1d(3, 2),
        layers.MaxUnpool1d(layers.MaxPool1d(2, stride=1)),
        layers.MaxPool1d(2, stride=1),
        layers.AvgPool1d(2, ceil_mode=True),
        layers.LpPool1d(1),
        layers.Softplus(),
        layers.Concat(layers.GlobalAvgPool(), layers.GlobalMaxPool(), layers.Flatten()),
        layers.Reshape((1, -1)),
        layers.Stacked(layers.RNN(4, activation="relu"), layers.LSTM(5, peephole=True, coupled=True), dropout=0.1),
        layers.Reshape((1, 5)),
        layers.Bidirectional(layers.GRU(3, reset_after=True, return_sequences=True), merge="sum"),
        layers.TimeDistributed(layers.Dense(3), layers.ReLU()),
        layers.LastStep(),
        layers.Reshape((1, 1, 3, 1)),
        layers.ConvLSTM(2, (1, 3), peephole=True),
        layers.Flatten(),
        layers.Dropout(0.1),
        layers.BinaryDense(5),
        layers.Dense(5),
        layers.Tanh(),
        layers.Sigmoid(),
        layers.Softmax(),
    )


def used(layer):
    return {type(part).__name__ for part, _ in layer.walk()}


def test_every_layer_comes_back_from_json():
    network = everything()
    public = {name for name in layers.__all__ if name[0].isupper() and isinstance(getattr(layers, name), type)}
    assert used(network) == public - {"Combinator", "Embedded", "Embedding", "Layer", "Mode", "Parameter"}
    again = from_config(json.loads(json.dumps(network.config())))
    assert json.dumps(again.config()) == json.dumps(network.config())

    x = np.random.default_rng(1).standard_normal((2, 6, 6, 1))
    y = network(x)
    again.make(x.shape[1:], 5, x.dtype)
    again.load_state(network.state())
    np.testing.assert_array_equal(again(x), y)


class Double(layers.ReLU):
    """Somebody's own layer."""

    def __init__(self, times):
        self.times = times


def test_layers_of_your_own():
    network = layers.Sequential(Double(3))
    with pytest.raises(ValueError, match=r"config\.layers\[0\]: got layer 'Double', wanted one of .* custom_layers"):
        from_config(network.config())
    again = from_config(network.config(), {"Double": Double})
    assert isinstance(again[0], Double)
    assert again[0].times == 3


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ("Dense", TypeError, "config: got str, wanted a dict"),
        ({"units": 3}, ValueError, "config: got layer None"),
        ({"layer": "Dense"}, ValueError, "config: got [] for Dense, wanted ['units']"),
        ({"layer": "Dense", "units": 3, "size": 4}, ValueError, "config: got ['size', 'units'] for Dense"),
        ({"layer": "Dense", "units": 0}, ValueError, "units: got 0"),
        ({"layer": "Layer"}, ValueError, "config: got layer 'Layer'"),
        ({"layer": ["Dense"], "units": 3}, ValueError, "config: got layer ['Dense']"),
        ({"layer": "Sequential", "layers": 3}, TypeError, "config.layers: got int, wanted a list"),
        ({"layer": "Residual", "layers": [], "projection": 7}, TypeError, "projection: got int"),
        ({"layer": "Sequential", "layers": [{"layer": "Nope"}]}, ValueError, "config.layers[0]: got layer 'Nope'"),
    ],
)
def test_bad_config(config, error, message):
    with pytest.raises(error) as raised:
        from_config(config)
    assert str(raised.value).startswith(message)
