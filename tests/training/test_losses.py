"""Losses of batches with weights: equations, PyTorch's numbers, gradients by differences."""

import math

import numpy as np
import pytest

from neurojit.training import ArrayBatches, CrossEntropy, Loss, MeanSquaredError, accuracy
from neurojit.training.metrics import RunningMeans

CROSS_ENTROPIES = [
    CrossEntropy(),
    CrossEntropy(class_weight=[1.0, 2.0, 0.5]),
    CrossEntropy(label_smoothing=0.1),
    CrossEntropy(class_weight=[3.0, 2.0, 0.5], label_smoothing=0.2, ignore_index=1),
]


def options_of(loss):
    return f"{loss.class_weight}-{loss.label_smoothing}-{loss.ignore_index}"


def numeric_gradient(function, x, eps=1e-6):
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = eps
        gradient[i] = (function(x + step) - function(x - step)) / (2 * eps)
    return gradient


def check_gradient(loss, outputs, targets, weight):
    value, backward = loss.vjp(outputs, targets, weight)
    assert isinstance(value, float)
    assert value == pytest.approx(loss.value(outputs, targets, weight), rel=1e-13)
    gradient = backward()
    wanted = numeric_gradient(lambda changed: loss.value(changed, targets, weight), outputs)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("loss", CROSS_ENTROPIES, ids=options_of)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(6,), (3, 2)])
def test_cross_entropy_pulls_back_to_the_logits(loss, weighted, shape, rng):
    logits, targets = rng.normal(size=(*shape, 3)), rng.integers(0, 3, size=shape)
    check_gradient(loss, logits, targets, rng.uniform(0, 2, size=shape[0]) if weighted else None)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (4, 3, 2)])
def test_squared_error_pulls_back_to_the_outputs(weighted, shape, rng):
    outputs, targets = rng.normal(size=(2, *shape))
    check_gradient(MeanSquaredError(), outputs, targets, rng.uniform(0, 2, size=shape[0]) if weighted else None)


@pytest.mark.parametrize("loss", CROSS_ENTROPIES, ids=options_of)
def test_cross_entropy_without_weights_is_torchs(loss, rng, torch):
    logits, targets = rng.normal(size=(8, 3)), rng.integers(0, 3, size=8)
    tensor = torch.tensor(logits, requires_grad=True)
    weight = None if loss.class_weight is None else torch.tensor(loss.class_weight, dtype=torch.float64)
    wanted = torch.nn.functional.cross_entropy(
        tensor,
        torch.tensor(targets),
        weight=weight,
        label_smoothing=loss.label_smoothing,
        ignore_index=loss.ignore_index,
    )
    wanted.backward()
    value, backward = loss.vjp(logits, targets)
    assert value == pytest.approx(wanted.item(), rel=1e-12)
    np.testing.assert_allclose(backward(), tensor.grad.numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("loss", [*CROSS_ENTROPIES, MeanSquaredError()])
def test_a_whole_weight_is_a_sample_repeated(loss, rng):
    """So a weight of 0 is a sample left out, and equal weights are none."""
    outputs = rng.normal(size=(7, 3))
    targets = rng.normal(size=(7, 3)) if isinstance(loss, MeanSquaredError) else rng.integers(0, 3, size=7)
    weight = np.array([0, 1, 2, 3, 1, 0, 2])
    repeated = loss.value(outputs.repeat(weight, axis=0), targets.repeat(weight, axis=0))
    assert loss.value(outputs, targets, weight) == pytest.approx(repeated, rel=1e-12)
    assert loss.value(outputs, targets, np.full(7, 0.3)) == pytest.approx(loss.value(outputs, targets), rel=1e-12)


@pytest.mark.parametrize("loss", [*CROSS_ENTROPIES, MeanSquaredError()])
def test_a_batch_in_which_nothing_counts_has_loss_0(loss, rng):
    outputs = rng.normal(size=(4, 3)).astype(np.float32)
    targets = outputs * 2 if isinstance(loss, MeanSquaredError) else np.array([0, 1, 2, 0])
    value, backward = loss.vjp(outputs, targets, np.zeros(4))
    assert value == loss.value(outputs, targets, np.zeros(4)) == 0.0
    assert backward().dtype == np.float32
    assert not backward().any()
    if isinstance(loss, CrossEntropy):
        ignored = np.full(4, loss.ignore_index)
        for weight in (None, np.ones(4)):
            value, backward = loss.vjp(outputs, ignored, weight)
            assert value == 0.0
            assert not backward().any()


def test_targets_take_the_precision_of_the_outputs(rng):
    outputs = rng.normal(size=(4, 2)).astype(np.float32)
    targets = rng.normal(size=(4, 2))
    value, backward = MeanSquaredError().vjp(outputs, targets)
    assert value == pytest.approx(((outputs - targets) ** 2).mean(), rel=1e-6)
    assert backward().dtype == np.float32
    assert CrossEntropy([1.0, 2.0]).vjp(outputs, np.array([0, 1, 1, 0]))[1]().dtype == np.float32


def test_bad_targets_are_named(rng):
    outputs = rng.normal(size=(4, 3))
    with pytest.raises(TypeError, match="targets: got dtype float64, wanted integers"):
        CrossEntropy().value(outputs, np.zeros(4))
    with pytest.raises(ValueError, match="targets: got class 3, wanted 0 to 2"):
        CrossEntropy().value(outputs, np.full(4, 3))
    with pytest.raises(ValueError, match=r"target: got shape \(4, 2\), wanted \(4, 3\)"):
        MeanSquaredError().value(outputs, np.zeros((4, 2)))
    with pytest.raises(TypeError, match=r"Loss: a loss declares vjp\(\)"):
        Loss().value(outputs, np.zeros(4))


def test_accuracy_counts_the_largest_output():
    outputs = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]])
    assert accuracy(outputs, np.array([1, 0, 0])) == pytest.approx(2 / 3)


def test_means_weigh_batches_and_are_nan_where_nothing_counted():
    means = RunningMeans()
    for batch in ArrayBatches(np.arange(5.0)).batches(2):
        means.add("x", batch.x.mean(), batch.weight)
    means.add("none", 3.0, 0.0)
    result = means.result()
    assert result["x"] == 2.0
    assert math.isnan(result["none"])
