"""BatchNorm: two forms, running averages, freezing, state."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.layers import BatchNorm, Mode
from neurojit.testing import gradcheck

TRAINING = Mode(training=True)
X = np.random.default_rng(1).standard_normal((6, 4, 3)) * 2 + 1


def test_training_takes_the_batchs_moments_and_inference_the_running_ones():
    layer = BatchNorm(momentum=0.25, eps=1e-3)
    np.testing.assert_allclose(layer(X, TRAINING), F.batch_norm(X, eps=1e-3))
    np.testing.assert_allclose(layer.running_mean, 0.25 * X.mean(axis=(0, 1)))
    np.testing.assert_allclose(layer.running_var, 0.75 + 0.25 * X.reshape(-1, 3).var(axis=0, ddof=1))
    before = layer.running_mean.copy()
    y = layer(X)
    np.testing.assert_allclose(y, F.batch_norm(X, mean=before, var=layer.running_var, eps=1e-3))
    np.testing.assert_array_equal(layer.running_mean, before)


def test_forward_and_vjp_update_alike():
    one, two = BatchNorm(), BatchNorm()
    one(X, TRAINING)
    two.vjp(X, TRAINING)
    for name, array in one.state().items():
        np.testing.assert_array_equal(array, two.state()[name])


def test_equals_pytorch_over_many_batches(torch):
    ours, theirs = BatchNorm(), torch.nn.BatchNorm1d(3).double()
    rng = np.random.default_rng(2)
    for _ in range(5):
        x = rng.standard_normal((8, 3)) * 3 - 1
        np.testing.assert_allclose(ours(x, TRAINING), theirs(torch.from_numpy(x)).detach(), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.running_mean, theirs.running_mean)
    np.testing.assert_allclose(ours.running_var, theirs.running_var)
    np.testing.assert_allclose(ours(x), theirs.eval()(torch.from_numpy(x)).detach(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("mode", [Mode(), TRAINING], ids=["inference", "training"])
def test_gradients(mode):
    layer = BatchNorm()
    layer(X, TRAINING)
    layer.gamma.value[:] = [0.5, -2, 1]
    gradcheck(layer, X, mode=mode)


def test_frozen_parameters_get_no_gradient():
    layer = BatchNorm().make((3,), dtype=np.float64).freeze()
    y, backward = layer.vjp(X, TRAINING)
    dx, gradients = backward(y)
    assert gradients == {}
    assert dx.shape == X.shape
    assert backward(y, need_dx=False) == (None, {})


def test_state_holds_the_running_averages():
    layer = BatchNorm()
    layer(X, TRAINING)
    other = BatchNorm().make((3,), dtype=np.float64)
    other.load_state(layer.state())
    np.testing.assert_array_equal(other(X), layer(X))
    assert sorted(layer.state()) == ["beta", "gamma", "running_mean", "running_var"]


def test_an_empty_batch_leaves_the_running_averages():
    layer = BatchNorm().make((3,))
    assert layer(np.empty((0, 3), np.float32), TRAINING).shape == (0, 3)
    np.testing.assert_array_equal(layer.running_var, 1)


@pytest.mark.parametrize("options", [{"momentum": 1.5}, {"momentum": -0.1}, {"eps": 0}])
def test_bad_options(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name}: got"):
        BatchNorm(**options)
