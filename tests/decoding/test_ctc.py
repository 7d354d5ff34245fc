"""Reading CTC outputs: the best path, and prefix search against the sum over all paths."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit import decoding
from tests.reference.ctc import read, readings
from tests.reference.decoding import best_readings


def table(steps, classes, seed):
    return F.log_softmax(1.5 * np.random.default_rng(seed).standard_normal((steps, classes)))


def bigrams(prefix):
    """A language model of classes 0 to 3: what comes depends on the last label."""
    return table(5, 4, 77)[prefix[-1] if prefix else 4]


@hypothesis.given(steps=st.integers(0, 12), classes=st.integers(1, 4), blank=st.integers(0, 3), seed=st.integers(0, 99))
def test_greedy_reads_the_best_path(steps, classes, blank, seed):
    blank = min(blank, classes - 1)
    log_probs = table(steps, classes, seed)
    found = decoding.ctc_greedy(log_probs, blank=blank)
    assert found.dtype == np.int64
    assert tuple(found) == read(log_probs.argmax(axis=-1), blank)


def test_greedy_reads_batches():
    log_probs = np.stack([table(9, 4, seed) for seed in range(3)])
    found = decoding.ctc_greedy(log_probs, lengths=[9, 0, 4])
    alone = [decoding.ctc_greedy(rows[:length]) for rows, length in zip(log_probs, [9, 0, 4], strict=True)]
    assert [row.tolist() for row in found] == [row.tolist() for row in alone]
    assert len(decoding.ctc_greedy(log_probs)) == 3


@hypothesis.given(
    steps=st.integers(0, 5),
    blank=st.integers(0, 3),
    n_best=st.integers(1, 12),
    seed=st.integers(0, 999),
    model=st.sampled_from([None, bigrams]),
    alpha=st.sampled_from([0.0, 0.5, 2.0]),
    beta=st.sampled_from([0.0, 1.5]),
)
@hypothesis.settings(max_examples=40)
def test_a_wide_search_sums_all_paths(steps, blank, n_best, seed, model, alpha, beta):
    log_probs = table(steps, 4, seed)
    prior = {"language_model": model, "alpha": alpha, "beta": beta}
    found = decoding.ctc_beam_search(log_probs, 2000, blank=blank, n_best=n_best, **prior)
    wanted = best_readings(log_probs, blank, n_best, **prior)
    np.testing.assert_allclose([h.score for h in found], [score for _, score in wanted], rtol=1e-10, atol=1e-12)
    assert [tuple(h.tokens) for h in found] == [labels for labels, _ in wanted]


@pytest.mark.parametrize("seed", range(10))
def test_a_narrow_search_finds_no_more_than_there_is(seed):
    """What is pruned is lost, so scores may only be too bad; and a wide search gives the loss's probability."""
    log_probs = table(6, 4, seed)
    exact = readings(log_probs, 0)
    for width in (1, 2, 5):
        for tokens, score in decoding.ctc_beam_search(log_probs, width, n_best=width):
            assert np.exp(-score) <= exact[tuple(tokens)] * (1 + 1e-12)
    (best,) = decoding.ctc_beam_search(log_probs, 5000)
    loss = F.ctc_loss(log_probs[None], best.tokens[None], [6], [len(best.tokens)], reduction="sum")
    assert best.score == pytest.approx(float(loss), rel=1e-12)


def test_a_prefix_that_comes_back_is_the_same_one():
    """A prefix is dropped, and comes up again while one that grew out of it is still there: their paths must join."""
    log_probs = table(40, 5, 3)
    for width in (2, 3, 8):
        found = decoding.ctc_beam_search(log_probs, width, n_best=width)
        assert len({tuple(h.tokens) for h in found}) == len(found)


def test_impossible_tables():
    log_probs = np.full((2, 3), -np.inf)
    (best,) = decoding.ctc_beam_search(log_probs, 4)
    assert best.score == np.inf
    log_probs[:, 1] = 0
    found = decoding.ctc_beam_search(log_probs, 4, n_best=4)
    assert [(h.tokens.tolist(), h.score) for h in found] == [([1], 0.0)]


def test_the_model_is_asked_once_for_each_prefix():
    asked = []

    def model(prefix):
        asked.append(prefix)
        return np.zeros(4)

    decoding.ctc_beam_search(table(12, 4, 0), 5, language_model=model)
    assert asked[0] == ()
    assert len(set(asked)) == len(asked)


LOG_PROBS = np.zeros((4, 3))
BAD = [
    (lambda: decoding.ctc_greedy(LOG_PROBS[0]), ValueError, "log_probs: got shape (3,)"),
    (lambda: decoding.ctc_greedy(LOG_PROBS, blank=3), ValueError, "blank: got 3"),
    (lambda: decoding.ctc_greedy(LOG_PROBS, lengths=[4]), ValueError, "lengths: got some beside a single"),
    (lambda: decoding.ctc_greedy(LOG_PROBS[None], lengths=[5]), ValueError, "lengths: got 5 to 5, wanted 0 to 4"),
    (lambda: decoding.ctc_greedy(LOG_PROBS[None], lengths=[1.5]), TypeError, "lengths: got dtype float64"),
    (lambda: decoding.ctc_beam_search(LOG_PROBS[None], 1), ValueError, "log_probs: got shape (1, 4, 3)"),
    (lambda: decoding.ctc_beam_search(LOG_PROBS * np.nan, 1), ValueError, "log_probs: got NaN"),
    (lambda: decoding.ctc_beam_search(LOG_PROBS, 0), ValueError, "width: got 0"),
    (lambda: decoding.ctc_beam_search(LOG_PROBS, 1, n_best=2), ValueError, "n_best: got 2"),
    (lambda: decoding.ctc_beam_search(LOG_PROBS, 1, blank=-1), ValueError, "blank: got -1"),
    (lambda: decoding.ctc_beam_search(LOG_PROBS, 1, alpha=np.inf), ValueError, "alpha: got inf"),
    (lambda: decoding.ctc_beam_search(LOG_PROBS, 1, beta="2"), TypeError, "beta: got '2'"),
    (
        lambda: decoding.ctc_beam_search(LOG_PROBS, 1, language_model=lambda prefix: np.zeros(2)),
        ValueError,
        "language_model: got shape (2,), wanted (3,)",
    ),
    (
        lambda: decoding.ctc_beam_search(LOG_PROBS, 1, language_model=lambda prefix: np.full(3, np.nan)),
        ValueError,
        "language_model: got NaN",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
