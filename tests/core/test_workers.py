"""Calls on worker threads: their order, their errors, and who makes them."""

import os
import threading

import pytest

from neurojit.core import device, workers


def test_results_come_in_order(n_threads):
    assert workers.run_all(lambda i: i * i, range(20)) == [i * i for i in range(20)]


def test_workers_take_their_share(n_threads):
    both = threading.Barrier(n_threads, timeout=60)  # passed only if so many threads are there at a time
    names = set(workers.run_all(lambda _: (both.wait(), threading.current_thread().name)[1], range(n_threads)))
    assert len(names) == n_threads
    assert threading.current_thread().name in names


def test_errors_are_passed_on(n_threads):
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 / 0).result()
    with pytest.raises(ZeroDivisionError):
        workers.run_all(lambda i: 1 / (i - 3), range(8))
    assert workers.run_all(abs, [-1, -2]) == [1, 2]


def test_one_thread_waits_until_it_is_asked():
    called = []
    with device.threads(1):
        first, second = workers.submit(called.append, 1), workers.submit(called.append, 2)
        assert not called
        second.result()
        first.result()
    assert called == [1, 2]


def test_who_waits_makes_other_calls():
    begun, go = threading.Event(), threading.Event()
    with device.threads(2):
        slow = workers.submit(lambda: (begun.set(), go.wait(60))[1])
        assert begun.wait(60)  # by the worker, who is then busy
        others = [workers.submit(threading.current_thread) for _ in range(3)]
        release = workers.submit(go.set)
        assert slow.result()
        assert threading.current_thread() in [call.result() for call in others]
        release.result()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_workers_of_its_own():
    with device.threads(2):
        workers.run_all(abs, range(4))
        child = os.fork()
        if child == 0:
            os._exit(0 if workers.run_all(abs, [-1, 2, -3]) == [1, 2, 3] else 1)
    assert os.waitpid(child, 0)[1] == 0
