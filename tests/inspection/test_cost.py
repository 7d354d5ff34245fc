"""What networks cost, against the published counts."""

import numpy as np
import pytest

from neurojit.inspection import cost
from neurojit.layers import (
    GRU,
    LSTM,
    BatchNorm,
    Bidirectional,
    Combinator,
    Concat,
    Conv1d,
    Conv2d,
    ConvLSTM,
    ConvTranspose2d,
    Dense,
    Embedding,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
    MaxPool2d,
    MaxUnpool2d,
    ReLU,
    Residual,
    Sequential,
    TimeDistributed,
)

# Simonyan and Zisserman (ICLR 2015), table 1: filters of the 3x3 convolutions, P for pooling, in C one 1x1 for "1".
A = (64, "P", 128, "P", 256, 256, "P", 512, 512, "P", 512, 512, "P")
B = (64, 64, "P", 128, 128, "P", 256, 256, "P", 512, 512, "P", 512, 512, "P")
C = (64, 64, "P", 128, 128, "P", 256, 256, "1", "P", 512, 512, "1", "P", 512, 512, "1", "P")
D = (64, 64, "P", 128, 128, "P", 256, 256, 256, "P", 512, 512, 512, "P", 512, 512, 512, "P")
E = (64, 64, "P", 128, 128, "P", *[256] * 4, "P", *[512] * 4, "P", *[512] * 4, "P")
PARAMETERS = {"A": 132_863_336, "B": 133_047_848, "C": 133_638_952, "D": 138_357_544, "E": 143_667_240}


def vgg(columns):
    layers, filters = [], None
    for entry in columns:
        if entry == "P":
            layers.append(MaxPool2d(2))
            continue
        filters = filters if entry == "1" else entry
        layers += [Conv2d(filters, 1 if entry == "1" else 3, padding="same"), ReLU()]
    return Sequential(*layers, Flatten(), Dense(4096), ReLU(), Dense(4096), ReLU(), Dense(1000))


@pytest.mark.parametrize(("columns", "name"), [(A, "A"), (B, "B"), (C, "C"), (D, "D"), (E, "E")])
def test_parameters_of_vgg(columns, name):
    network = vgg(columns)
    assert cost(network, (224, 224, 3)).total.parameters == PARAMETERS[name]
    assert not network.built


def test_multiply_adds_of_vgg():
    # He and Sun's equation 1, of the network with 16 layers that others report as 15.5 G.
    assert cost(vgg(D), (224, 224, 3)).total.multiply_adds == 15_470_264_320


def test_rows_by_hand():
    network = Sequential(
        Conv2d(8, (3, 5), stride=2, groups=2),
        BatchNorm(),
        Residual(Conv2d(6, 3, padding=1, use_bias=False), projection=Conv2d(6, 1)),
        Concat(LayerNorm(), MaxPool2d(1)),
        GlobalAvgPool(),
        Dense(3, use_bias=False),
    )
    table = cost(network, (9, 11, 4))
    found = {row.layer: (row.output_shape, row.parameters, row.multiply_adds, row.activations) for row in table}
    assert found == {
        "0 Conv2d": ((4, 4, 8), 3 * 5 * 2 * 8 + 8, 3 * 5 * 2 * 8 * 16, 128),
        "1 BatchNorm": ((4, 4, 8), 16, 0, 128),
        "2.projection Conv2d": ((4, 4, 6), 54, 48 * 16, 96),
        "2.0 Conv2d": ((4, 4, 6), 432, 432 * 16, 96),
        "3.0 LayerNorm": ((4, 4, 6), 12, 0, 96),
        "3.1 MaxPool2d": ((4, 4, 6), 0, 0, 96),
        "4 GlobalAvgPool": ((12,), 0, 0, 12),
        "5 Dense": ((3,), 36, 36, 3),
    }
    assert [row.bytes for row in table] == [4 * (row.parameters + row.activations) for row in table]
    assert table.total.bytes == sum(row.bytes for row in table)
    lines = str(table).splitlines()
    assert lines[0].split() == ["layer", "output", "shape", "parameters", "multiply", "adds", "activations", "bytes"]
    assert lines[-1].startswith("total")
    assert len(lines) == len(table) + 2


