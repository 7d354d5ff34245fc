"""CTC as a training's loss: its value and gradient, sample weights, and a network that learns to read."""

import numpy as np
import pytest

from neurojit.layers import Conv1d, Sequential, Tanh
from neurojit.training import Adam, ArrayBatches, CTCLoss, Trainer, Unaligned
from tests.reference import ctc as reference


def batch(seed=0):
    """Logits (3, 7, 4) and targets with repetitions, padding and unequal lengths."""
    logits = np.random.default_rng(seed).standard_normal((3, 7, 4))
    return logits, Unaligned(np.array([[1, 1, 3], [2, -100, -100], [-100, -100, -100]]), np.array([7, 4, 5]))


def expected(logits, targets, weight, blank=0):
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    total = 0.0
    for i, w in enumerate(weight):
        labels = targets.labels[i][targets.labels[i] != -100]
        loss, _ = reference.ctc_loss(log_probs[i, : targets.lengths[i]], labels, blank)
        total += w * loss / max(len(labels), 1)
    return total / np.sum(weight)


@pytest.mark.parametrize("weight", [None, [1.0, 0.5, 0.0]])
def test_value_and_gradient(weight):
    logits, targets = batch()
    loss = CTCLoss()
    value, backward = loss.vjp(logits, targets, weight)
    np.testing.assert_allclose(value, expected(logits, targets, weight or np.ones(3)), rtol=1e-12)
    assert loss.value(logits, targets, weight) == value
    gradient = backward()
    for i in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[i] = 1e-6
        above, below = (loss.value(logits + s, targets, weight) for s in (step, -step))
        np.testing.assert_allclose(gradient[i], (above - below) / 2e-6, atol=1e-8)


def test_log_probabilities_do_as_well_as_logits():
    logits, targets = batch()
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(CTCLoss().value(log_probs, targets), CTCLoss().value(logits, targets), rtol=1e-12)


def test_equals_pytorch(torch):
    logits, targets = batch()
    given = torch.from_numpy(logits).requires_grad_()
    wanted = torch.nn.CTCLoss()(
        given.log_softmax(-1).transpose(0, 1),
        torch.tensor([1, 1, 3, 2]),
        torch.from_numpy(targets.lengths),
        torch.tensor([3, 1, 0]),
    )
    wanted.backward()
    value, backward = CTCLoss().vjp(logits, targets)
    np.testing.assert_allclose(value, wanted.item(), rtol=1e-11)
    np.testing.assert_allclose(backward(), given.grad, atol=1e-11)


def test_all_steps_count_without_lengths_and_all_weights_may_be_zero():
    logits, targets = batch()
    whole = Unaligned(targets.labels, np.array([7, 7, 7]))
    assert CTCLoss().value(logits, targets.labels) == CTCLoss().value(logits, whole)
    value, backward = CTCLoss().vjp(logits, targets, np.zeros(3))
    assert value == 0
    assert not backward().any()


def test_too_few_steps():
    logits, targets = batch()
    short = Unaligned(targets.labels, np.array([3, 4, 5]))  # 1 1 3 needs four
    assert CTCLoss().value(logits, short) == np.inf
    value, backward = CTCLoss(zero_infinity=True).vjp(logits, short)
    assert np.isfinite(value)
    assert np.isfinite(backward()).all()


def test_bad_targets():
    logits, targets = batch()
    with pytest.raises(ValueError, match=r"targets: got labels of shape \(3,\), wanted \(3, labels\)"):
        CTCLoss().vjp(logits, targets.lengths)
    with pytest.raises(ValueError, match=r"targets: got class 0"):
        CTCLoss().vjp(logits, np.zeros((3, 1), int))


def test_a_network_learns_to_read():
    """Each label is shown for one to three steps, with a blank after it: the network finds out which step is which."""
    rng = np.random.default_rng(0)
    labels = rng.integers(1, 4, (200, 4))
    x = np.zeros((200, 20, 4), np.float32)
    for row, reading in zip(x, labels, strict=True):
        steps = [symbol for label in reading for symbol in [label] * rng.integers(1, 4) + [0]]
        row[np.arange(20), (steps + [0] * 20)[:20]] = 1
    network = Sequential(Conv1d(16, 3, padding="same"), Tanh(), Conv1d(4, 1))
    trainer = Trainer(network, CTCLoss(), Adam(0.02), batch_size=20, max_epochs=15, random_state=0)
    trainer.fit(ArrayBatches(x, labels))
    right = [reference.read(path, 0) == tuple(row) for path, row in zip(network(x).argmax(-1), labels, strict=True)]
    assert np.mean(right) > 0.95
