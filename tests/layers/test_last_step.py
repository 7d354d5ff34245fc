"""The last valid step of each sequence, and where its gradient goes."""

import numpy as np
import pytest

from neurojit.layers import Conv1d, LastStep, Mode, Sequential
from neurojit.testing import gradcheck

rng = np.random.default_rng(0)


@pytest.mark.parametrize("lengths", [None, [1, 4, 2]])
def test_values_and_gradients(lengths):
    x, dy = rng.normal(size=(3, 4, 2)), rng.normal(size=(3, 2))
    mode = Mode(lengths=None if lengths is None else np.array(lengths))
    ends = [4, 4, 4] if lengths is None else lengths
    y, backward = LastStep().vjp(x, mode)
    np.testing.assert_array_equal(y, [one[end - 1] for one, end in zip(x, ends, strict=True)])
    np.testing.assert_array_equal(LastStep()(x, mode), y)
    wanted = np.zeros_like(x)
    for row, end in enumerate(ends):
        wanted[row, end - 1] = dy[row]
    dx, gradients = backward(dy)
    np.testing.assert_array_equal(dx, wanted)
    assert gradients == {}
    assert backward(dy, need_dx=False) == (None, {})


def test_gradients_through_a_network():
    network = Sequential(Conv1d(3, 2, padding="causal"), LastStep())
    assert network.output_shape((5, 2)) == (3,)
    gradcheck(network, rng.normal(size=(2, 5, 2)))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"x: got shape \(3, 2\), wanted sequences"):
        LastStep()(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"LastStep: got samples of shape \(2,\)"):
        LastStep().output_shape((2,))
