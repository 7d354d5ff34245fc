"""Decoding of tables: the textbook's example to the digit, and every sequence there is."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from neurojit import decoding
from tests.reference.decoding import best_of_table

UP, DOWN = [0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.4, 0.3, 0.2, 0.1]
TABLE = np.array([UP, DOWN] * 5)


def test_the_table_of_ten_steps_and_five_symbols():
    assert decoding.greedy(TABLE).tolist() == [4, 0] * 5
    found = decoding.beam_search(TABLE, 3)
    assert [hypothesis.score for hypothesis in found] == [6.931471805599453, 7.154615356913663, 7.154615356913663]
    assert found[0].tokens.tolist() == [4, 0] * 5
    assert [len(hypothesis.tokens) for hypothesis in found] == [10, 10, 10]
    assert sorted(int(np.sum(hypothesis.tokens != found[0].tokens)) for hypothesis in found) == [0, 1, 1]


@hypothesis.given(steps=st.integers(0, 4), symbols=st.integers(1, 4), width=st.integers(1, 20), seed=st.integers(0, 99))
@hypothesis.settings(max_examples=60)
def test_finds_the_most_probable_sequences_of_all(steps, symbols, width, seed):
    table = np.random.default_rng(seed).dirichlet(np.ones(symbols), steps).reshape(steps, symbols)
    found = decoding.beam_search(table, width)
    wanted = best_of_table(table, width)
    assert [tuple(tokens) for tokens, _ in found] == [sequence for sequence, _ in wanted]
    np.testing.assert_allclose([score for _, score in found], [cost for _, cost in wanted], rtol=1e-12, atol=1e-15)
    if steps:
        assert found[0].tokens.tolist() == decoding.greedy(table).tolist()


def test_ties_and_impossible_symbols():
    table = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    found = decoding.beam_search(table, 9)
    assert [tuple(tokens) for tokens, _ in found[:3]] == [(0, 0), (1, 0), (0, 1)]
    assert len(found) == 9
    assert [np.isinf(score) for _, score in found] == [False] * 2 + [True] * 7
    assert decoding.greedy(table).tolist() == [0, 0]


def test_greedy_takes_batches_and_logits():
    logits = np.random.default_rng(0).standard_normal((3, 5, 4)).astype(np.float32)
    np.testing.assert_array_equal(decoding.greedy(logits), logits.argmax(-1))


BAD = [
    (lambda: decoding.greedy([0.1, 0.9]), ValueError, "probabilities: got shape (2,)"),
    (lambda: decoding.greedy([["a", "b"]]), TypeError, "probabilities: got dtype"),
    (lambda: decoding.greedy([[np.nan, 1.0]]), ValueError, "probabilities: got NaN"),
    (lambda: decoding.beam_search(np.ones((2, 2, 2)), 1), ValueError, "probabilities: got shape (2, 2, 2)"),
    (lambda: decoding.beam_search(np.ones((2, 0)), 1), ValueError, "probabilities: got shape (2, 0)"),
    (lambda: decoding.beam_search([[0.5, -0.5]], 1), ValueError, "probabilities: got -0.5"),
    (lambda: decoding.beam_search([[0.5, 0.5]], 0), ValueError, "width: got 0"),
    (lambda: decoding.beam_search([[0.5, 0.5]], 1.5), TypeError, "width: got 1.5"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
