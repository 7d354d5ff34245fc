"""Recording passes: every use of every layer, and nothing left behind."""

import numpy as np
import pytest

from neurojit.layers import Concat, Dense, Mode, Sequential, Tanh
from neurojit.layers.recording import recording

X = np.random.default_rng(0).standard_normal((3, 4))


def test_inputs_outputs_and_gradients_of_every_use():
    twice, last = Dense(4), Dense(2)
    network = Sequential(twice, Tanh(), Concat(twice, last)).make((4,), 0, X.dtype)
    plain, plain_backward = network.vjp(X)
    dy = np.ones_like(plain)
    mode = Mode(lengths=np.array([1]), carry={"layer": (1,)})
    with recording(network) as passes:
        y, backward = network.vjp(X, mode)
        mode.carry["layer"] = "what came after"
        assert [use.dy for use in passes] == [None] * 6
        dx, gradients = backward(dy)
    np.testing.assert_array_equal(y, plain)
    np.testing.assert_array_equal(dx, plain_backward(dy)[0])
    assert gradients.keys() == plain_backward(dy)[1].keys()
    assert [type(use.layer).__name__ for use in passes] == ["Dense", "Tanh", "Dense", "Dense", "Concat", "Sequential"]
    assert [use.layer is twice for use in passes] == [True, False, True, False, False, False]
    for use in passes:
        np.testing.assert_array_equal(use.y, use.layer(use.x))
        assert use.mode.carry == {"layer": (1,)}
        assert use.mode.lengths is mode.lengths
    np.testing.assert_array_equal(passes[2].dy, dy[:, :4])
    np.testing.assert_array_equal(passes[3].dy, dy[:, 4:])
    np.testing.assert_array_equal(passes[-1].dy, dy)


def test_layers_are_as_before_whatever_happens():
    network = Sequential(Dense(2), Tanh())
    with pytest.raises(RuntimeError), recording(network):
        raise RuntimeError
    with recording(network) as passes:
        pass
    assert all("vjp" not in vars(layer) for layer, _ in network.walk())
    network.vjp(X)
    assert passes == []
