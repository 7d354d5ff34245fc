"""Calls on worker threads: their order, their errors, and none on one thread or in a forked child's dead pool."""

import threading

import pytest

from neurojit.core import device, workers


def test_results_come_in_order(n_threads):
    assert workers.run_all(lambda i: i * i, range(20)) == [i * i for i in range(20)]
    names = set(workers.run_all(lambda _: threading.current_thread().name, range(20)))
    assert (names == {threading.current_thread().name}) == (n_threads == 1)


def test_errors_are_passed_on(n_threads):
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 / 0).result()


def test_one_thread_waits_until_it_is_asked():
    called = []
    with device.threads(1):
        later = workers.submit(called.append, 1)
        assert not called
        later.result()
    assert called == [1]
