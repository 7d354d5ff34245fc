"""Batches hold every sample once, in the order of their key, and never copy the whole input."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurojit.core.random import Key
from neurojit.training import ArrayBatches


@given(n=st.integers(1, 50), batch_size=st.integers(1, 60), shuffle=st.booleans())
def test_every_sample_comes_once_with_its_target_and_weight(n, batch_size, shuffle):
    data = ArrayBatches(np.arange(n) * 2, np.arange(n) * 3, np.arange(n) + 1.0)
    batches = list(data.batches(batch_size, Key(5) if shuffle else None))
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= batch_size
    rows = np.concatenate([batch.x for batch in batches]) // 2
    assert sorted(rows) == list(range(n))
    np.testing.assert_array_equal(np.concatenate([batch.targets for batch in batches]), rows * 3)
    np.testing.assert_array_equal(np.concatenate([batch.sample_weight for batch in batches]), rows + 1)
    assert sum(batch.weight for batch in batches) == n * (n + 1) / 2


def test_the_order_is_the_keys_alone():
    def order(key):
        return [batch.x.tolist() for batch in ArrayBatches(np.arange(30)).batches(7, key)]

    assert order(Key(1)) == order(Key(1)) != order(Key(2))
    assert [row for batch in order(None) for row in batch] == list(range(30))


def test_prepare_sees_rows_and_makes_the_input():
    data = ArrayBatches(np.arange(12, dtype=np.uint8).reshape(6, 2), prepare=lambda rows: (rows / 2)[..., None])
    shapes = [batch.x.shape for batch in data.batches(4, Key(0))]
    assert shapes == [(4, 2, 1), (2, 2, 1)]
    assert data.take(slice(1, 2)).x.tolist() == [[[1.0], [1.5]]]


def test_targets_and_weights_are_optional():
    batch = next(ArrayBatches([[1.0], [2.0]]).batches(2))
    assert batch.targets is None
    assert batch.sample_weight is None
    assert batch.weight == 2.0


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_memory_map_is_read_batch_by_batch(tmp_path, shuffle):
    shape = (20_000, 28, 28)
    np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.float64, shape=shape)[7] = 1.0
    data = ArrayBatches(np.load(tmp_path / "x.npy", mmap_mode="r"), np.zeros(shape[0]))
    tracemalloc.start()
    total = sum(batch.x.sum() for batch in data.batches(64, Key(0) if shuffle else None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 784.0
    assert peak < 4e6, f"{peak / 1e6:.1f} MB for batches of 0.4 MB from an input of 125 MB"


def test_read_only_and_reversed_arrays_are_taken_and_left_alone():
    x = np.arange(10.0)[::-1]
    kept = x.copy()
    x.flags.writeable = False
    assert sorted(np.concatenate([batch.x for batch in ArrayBatches(x, x).batches(3, Key(0))])) == sorted(kept)
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((0, 3)),), r"x: got shape \(0, 3\), wanted at least one sample"),
        ((1.0,), r"x: got shape \(\), wanted at least one sample"),
        ((np.zeros(3), np.zeros(4)), "y: got 4 targets, wanted 3"),
        ((np.zeros(3), np.zeros(3), np.ones(2)), r"sample_weight: got shape \(2"),
        ((np.zeros(3), np.zeros(3), [1.0, -1.0, 1.0]), "sample_weight: got .* wanted weights >= 0"),
        ((np.zeros(3), np.zeros(3), [1.0, np.nan, 1.0]), "sample_weight: got .* wanted weights >= 0"),
        ((np.zeros(3), np.zeros(3), np.zeros(3)), "sample_weight: got .* wanted weights >= 0"),
    ],
)
def test_bad_arrays_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ArrayBatches(*arguments)


def test_bad_batch_sizes_are_named():
    with pytest.raises(ValueError, match="batch_size: got 0, wanted an integer >= 1"):
        next(ArrayBatches([1.0]).batches(0))
    with pytest.raises(TypeError, match=r"batch_size: got 1\.5, wanted an integer"):
        next(ArrayBatches([1.0]).batches(1.5))