def test_transposed_convolutions_use_each_weight_for_each_input():
    # Without padding, a transposed convolution makes the products that the convolution it transposes makes.
    up = cost(ConvTranspose2d(8, 4, stride=2), (5, 6, 3)).total
    down = cost(Conv2d(3, 4, stride=2), (12, 14, 8)).total
    assert up.multiply_adds == down.multiply_adds == 4 * 4 * 3 * 8 * 5 * 6
    grouped = cost(ConvTranspose2d(8, 4, stride=2, groups=2), (5, 6, 4)).total
    assert grouped.multiply_adds == 4 * 4 * 4 * 4 * 5 * 6


def test_layers_within_an_unpooling_work_on_what_the_pooling_leaves():
    table = cost(MaxUnpool2d(MaxPool2d(2), Conv2d(3, 3, padding=1)), (8, 6, 3))
    assert [row.layer for row in table] == ["0 MaxPool2d", "1 Conv2d"]
    assert table.total.multiply_adds == 81 * 4 * 3


def test_a_built_network_counts_alike_and_stays():
    network = Sequential(Conv1d(4, 3), ReLU(), Flatten(), Dense(2))
    before = cost(network, (10, 1))
    network.make((10, 1), 0, np.float64)
    state = {name: array.copy() for name, array in network.state().items()}
    after = cost(network, (10, 1))
    assert [row.parameters for row in after] == [row.parameters for row in before]
    assert after.total.bytes > before.total.bytes
    for name, array in network.state().items():
        np.testing.assert_array_equal(array, state[name])


def test_tied_parameters_count_once():
    tied = Dense(5)
    table = cost(Sequential(tied, ReLU(), tied), (5,))
    assert [row.parameters for row in table] == [30, 0, 0]
    assert [row.multiply_adds for row in table] == [25, 0, 25]


def test_errors():
    class Own(Combinator):
        def build(self, input_shape, key, dtype=np.float32):
            pass

    with pytest.raises(TypeError, match="network: got a Own"):
        cost(Own(ReLU()), (3,))
    with pytest.raises(ValueError, match="window: got 9"):
        cost(Sequential(Conv2d(3, 9)), (4, 4, 1))


def test_recurrent_layers_use_each_weight_in_each_step():
    # Per step, an LSTM of 4 units multiplies 3 inputs and 4 states by 4 gates of 4, whether all its steps are given
    # or the last one; a GRU has 3 gates. Vectors of an embedding are looked up, not multiplied.
    network = Sequential(
        Embedding(10, 3),
        LSTM(4, return_sequences=True),
        TimeDistributed(Dense(2, use_bias=False)),
        Bidirectional(GRU(5)),
        Dense(1),
    )
    table = cost(network, (7,))
    assert {row.layer: (row.output_shape, row.multiply_adds) for row in table} == {
        "0 Embedding": ((7, 3), 0),
        "1 LSTM": ((7, 4), 7 * (3 + 4) * 16),
        "2.0 Dense": ((7, 2), 7 * 4 * 2),
        "3.0 GRU": ((5,), 7 * (2 + 5) * 15),
        "3.1 GRU": ((5,), 7 * (2 + 5) * 15),
        "4 Dense": ((1,), 10),
    }
    (row,) = cost(ConvLSTM(4, 3), (5, 8, 8, 3))
    assert row.multiply_adds == 5 * 64 * 9 * (3 + 4) * 16
    assert row.output_shape == (8, 8, 4)


def test_a_built_network_shows_itself_as_this_table():
    network = Sequential(Conv1d(4, 3), Sequential(ReLU()), Flatten(), Dense(2))
    expression = "Sequential(\n  Conv1d(4, 3),\n  Sequential(\n    ReLU(),\n  ),\n  Flatten(),\n  Dense(2),\n)"
    assert repr(network) == expression
    network.make((10, 1), 0)
    assert repr(network) == str(network) == str(cost(network, (10, 1)))
    assert repr(cost(network, (10, 1))) == repr(network)
    assert repr(Sequential(network)).startswith("Sequential(\n  Sequential(\n    Conv1d(4, 3),")


def test_a_network_that_cannot_be_counted_shows_its_expression():
    class Own(Sequential):
        pass

    class Other(Combinator):
        def build(self, input_shape, key, dtype=np.float32):
            pass

    assert repr(Sequential(Dense(2)).make((None, 3), 0)) == "Sequential(\n  Dense(2),\n)"
    assert repr(Other(ReLU()).make((3,), 0)) == "Other(\n  ReLU(),\n)"
    assert repr(Own(ReLU()).make((3,), 0)).startswith("layer ")
    with pytest.raises(ValueError, match=r"input_shape: got \(None, 3\), wanted a number for each size"):
        cost(Sequential(Dense(2)), (None, 3))
