"""Searches that ask a model, against every sequence the model can say."""

import math
from typing import NamedTuple

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from neurojit import decoding
from tests.reference.decoding import best_of_model

SYMBOLS = 3


class Memory(NamedTuple):
    """A state as models have them: nested, of arrays of unlike shapes and types."""

    counts: np.ndarray
    layers: dict


class Model:
    """What comes next depends on how often each symbol came, so that a search must take the right states along."""

    def __init__(self, seed):
        self.weight = 2 * np.random.default_rng(seed).standard_normal((SYMBOLS, SYMBOLS))
        self.rows = []

    def start(self):
        return Memory(
            np.zeros((1, SYMBOLS)), {"rnn": (np.zeros((1, 2, SYMBOLS)), [np.zeros(1, np.int64)]), "none": None}
        )

    def step(self, tokens, state):
        self.rows.append(len(tokens))
        counts = state.counts + np.eye(SYMBOLS)[tokens]
        tensor, (length,) = state.layers["rnn"]
        assert state.layers["none"] is None
        np.testing.assert_array_equal(length, state.counts.sum(axis=1))
        np.testing.assert_array_equal(tensor[:, 1], state.counts)
        tensor = np.stack([tensor[:, 1], counts], axis=1)
        state = Memory(counts, {"rnn": (tensor, [length + 1]), "none": None})
        return log_softmax(counts @ self.weight), state

    def log_p(self, history):
        counts = np.bincount(history, minlength=SYMBOLS)
        return log_softmax(counts @ self.weight).tolist()


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


@hypothesis.given(
    seed=st.integers(0, 999),
    max_length=st.integers(1, 5),
    end=st.sampled_from([None, 0, 2]),
    length_penalty=st.sampled_from([0.0, 0.6, 1.0, 3.0]),
    n_best=st.integers(1, 9),
)
@hypothesis.settings(max_examples=80)
def test_a_beam_wide_enough_finds_the_best_of_all(seed, max_length, end, length_penalty, n_best):
    model = Model(seed)
    found = decoding.step_beam_search(
        model.step,
        1,
        state=model.start(),
        end=end,
        max_length=max_length,
        width=3**5,
        length_penalty=length_penalty,
        n_best=n_best,
    )
    wanted = best_of_model(model.log_p, 1, end, max_length, length_penalty, n_best)
    np.testing.assert_allclose([h.score for h in found], [score for _, score in wanted], rtol=1e-10)
    assert [tuple(h.tokens) for h in found] == [tokens for tokens, _ in wanted]


@hypothesis.given(seed=st.integers(0, 999), end=st.sampled_from([None, 0]), width=st.integers(1, 4))
def test_scores_are_those_of_the_model(seed, end, width):
    model = Model(seed)
    found = decoding.step_beam_search(
        model.step, 1, state=model.start(), end=end, max_length=6, width=width, n_best=width, length_penalty=0.8
    )
    assert found
    assert [h.score for h in found] == sorted(h.score for h in found)
    assert max(model.rows) <= width
    for tokens, score in found:
        history, total = [1], 0.0
        for token in tokens.tolist():
            total += model.log_p(history)[token]
            history.append(token)
        assert score == pytest.approx(-total / ((5 + len(tokens)) / 6) ** 0.8)
        assert len(tokens) == 6 or tokens[-1] == end
        assert end is None or end not in tokens[:-1]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("end", [None, 0])
def test_a_greedy_search_is_a_beam_of_one(seed, end):
    model = Model(seed)
    tokens = decoding.step_greedy(model.step, 1, state=model.start(), end=end, max_length=7)
    history = [1]
    for token in tokens.tolist():
        assert token == int(np.argmax(model.log_p(history)))
        history.append(token)
    assert len(tokens) == 7 or tokens[-1] == end
    if end is None:
        (found,) = decoding.step_beam_search(model.step, 1, state=model.start(), max_length=7, width=1)
        assert found.tokens.tolist() == tokens.tolist()


def test_stops_when_nothing_better_can_come():
    model = Model(0)

    def step(tokens, state):
        model.rows.append(len(tokens))
        return np.log([[0.9, 0.06, 0.04]] * len(tokens)), None

    (best,) = decoding.step_beam_search(step, 1, end=0, max_length=1000, width=2)
    assert best.tokens.tolist() == [0]
    assert best.score == pytest.approx(-math.log(0.9))
    assert len(model.rows) == 1


def test_an_end_that_no_beam_would_keep_is_no_result():
    """One that scores better than what goes on to the last step, but only as that is so long."""

    def step(tokens, state):
        return np.log([[0.01, 0.7, 0.29]] * len(tokens)), None

    (best,) = decoding.step_beam_search(step, 1, end=0, max_length=20, width=1)
    assert best.tokens.tolist() == [1] * 20
    assert best.score > -math.log(0.01)


def test_states_of_another_kind():
    model = Model(3)

    class Opaque:
        def __init__(self, memory):
            self.memory = memory

    def step(tokens, state):
        log_p, memory = model.step(tokens, state.memory)
        return log_p, Opaque(memory)

    def reorder(state, rows):
        counts, layers = state.memory
        tensor, (length,) = layers["rnn"]
        return Opaque(Memory(counts[rows], {"rnn": (tensor[rows], [length[rows]]), "none": None}))

    options = {"max_length": 5, "width": 4, "n_best": 4}
    found = decoding.step_beam_search(step, 1, state=Opaque(model.start()), reorder=reorder, **options)
    wanted = decoding.step_beam_search(model.step, 1, state=model.start(), **options)
    assert [h.tokens.tolist() for h in found] == [h.tokens.tolist() for h in wanted]


def test_impossible_symbols_are_never_taken():
    def step(tokens, state):
        with np.errstate(divide="ignore"):
            return np.log([[0.0, 1.0, 0.0]] * len(tokens)), None

    found = decoding.step_beam_search(step, 0, end=2, max_length=3, width=5, n_best=5)
    assert [(h.tokens.tolist(), h.score) for h in found] == [([1, 1, 1], 0.0)]


def uniform(tokens, state):
    return np.log(np.full((len(tokens), 2), 0.5)), state


def search(step=uniform, start=0, **options):
    return decoding.step_beam_search(step, start, **{"max_length": 2, "width": 2} | options)


BAD = [
    (lambda: search(start=-1), ValueError, "start: got -1"),
    (lambda: search(start=[0, 1]), TypeError, "start: got [0, 1]"),
    (lambda: search(width=0), ValueError, "width: got 0"),
    (lambda: search(max_length=0), ValueError, "max_length: got 0"),
    (lambda: search(n_best=3), ValueError, "n_best: got 3, wanted at most the width 2"),
    (lambda: search(length_penalty=-1), ValueError, "length_penalty: got -1"),
    (lambda: search(length_penalty="1"), TypeError, "length_penalty: got '1'"),
    (lambda: search(end=0.5), TypeError, "end: got 0.5"),
    (lambda: search(end=2), ValueError, "end: got 2, wanted one of 2 symbols"),
    (
        lambda: search(lambda tokens, state: (np.zeros(2), None)),
        ValueError,
        "step: got log-probabilities of shape (2,)",
    ),
    (lambda: search(lambda tokens, state: (np.full((1, 2), np.nan), None)), ValueError, "step: got NaN"),
    (lambda: decoding.step_greedy(uniform, 0, max_length=0), ValueError, "max_length: got 0"),
    (lambda: decoding.step_greedy(uniform, 0, end=7, max_length=1), ValueError, "end: got 7"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
