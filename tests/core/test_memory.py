"""Memory that is used again: never while anyone can still see it."""

import gc
import threading

import numpy as np
import pytest

from neurojit.core import memory

LARGE = (300, 300)  # 360 kB of float32


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(memory, "_free", {})
    monkeypatch.setattr(memory, "_kept", 0)


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("shape", [(0,), (3, 4), LARGE, (70000,)])
def test_is_an_ordinary_array(shape, dtype):
    array = memory.empty(shape, dtype)
    array[...] = 1
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert array.sum() == array.size


def test_memory_is_used_again_once_nobody_holds_it():
    first = memory.empty(LARGE, np.float32)
    where = address(first)
    del first
    gc.collect()
    assert address(memory.empty(LARGE, np.float32)) == where


def test_memory_in_sight_is_left_alone():
    first = memory.empty(LARGE, np.float32)
    first[...] = 1
    view = first[10:].T[::2]
    del first
    gc.collect()
    others = [memory.empty(LARGE, np.float32) for _ in range(4)]
    for other in others:
        other[...] = 2
    assert (view == 1).all()
    assert len({address(other) for other in others}) == 4


def test_large_arrays_start_at_a_cache_line():
    for size in (20_000, 33_333, 100_001):
        assert address(memory.empty(size, np.float32)) % 64 == 0


def test_keeps_no_more_than_its_limit(monkeypatch):
    monkeypatch.setattr(memory, "_MOST_KEPT", 1 << 20)
    arrays = [memory.empty(LARGE, np.float32) for _ in range(8)]
    del arrays
    gc.collect()
    kept = sum(block.size for waiting in memory._free.values() for block in waiting)
    assert kept == memory._kept
    assert 0 < kept <= 1 << 20


def test_size_classes_waste_at_most_a_quarter():
    for n in (1 << 16, (1 << 16) + 1, 100_000, 123_457, (1 << 20) - 1):
        assert n <= memory._size_class(n) <= 1.25 * n


def test_threads_never_share_memory():
    wrong = []

    def work(value):
        for _ in range(300):
            array = memory.empty(LARGE, np.float32)
            array[...] = value
            if not (array == value).all():
                wrong.append(value)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


@pytest.mark.parametrize("shape", [(3,), (0, 4), (7, 5, 3), (200, 200)])
def test_small_arrays_start_at_a_cache_line_where_asked(shape):
    arrays = [memory.empty_at_line(shape, np.float32) for _ in range(5)]
    assert all(a.shape == shape and a.dtype == np.float32 and a.flags.c_contiguous for a in arrays)
    assert all(a.size == 0 or a.ctypes.data % 64 == 0 for a in arrays)
