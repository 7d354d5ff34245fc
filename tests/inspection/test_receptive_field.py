"""Receptive fields: what is published, and what gradients say."""

import numpy as np
import pytest

from neurojit.inspection import receptive_field
from neurojit.layers import (
    AvgPool2d,
    BatchNorm,
    Combinator,
    Concat,
    Conv1d,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    InstanceNorm,
    MaxPool1d,
    ReLU,
    Residual,
    Sequential,
    Softplus,
)


def test_dilations_of_yu_and_koltun():
    table = receptive_field(Sequential(*(Conv2d(1, 3, padding=d, dilation=d) for d in (1, 2, 4))))
    assert [row.size for row in table] == [(3, 3), (7, 7), (15, 15)]
    assert [row.stride for row in table] == [(1, 1)] * 3
    assert [row.offset for row in table] == [(-1, -1), (-3, -3), (-7, -7)]


def seen(network, shape, position):
    """First and last input that the output at `position` depends on, along each axis."""
    x = np.random.default_rng(0).standard_normal((1, *shape))
    y, backward = network.vjp(x)
    dy = np.zeros_like(y)
    dy[(0, *position)] = np.random.default_rng(1).standard_normal(y.shape[-1])
    dx, _ = backward(dy)
    places = np.argwhere(np.abs(dx[0]).sum(axis=-1) > 0)
    return places.min(axis=0), places.max(axis=0)


NETWORKS = {
    "strides": Sequential(Conv2d(2, 3, stride=2), AvgPool2d(2), Conv2d(3, (2, 3), dilation=(1, 2))),
    "same": Sequential(Conv2d(2, 4, stride=2, padding="same"), BatchNorm(), Softplus(), Conv2d(2, 3, padding="same")),
    "pairs": Sequential(AvgPool2d(3, 2, ((1, 0), (0, 2))), Conv2d(2, 2)),
    "residual": Residual(Conv2d(3, 3, padding=1), Conv2d(3, 5, padding=2), projection=Conv2d(3, 1)),
    "concat": Sequential(Concat(Conv2d(2, 3, padding=1), Conv2d(2, 5, padding=((4, 0), (0, 4)))), AvgPool2d(2)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_where_gradients_arrive(name):
    network, shape = NETWORKS[name], (41, 43, 2)
    field = receptive_field(network, shape)[-1]
    position = (4, 4)
    first, last = seen(network, shape, position)
    begin = np.array(field.offset) + np.array(position) * np.array(field.stride)
    np.testing.assert_array_equal(first, begin)
    np.testing.assert_array_equal(last, begin + np.array(field.size) - 1)


def test_signals_and_whole_inputs():
    network = Sequential(Conv1d(2, 3, padding="causal", dilation=4), MaxPool1d(2), ReLU(), Flatten(), Dense(3))
    table = receptive_field(network)
    assert [row.layer for row in table] == ["0 Conv1d", "1 MaxPool1d", "2 ReLU", "3 Flatten", "4 Dense"]
    assert [row.size for row in table] == [(9,), (10,), (10,), None, None]
    assert [row.offset for row in table[:3]] == [(-8,)] * 3
    assert table[1].stride == (2,)
    assert str(table).splitlines()[-1].split() == ["4", "Dense", "-", "-", "-"]
    for whole in (GlobalAvgPool(), InstanceNorm()):
        assert receptive_field(Sequential(Conv2d(1, 3), whole))[-1].size is None
    assert receptive_field(Dense(3))[0].size == (1,)


def test_errors():
    same = Sequential(Conv2d(1, 3, stride=2, padding="same"))
    with pytest.raises(ValueError, match="input_shape: got None"):
        receptive_field(same)
    assert receptive_field(same, (8, 8, 1))[0].offset == (0, 0)
    assert receptive_field(same, (9, 9, 1))[0].offset == (-1, -1)
    with pytest.raises(ValueError, match=r"network: 0 Concat: got branches of strides \(2, 2\) and \(1, 1\)"):
        receptive_field(Sequential(Concat(Conv2d(1, 3, stride=2), Conv2d(1, 3))))
    with pytest.raises(TypeError, match="network: got a Combinator"):
        receptive_field(Combinator(ReLU()))
