"""The tree: prefix codes of the least mean length, as heapq finds them."""

import heapq
import itertools

import numpy as np
import pytest

from neurojit.text.huffman import huffman_paths


def paths_of(counts):
    starts, nodes = huffman_paths(np.array(counts))
    return [nodes[i:j].tolist() for i, j in itertools.pairwise(starts)]


def least_length(counts):
    """Sum over words of count times path length in an optimal tree: the sum of all inner nodes' counts."""
    heap, total = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        total += both
        heapq.heappush(heap, both)
    return total


@pytest.mark.parametrize("n_words", [2, 3, 10, 257])
def test_paths_are_optimal_and_lead_apart(rng, n_words):
    counts = rng.integers(1, 1000, n_words)
    paths = paths_of(counts)
    assert sum(len(path) * n for path, n in zip(paths, counts.tolist(), strict=True)) == least_length(counts.tolist())
    assert len({tuple(path) for path in paths}) == n_words
    nodes = {node if node >= 0 else ~node for path in paths for node in path}
    assert nodes == set(range(n_words - 1))
    for path in paths:
        assert path[0] in (0, ~0), "from the root"
    parents = {}
    for path in paths:
        for above, node in itertools.pairwise(path):
            assert parents.setdefault(node if node >= 0 else ~node, above) == above, "one way to each node"


def test_probabilities_of_all_words_sum_to_one(rng):
    scores = rng.normal(size=20)
    sigmoid = 1 / (1 + np.exp(-scores))
    total = 0
    for path in paths_of(rng.integers(1, 50, 21)):
        total += np.prod([sigmoid[node] if node >= 0 else 1 - sigmoid[~node] for node in path])
    assert abs(total - 1) < 1e-12


def test_one_word_has_no_path():
    assert paths_of([5]) == [[]]
