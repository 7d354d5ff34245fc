"""Layers that do more than call one operation give on the device what they give on the CPU, and the same gradients."""

import numpy as np
import pytest

from neurojit.core.cuda import on_device, to_device, use_target
from neurojit.layers import BinaryDense, Concat, DeformConv2d, Dense, Mode, PReLU, Residual, Sequential

pytest.importorskip("greenlet", reason="the emulator of kernels needs greenlet")
from tests.emulator.target import Emulator

LAYERS = {
    "concat": (lambda: Concat(Dense(3), Sequential(Dense(2), PReLU()), Dense(1)), (4,)),
    "deformable": (lambda: DeformConv2d(2, 2, modulated=True, padding="same"), (3, 2, 2)),
    "binary": (lambda: Residual(BinaryDense(5), projection=Dense(5)), (6,)),
}


def passed(make, shape, where):
    """The output, the gradient to the input and those to the parameters."""
    rng = np.random.default_rng(0)
    layer = make().make(shape, 0, np.float64)
    for parameter in layer.named_parameters().values():
        parameter.value[...] = 0.5 * rng.standard_normal(parameter.value.shape)
    x = rng.standard_normal((2, *shape))
    layer.to(where)
    y, backward = layer.vjp(to_device(x) if where == "cuda" else x, Mode(training=True))
    dx, gradients = backward(y)
    names = {parameter: name for name, parameter in layer.named_parameters().items()}
    found = {"y": y, "dx": dx, **{names[parameter]: gradient for parameter, gradient in gradients.items()}}
    assert all(on_device(array) == (where == "cuda") for array in found.values())
    return {name: array.numpy() if on_device(array) else array for name, array in found.items()}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    expected = passed(*LAYERS[name], "cpu")
    with use_target(Emulator(watches=False)):
        found = passed(*LAYERS[name], "cuda")
    assert found.keys() == expected.keys()
    for key, array in found.items():
        np.testing.assert_allclose(array, expected[key], rtol=0, atol=1e-11, err_msg=key)


def test_what_stays_on_the_host_says_so():
    import neurojit.functional as F
    from neurojit.layers import RNN
    from neurojit.training import VanishingGradientPenalty

    with use_target(Emulator(watches=False)):
        direction, gain = to_device(np.ones((3, 2))), to_device(np.ones(2))
        with pytest.raises(NotImplementedError, match="weight_norm has no CUDA kernel yet"):
            F.weight_norm(direction, gain)
        network = RNN(2).make((3, 2), 0).to("cuda")
        with pytest.raises(NotImplementedError, match="VanishingGradientPenalty has no CUDA kernels yet"):
            VanishingGradientPenalty(1.0).vjp(network, [_Use(network)])


class _Use:
    """A use of a layer in a pass."""

    def __init__(self, layer):
        self.layer = layer
