"""Training equals plain Python with the same draws, and has the same bits on any number of threads."""

import itertools

import numpy as np
import pytest

from neurojit.core.random import Key
from neurojit.text import training
from neurojit.text.training import Objective, WordVectorTraining
from tests.reference.word2vec import Reference

KEY = Key.from_random_state(3)
SIZE = 19


def toy_text(n_words, size, seed=0):
    """Sentences of 5 to 40 words, some frequent and some rare, as numbers with -1 after each."""
    rng = np.random.default_rng(seed)
    tokens = []
    while len(tokens) < size:
        share = 1 / np.arange(1, n_words + 1)
        topic = np.where(np.arange(n_words) % 3 == rng.integers(3), 4, 1) * share
        tokens += [*rng.choice(n_words, rng.integers(1, 40), p=topic / topic.sum()), -1]
    tokens = np.array(tokens[:size], np.int32)
    return tokens, np.maximum(np.bincount(tokens[tokens >= 0], minlength=n_words), 1)


def rate(done):
    return 0.025 - 0.02 * done


def run(objective, tokens, counts, epochs=2, dtype=np.float32, size=SIZE):
    trained = WordVectorTraining(counts, size, objective, KEY, dtype)
    n_words = max(np.count_nonzero(tokens >= 0), 1)
    losses = []
    for _ in range(epochs):
        parts = list(trained.run_epoch([tokens], lambda words: rate(words / n_words)))
        losses.append((sum(loss for _, loss, _ in parts), sum(pairs for _, _, pairs in parts)))
    return trained, losses


CASES = {
    "skip-gram": Objective(sample=0.1),
    "in place": Objective(sample=0.05, update="hogwild"),
    "negatives of each pair": Objective(window=2, negative=3, shared_negatives=False),
    "many negatives": Objective(window=3, negative=13, sample=0, shrink_windows=False, ns_exponent=0.5),
    "cbow": Objective(architecture="cbow", sample=0),
    "softmax": Objective(objective="softmax", window=2),
    "softmax of cbow": Objective(objective="softmax", architecture="cbow", window=2),
    "tree": Objective(objective="hierarchical-softmax", window=3),
    "tree of cbow": Objective(objective="hierarchical-softmax", architecture="cbow"),
}


@pytest.mark.parametrize("objective", CASES.values(), ids=CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_plain_python(objective, dtype):
    short = objective.objective == "softmax" or dtype == np.float64
    long = 2400 if objective.update == "hogwild" else 5500  # three blocks and more, that are merged
    tokens, counts = toy_text(37, 1300 if short else long)
    with_threads = 1 if objective.update == "hogwild" else None
    from neurojit.core import device

    with device.threads(with_threads):
        trained, losses = run(objective, tokens, counts, dtype=dtype)
    fresh = WordVectorTraining(counts, SIZE, objective, KEY, dtype)
    starts, nodes = fresh._paths
    paths = None
    if objective.objective == "hierarchical-softmax":
        paths = [nodes[i:j].tolist() for i, j in itertools.pairwise(starts)]
    reference = Reference(counts, fresh.contexts[:, :SIZE], objective, KEY, paths)
    expected = [reference.run_epoch(tokens.tolist(), rate) for _ in range(2)]
    tolerance = 1e-5 if dtype == np.float32 else 1e-11
    for (loss, pairs), (wanted, wanted_pairs) in zip(losses, expected, strict=True):
        assert pairs == wanted_pairs > 200
        assert abs(loss / pairs - wanted / wanted_pairs) < tolerance
    np.testing.assert_allclose(trained.contexts[:, :SIZE], reference.contexts, rtol=0, atol=tolerance)
    np.testing.assert_allclose(trained.targets[:, :SIZE], reference.targets, rtol=0, atol=tolerance)
    assert not trained.contexts[:, SIZE:].any()
    assert np.abs(reference.targets).max() > 0.005, "something was learnt"


@pytest.mark.parametrize("name", ["skip-gram", "cbow", "tree", "negatives of each pair"])
def test_same_bits_for_any_number_of_threads(same_bits, name):
    tokens, counts = toy_text(300, 30_000)

    def train():
        trained, losses = run(CASES[name], tokens, counts, epochs=1)
        return [trained.contexts, trained.targets, np.array(losses)]

    same_bits(train)


def test_pieces_of_text_may_come_in_any_size():
    tokens, counts = toy_text(50, 4000)
    n_words = np.count_nonzero(tokens >= 0)
    whole = run(Objective(), tokens, counts, epochs=1)[0]
    pieces = WordVectorTraining(counts, SIZE, Objective(), KEY)
    list(pieces.run_epoch(iter(np.split(tokens, [1, 7, 1000, 1001])), lambda words: rate(words / n_words)))
    np.testing.assert_array_equal(pieces.contexts, whole.contexts)


def test_buffers_are_trained_one_after_another(monkeypatch):
    tokens, counts = toy_text(50, 9000)
    monkeypatch.setattr(training, "BUFFER", 4000)
    trained = WordVectorTraining(counts, SIZE, Objective(), KEY)
    parts = list(trained.run_epoch([tokens], lambda words: 0.05))
    assert len(parts) == 3
    assert sum(words for words, _, _ in parts) == np.count_nonzero(tokens >= 0)
    losses = [loss / pairs for _, loss, pairs in parts]
    assert losses[2] < losses[0], "and the third finds what the first two learnt"


def test_learns_which_words_go_together():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 5, 4000)
    tokens = np.full((4000, 9), -1, np.int32)
    tokens[:, :8] = groups[:, None] * 10 + rng.integers(0, 10, (4000, 8))
    counts = np.bincount(tokens[tokens >= 0])
    for objective in CASES.values():
        trained, losses = run(objective, tokens.reshape(-1), counts, epochs=3, size=8)
        assert losses[2][0] / losses[2][1] < losses[0][0] / losses[0][1]
        units = trained.contexts / np.linalg.norm(trained.contexts, axis=1, keepdims=True)
        cosines = units @ units.T
        same = np.kron(np.eye(5), np.ones((10, 10))).astype(bool)
        assert cosines[same].mean() > cosines[~same].mean() + 0.2, objective


def test_grows_by_new_words_and_leaves_the_old():
    tokens, counts = toy_text(50, 4000)
    trained, _ = run(Objective(), tokens, counts, epochs=1)
    contexts, targets = trained.contexts.copy(), trained.targets.copy()
    trained.grow(np.append(counts, [7, 3]))
    np.testing.assert_array_equal(trained.contexts[:50], contexts)
    np.testing.assert_array_equal(trained.targets[:50], targets)
    assert trained.contexts[50:, :SIZE].any(axis=1).all()
    assert not trained.targets[50:].any()
    list(trained.run_epoch([np.array([50, 51, 1, -1], np.int32)], lambda words: 0.05))


@pytest.mark.parametrize("n_words", [1, 2])
@pytest.mark.parametrize("objective", CASES.values(), ids=CASES)
def test_tiny_vocabularies(objective, n_words):
    tokens = np.array([0, n_words - 1, -1, -1, 0], np.int32)
    trained, _ = run(objective, tokens, np.full(n_words, 2))
    assert np.isfinite(trained.contexts).all()


def test_no_words_at_all():
    trained, losses = run(Objective(), np.array([-1, -1], np.int32), np.ones(3, int))
    assert losses == [(0.0, 0), (0.0, 0)]
    assert not trained.targets.any()
