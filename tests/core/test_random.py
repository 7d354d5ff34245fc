"""Random numbers: the published vectors, the distributions, and that they depend on key and index alone."""

import math

import numpy as np
import pytest
from scipy import stats

from neurojit.core.random import Key, philox, random_words

# Random123's kat_vectors for philox4x32 with 10 rounds: counter, key, result.
KNOWN_ANSWERS = [
    (
        (0x00000000, 0x00000000, 0x00000000, 0x00000000),
        (0x00000000, 0x00000000),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
N = 200_000


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_philox_gives_the_published_vectors(counter, key, expected):
    assert philox(*(np.uint32(word) for word in counter + key)) == expected


def test_index_and_key_become_low_and_high_words():
    index, key = 0x0123456789ABCDEF, 0xFEDCBA9876543210
    words = [np.uint32(word) for word in (0x89ABCDEF, 0x01234567, 0, 0, 0x76543210, 0xFEDCBA98)]
    assert random_words(np.uint64(index), np.uint64(key)) == philox(*words)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 1000])
def test_a_shorter_draw_is_the_start_of_a_longer_one(size):
    key = Key.from_random_state(0)
    np.testing.assert_array_equal(key.words(size), key.words(2000)[:size])
    np.testing.assert_array_equal(key.normal(size), key.normal(2000)[:size])
    np.testing.assert_array_equal(key.uniform(size), key.uniform(2000)[:size])


def test_draws_have_the_shape_and_precision_asked_for():
    key = Key.from_random_state(0)
    assert key.normal((2, 3, 5)).shape == (2, 3, 5)
    assert key.uniform((2, 0)).shape == (2, 0)
    assert key.uniform(7).shape == (7,)
    assert key.normal((), dtype=np.float64).shape == ()
    assert key.normal(3).dtype == key.uniform(3).dtype == np.float32
    assert key.normal(3, dtype=np.float64).dtype == key.uniform(3, dtype=np.float64).dtype == np.float64


def test_words_have_balanced_bits():
    words = Key.from_random_state(1).words(N)
    for bit in range(32):
        ones = int(((words >> np.uint32(bit)) & np.uint32(1)).sum())
        assert abs(ones - N / 2) < 5 * math.sqrt(N) / 2, f"bit {bit}"


def test_uniform_is_uniform():
    draws = Key.from_random_state(2).uniform(N, -1.0, 3.0, dtype=np.float64)
    assert -1.0 < draws.min() < draws.max() < 3.0
    assert stats.kstest(draws, stats.uniform(-1.0, 4.0).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 5 / math.sqrt(N)


def test_normal_is_normal():
    draws = Key.from_random_state(3).normal(N, std=2.0, dtype=np.float64)
    assert stats.kstest(draws, stats.norm(scale=2.0).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(draws[0::2], draws[1::2])[0, 1]) < 5 / math.sqrt(N / 2), "both draws of a pair"
    assert np.abs(draws).max() > 2.0 * 4.0, "tails"


def test_children_are_independent_of_each_other_and_the_parent():
    parent = Key.from_random_state(4)
    streams = [parent, *(parent.child(i) for i in range(5)), parent.child(0).child(0)]
    draws = np.stack([key.normal(20_000, dtype=np.float64) for key in streams])
    correlation = np.corrcoef(draws) - np.eye(len(streams))
    assert np.abs(correlation).max() < 5 / math.sqrt(20_000)


def test_children_do_not_collide():
    parent = Key.from_random_state(0)
    grandchildren = {parent.child(i).child(j).value for i in range(200) for j in range(200)}
    assert len(grandchildren) == 200 * 200
    assert parent.child(np.int64(3)) == parent.child(3)


def test_permutation_is_one_and_uniform():
    key = Key.from_random_state(5)
    for size in (0, 1, 10):
        order = key.permutation(size)
        assert order.dtype == np.int64
        np.testing.assert_array_equal(np.sort(order), np.arange(size))
    first = [key.child(i).permutation(5)[0] for i in range(5000)]
    assert stats.chisquare(np.bincount(first)).pvalue > 1e-3


def test_a_random_state_names_one_key():
    assert Key.from_random_state(7) == Key.from_random_state(np.int64(7)) != Key.from_random_state(8)
    key = Key.from_random_state(7)
    assert Key.from_random_state(key) is key
    assert Key.from_random_state(None) != Key.from_random_state(None)
    for make in (np.random.default_rng, np.random.RandomState):
        generator = make(0)
        first = Key.from_random_state(generator)
        assert first == Key.from_random_state(make(0))
        assert first != Key.from_random_state(generator), "a generator moves on"


@pytest.mark.parametrize(
    ("random_state", "error"), [(-1, ValueError), ("0", TypeError), (1.0, TypeError), (True, TypeError)]
)
def test_refuses_what_names_no_key(random_state, error):
    with pytest.raises(error, match="random_state: got"):
        Key.from_random_state(random_state)
