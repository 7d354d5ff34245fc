"""The CTC loss: against all paths one by one, the paper's recursions, central differences and PyTorch."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import ctc as reference

REDUCTIONS = ["mean", "sum", "none"]


def batch(n, steps, classes, most, blank=0, dtype=np.float32, shortest=0, seed=0):
    """Log-probabilities, targets with repetitions, and lengths of both."""
    rng = np.random.default_rng(seed)
    log_probs = F.log_softmax(2 * rng.standard_normal((n, steps, classes)).astype(dtype))
    symbols = np.delete(np.arange(classes), blank)
    targets = rng.choice(symbols, (n, most)) if len(symbols) else np.zeros((n, 0), int)
    input_lengths = rng.integers(min(shortest, steps), steps + 1, n)
    return log_probs, targets, input_lengths, rng.integers(0, targets.shape[1] + 1, n)


def expected(log_probs, targets, input_lengths, target_lengths, blank):
    """Losses and gradients of the sequences by the reference."""
    losses, gradients = np.zeros(len(log_probs)), np.zeros(log_probs.shape)
    for i, (steps, labels) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        losses[i], gradients[i, :steps] = reference.ctc_loss(log_probs[i, :steps], targets[i, :labels], blank)
    return losses, gradients


@pytest.mark.parametrize("target", [(), (1,), (2, 1), (1, 1), (2, 1, 2), (1, 1, 1), (1, 2, 1, 2)])
@pytest.mark.parametrize("blank", [0, 3])
def test_sums_all_paths(target, blank):
    log_probs, *_ = batch(1, 5, 4, 0, dtype=np.float64)
    target = np.array([3 if label == blank else label for label in target], int)
    found = reference.readings(log_probs[0], blank)
    loss = F.ctc_loss(log_probs, target[None], [5], [len(target)], blank=blank, reduction="sum")
    np.testing.assert_allclose(np.exp(-loss), found[tuple(target)], rtol=1e-12)
    np.testing.assert_allclose(sum(found.values()), 1, rtol=1e-12)


@hypothesis.given(
    n=st.integers(0, 4),
    steps=st.integers(0, 24),
    classes=st.integers(1, 6),
    most=st.integers(0, 10),
    reduction=st.sampled_from(REDUCTIONS),
    dtype=st.sampled_from([np.float32, np.float64]),
    zero_infinity=st.booleans(),
    blank=st.integers(0, 5),
)
@hypothesis.settings(max_examples=80)
def test_equals_the_recursions_of_the_paper(n, steps, classes, most, reduction, dtype, zero_infinity, blank):
    blank = min(blank, classes - 1)
    given = batch(n, steps, classes, most, blank, dtype)
    options = {"blank": blank, "reduction": reduction, "zero_infinity": zero_infinity}
    losses, gradients = expected(*given, blank)
    if zero_infinity:
        gradients[np.isinf(losses)] = 0
        losses[np.isinf(losses)] = 0
    counts = np.ones(n)
    if reduction == "mean":
        counts /= np.maximum(given[3], 1) * n
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-12}
    before = given[0].copy()
    loss, backward = F.ctc_loss.vjp(*given, **options)
    assert loss.dtype == dtype
    np.testing.assert_allclose(loss, losses if reduction == "none" else (losses * counts).sum(), **tolerance)
    np.testing.assert_array_equal(F.ctc_loss(*given, **options), loss)
    dy = np.random.default_rng(1).standard_normal(np.shape(loss)).astype(dtype)
    np.testing.assert_allclose(backward(dy), gradients * (dy * counts)[:, None, None], **tolerance)
    np.testing.assert_array_equal(given[0], before)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_pullback_equals_central_differences(reduction):
    log_probs, targets, *_ = batch(4, 7, 4, 3, dtype=np.float64)
    gradcheck(F.ctc_loss, log_probs, targets, [7, 6, 5, 0], [3, 2, 0, 0], reduction=reduction)
    # The gradient is that of log_probs as they are, which need not be normalized.
    gradcheck(F.ctc_loss, log_probs + 1, [3, 3, 1, 2, 2], [7, 6, 7, 7], [2, 1, 0, 2], blank=0, reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(60, 5, 11, 20), (300, 3, 30, 90), (40, 2, 500, 8)])
def test_equals_pytorch(shape, reduction, torch):
    steps, n, classes, most = shape
    _, *rest = batch(n, steps, classes, most, shortest=steps // 2 + most)
    logits = 3 * np.random.default_rng(2).standard_normal((n, steps, classes)).astype(np.float32)
    given = torch.from_numpy(logits).double().requires_grad_()
    log_probs = given.log_softmax(-1).transpose(0, 1)
    wanted = torch.nn.functional.ctc_loss(log_probs, *[torch.from_numpy(a) for a in rest], reduction=reduction)
    dy = np.random.default_rng(3).standard_normal(wanted.shape)
    (dlogits,) = torch.autograd.grad(wanted, given, torch.as_tensor(dy))

    log_probs, through_softmax = F.log_softmax.vjp(logits)
    loss, backward = F.ctc_loss.vjp(log_probs, *rest, reduction=reduction)
    np.testing.assert_allclose(loss, wanted.detach(), rtol=1e-5)
    found = through_softmax(backward(np.float32(dy)))
    np.testing.assert_allclose(found, dlogits, rtol=1e-4, atol=1e-5 * float(dlogits.abs().max()))


def test_a_target_that_no_path_is_long_enough_for():
    log_probs, *_ = batch(3, 4, 3, 0)
    targets = np.array([[1, 1, 1], [1, 2, 1], [1, 2, 2]])  # need 5, 3 and 4 steps
    given = (log_probs, targets, [4, 4, 3], [3, 3, 3])
    loss, backward = F.ctc_loss.vjp(*given, reduction="none")
    np.testing.assert_array_equal(np.isinf(loss), [True, False, True])
    gradient = backward(np.array([1, 1, 0], np.float32))
    assert np.isnan(gradient[0]).all()
    assert np.isfinite(gradient[1]).all()
    np.testing.assert_array_equal(gradient[2], 0)  # it does not count
    assert F.ctc_loss(*given) == np.inf
    loss, backward = F.ctc_loss.vjp(*given, zero_infinity=True, reduction="sum")
    np.testing.assert_allclose(loss, F.ctc_loss(log_probs[1:2], targets[1:2], [4], [3], reduction="sum"))
    gradient = backward(1.0)
    np.testing.assert_array_equal(gradient[[0, 2]], 0)
    assert np.abs(gradient[1]).sum() > 1


def test_long_sequences_keep_their_digits():
    """4000 steps in float32: log-probabilities of thousands, of which a plain sum would lose digits."""
    log_probs, targets, *_ = batch(2, 4000, 5, 300)
    lengths = [4000, 3500], [300, 200]
    loss, backward = F.ctc_loss.vjp(log_probs, targets, *lengths, reduction="none")
    exact, exact_backward = F.ctc_loss.vjp(log_probs.astype(np.float64), targets, *lengths, reduction="none")
    assert exact.min() > 1000
    np.testing.assert_allclose(loss, exact, rtol=1e-6)
    np.testing.assert_allclose(backward(np.ones(2, np.float32)), exact_backward(np.ones(2)), atol=5e-4)


def test_impossible_classes_and_nan():
    log_probs = np.full((1, 3, 3), -np.inf, np.float32)
    log_probs[0, [0, 1, 2], [1, 0, 2]] = 0
    loss, backward = F.ctc_loss.vjp(log_probs, [[1, 2]], [3], [2], reduction="sum")
    assert loss == 0
    np.testing.assert_array_equal(backward(1.0)[0], -np.exp(log_probs[0]))
    assert F.ctc_loss(log_probs, [[2, 1]], [3], [2]) == np.inf
    log_probs[0, 1] = np.nan
    assert np.isnan(F.ctc_loss(log_probs, [[1, 2]], [3], [2]))


def test_layouts_and_forms_of_targets():
    log_probs, targets, steps, labels = batch(3, 9, 5, 4)
    check_forms(lambda x: F.ctc_loss(x, targets, steps, labels), log_probs)
    loss = F.ctc_loss(log_probs, targets, steps, labels)
    padded = np.where(np.arange(4) < labels[:, None], targets, -1).astype(np.int16)
    assert F.ctc_loss(log_probs, padded, list(steps), list(labels)) == loss
    one_row = np.concatenate([row[:length] for row, length in zip(targets, labels, strict=True)])
    assert F.ctc_loss(log_probs, one_row, steps, labels) == loss


def test_same_bits_for_any_number_of_threads(same_bits):
    given = batch(9, 70, 12, 20, shortest=50)

    def both_ways():
        loss, backward = F.ctc_loss.vjp(*given, zero_infinity=True)
        return loss, backward(1.0)

    same_bits(both_ways)


def test_pullback_called_twice_gives_the_same():
    _, backward = F.ctc_loss.vjp(*batch(2, 9, 4, 3, shortest=8))
    once = backward(1.0).copy()
    backward(2.0)[...] = 0
    np.testing.assert_array_equal(backward(1.0), once)


LOG_PROBS, TARGETS = np.zeros((2, 5, 4), np.float32), np.array([[1, 2, 3], [3, 0, 0]])
BAD = [
    (lambda: F.ctc_loss(LOG_PROBS[0], TARGETS, [5, 5], [3, 1]), ValueError, "log_probs: got 2 axes"),
    (lambda: F.ctc_loss(LOG_PROBS[..., :0], TARGETS, [5, 5], [3, 1]), ValueError, "log_probs: got shape (2, 5, 0)"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS[:1], [5, 5], [3, 1]), ValueError, "targets: got shape (1, 3)"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS, [5, 5], [3, 2]), ValueError, "targets: got class 0"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS + 1, [5, 5], [3, 1]), ValueError, "targets: got class 4"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS / 2, [5, 5], [3, 1]), TypeError, "targets: got dtype float64"),
    (lambda: F.ctc_loss(LOG_PROBS, [1, 2, 3], [5, 5], [2, 2]), ValueError, "target_lengths: got a sum of 4"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS, [5, 6], [3, 1]), ValueError, "input_lengths: got 6, wanted 0 to 5"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS, [5, -1], [3, 1]), ValueError, "input_lengths: got -1"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS, [5], [3, 1]), ValueError, "input_lengths: got shape (1,)"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS, [5, 5], [4, 1]), ValueError, "target_lengths: got 4, wanted 0 to 3"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS, [5, 5], [3, 1], blank=4), ValueError, "blank: got 4"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS, [5, 5], [3, 1], blank=0.0), TypeError, "blank: got 0.0"),
    (lambda: F.ctc_loss(LOG_PROBS, TARGETS, [5, 5], [3, 1], reduction="max"), ValueError, "reduction: got 'max'"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
