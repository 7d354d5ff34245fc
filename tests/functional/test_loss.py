"""Losses: against the definition, central differences and PyTorch."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import loss as reference

REDUCTIONS = ["mean", "sum", "none"]


def classification(shape, classes, dtype=np.float32, ignored=0.2):
    """Logits, targets some of which are ignored, and class weights."""
    rng = np.random.default_rng(1)
    logits = (3 * rng.standard_normal((*shape, classes))).astype(dtype)
    targets = rng.integers(0, classes, shape)
    targets[rng.random(shape) < ignored] = -100
    return logits, targets, rng.uniform(0.2, 2, classes).astype(dtype)


@hypothesis.given(
    shape=st.lists(st.integers(0, 4), min_size=1, max_size=3),
    classes=st.integers(1, 20),
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    reduction=st.sampled_from(REDUCTIONS),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@hypothesis.settings(max_examples=60)
def test_cross_entropy_equals_the_definition(shape, classes, weighted, smoothing, reduction, dtype):
    logits, targets, weight = classification(tuple(shape), classes, dtype)
    options = {"weight": weight if weighted else None, "reduction": reduction}
    before = logits.copy()
    loss = F.cross_entropy(logits, targets, label_smoothing=smoothing, **options)
    expected = reference.cross_entropy(logits, targets, label_smoothing=smoothing, **options)
    tolerance = {"rtol": 2e-5, "atol": 1e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-12}
    assert loss.dtype == dtype
    np.testing.assert_allclose(loss, expected, **tolerance)
    np.testing.assert_array_equal(logits, before)
    log_p = F.log_softmax(logits)
    expected = reference.nll_loss(log_p, targets, **options)
    np.testing.assert_allclose(F.nll_loss(log_p, targets, **options), expected, **tolerance)


@hypothesis.given(
    st.lists(st.integers(0, 5), max_size=3), st.sampled_from(REDUCTIONS), st.sampled_from([np.float32, np.float64])
)
def test_mse_loss_equals_the_definition(shape, reduction, dtype):
    prediction, target = np.random.default_rng(2).standard_normal((2, *shape)).astype(dtype)
    loss = F.mse_loss(prediction, target, reduction=reduction)
    assert loss.dtype == dtype
    np.testing.assert_allclose(loss, reference.mse_loss(prediction, target, reduction=reduction), rtol=2e-6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_pullbacks_equal_central_differences(reduction):
    logits, targets, weight = classification((4, 3), 5, np.float64)
    gradcheck(F.cross_entropy, logits, targets, reduction=reduction)
    gradcheck(F.cross_entropy, logits, targets, weight=weight, label_smoothing=0.3, reduction=reduction)
    gradcheck(F.nll_loss, logits, targets, weight=weight, reduction=reduction)
    gradcheck(F.mse_loss, logits, np.sin(logits), reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_pytorch(reduction, smoothing, weighted, torch):
    logits, targets, weight = classification((300,), 33)
    weight = weight if weighted else None
    given = torch.from_numpy(logits.copy()).requires_grad_()
    expected = torch.nn.functional.cross_entropy(
        given,
        torch.from_numpy(targets),
        weight=None if weight is None else torch.from_numpy(weight),
        label_smoothing=smoothing,
        reduction=reduction,
    )
    options = {"weight": weight, "label_smoothing": smoothing, "reduction": reduction}
    loss, backward = F.cross_entropy.vjp(logits, targets, **options)
    np.testing.assert_allclose(loss, expected.detach(), rtol=1e-5, atol=1e-5)
    dy = np.asarray(np.random.default_rng(3).standard_normal(np.shape(loss)), np.float32)
    (dlogits,) = torch.autograd.grad(expected, given, torch.from_numpy(dy))
    np.testing.assert_allclose(backward(dy), dlogits, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_padded_steps_equal_pytorch(reduction, torch):
    """Logits (n, t, classes) with ignored steps at the end of each sequence; PyTorch wants the classes second."""
    logits, targets, weight = classification((6, 9), 5, ignored=0)
    targets[np.arange(9) >= np.array([9, 7, 1, 0, 3, 9])[:, None]] = -1
    given = torch.from_numpy(logits.copy()).requires_grad_()
    options = {"ignore_index": -1, "label_smoothing": 0.1, "reduction": reduction}
    expected = torch.nn.functional.cross_entropy(
        given.transpose(1, 2), torch.from_numpy(targets), torch.from_numpy(weight), **options
    )
    loss, backward = F.cross_entropy.vjp(logits, targets, weight=weight, **options)
    np.testing.assert_allclose(loss, expected.detach(), rtol=1e-5, atol=1e-6)
    dy = np.asarray(np.random.default_rng(3).standard_normal(np.shape(loss)), np.float32)
    (dlogits,) = torch.autograd.grad(expected, given, torch.from_numpy(dy))
    np.testing.assert_allclose(backward(dy), dlogits, rtol=1e-4, atol=1e-6)
    assert not backward(dy)[targets == -1].any()


def test_extreme_logits():
    logits = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4 - 1]], np.float32)
    loss, backward = F.cross_entropy.vjp(logits, [0, 1], reduction="none")
    np.testing.assert_allclose(loss, [np.log(2), np.log(2 + np.exp(-1))], rtol=1e-6)
    np.testing.assert_allclose(backward(np.ones(2, np.float32))[0], [-0.5, 0, 0.5])
    loss = F.cross_entropy(np.array([[np.nan, 0], [np.inf, 0]]), [0, 0], reduction="none")
    assert np.isnan(loss).all()


def test_a_batch_in_which_nothing_counts_has_loss_zero_and_no_gradient():
    logits, targets, _ = classification((3,), 4, ignored=1)
    for op in (F.cross_entropy, F.nll_loss):
        loss, backward = op.vjp(logits, targets)
        assert loss == 0
        np.testing.assert_array_equal(backward(1.0), 0)
    assert F.mse_loss(np.empty((0, 2)), np.empty((0, 2))) == 0


def test_pullback_called_twice_gives_the_same():
    logits, targets, _ = classification((5,), 4)
    _, backward = F.cross_entropy.vjp(logits, targets)
    once = backward(1.0).copy()
    backward(2.0)[...] = 0
    np.testing.assert_array_equal(backward(1.0), once)


def test_layouts():
    logits, targets, _ = classification((6,), 5)
    check_forms(lambda x: F.cross_entropy(x, targets), logits)
    check_forms(lambda x: F.mse_loss(x, logits + 1), logits)
    assert F.cross_entropy(logits, targets.astype(np.int16)) == F.cross_entropy(logits, targets)


def test_same_bits_for_any_number_of_threads(same_bits):
    logits, targets, weight = classification((4000,), 37)

    def both_ways():
        loss, backward = F.cross_entropy.vjp(logits, targets, weight=weight, label_smoothing=0.1)
        return loss, backward(1.0), F.mse_loss(logits, logits[::-1])

    same_bits(both_ways)


LOGITS, TARGETS = np.zeros((4, 3), np.float32), np.array([0, 1, 2, -100])
BAD = [
    (lambda: F.cross_entropy(LOGITS[0], 0), ValueError, "logits: got shape (3,)"),
    (lambda: F.cross_entropy(LOGITS, TARGETS[:3]), ValueError, "targets: got shape (3,)"),
    (lambda: F.cross_entropy(LOGITS, TARGETS + 0.5), TypeError, "targets: got dtype float64"),
    (lambda: F.cross_entropy(LOGITS, TARGETS + 1), ValueError, "targets: got class 3"),
    (lambda: F.cross_entropy(LOGITS, TARGETS, ignore_index=2), ValueError, "targets: got class -100"),
    (lambda: F.cross_entropy(LOGITS, TARGETS, ignore_index=None), TypeError, "ignore_index: got None"),
    (lambda: F.cross_entropy(LOGITS, TARGETS, weight=np.ones(2, np.float32)), ValueError, "weight: got shape (2,)"),
    (lambda: F.cross_entropy(LOGITS, TARGETS, weight=np.ones(3)), TypeError, "weight: got float64"),
    (lambda: F.cross_entropy(LOGITS, TARGETS, label_smoothing=1.5), ValueError, "label_smoothing: got 1.5"),
    (lambda: F.cross_entropy(LOGITS, TARGETS, reduction="max"), ValueError, "reduction: got 'max'"),
    (lambda: F.nll_loss(LOGITS, TARGETS - 1), ValueError, "targets: got class -1"),
    (lambda: F.nll_loss(LOGITS[:, :0], TARGETS), ValueError, "log_probabilities: got shape (4, 0)"),
    (lambda: F.mse_loss(LOGITS, LOGITS[:2]), ValueError, "target: got shape (2, 3)"),
    (lambda: F.mse_loss(LOGITS, LOGITS.astype(np.float64)), TypeError, "target: got float64"),
    (lambda: F.mse_loss(LOGITS, LOGITS, reduction=None), ValueError, "reduction: got None"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
