"""Threads: the number is restored, two Python threads may launch at once, and a forked child still works."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

from neurojit.core import device
from neurojit.core.jit import kernel, parallel_kernel, prange

ROOT = Path(__file__).parents[2]


@kernel
def _row_sum(x, i):
    total = x.dtype.type(0)
    for j in range(x.shape[1]):
        total += x[i, j]
    return total


@parallel_kernel
def row_sums(x, out):
    for i in prange(x.shape[0]):
        out[i] = _row_sum(x, i)


def launched(rows=64):
    x = np.ones((rows, 100), np.float32)
    out = np.empty(rows, np.float32)
    row_sums(x, out)
    return out


most = device.thread_count()
two_threads = pytest.mark.skipif(most < 2, reason="this process has one thread")


@two_threads
def test_threads_are_restored():
    with device.threads(1):
        assert device.thread_count() == 1
        with device.threads(2):
            assert device.thread_count() == 2
        with device.threads(None):
            assert device.thread_count() == 1
        with pytest.raises(KeyError), device.threads(2):
            raise KeyError
        assert device.thread_count() == 1
    assert device.thread_count() == most


def test_takes_numpy_integers():
    with device.threads(np.int64(1)):
        assert device.thread_count() == 1


@pytest.mark.parametrize(
    ("n_threads", "error"),
    [(0, ValueError), (-1, ValueError), (10_000, ValueError), (1.0, TypeError), ("1", TypeError), (True, TypeError)],
)
def test_bad_n_threads_is_named(n_threads, error):
    with (
        pytest.raises(error, match=f"n_threads: got {n_threads!r}, wanted an integer from 1 to"),
        device.threads(n_threads),
    ):
        pass
    assert device.thread_count() == most


def launch_from_threads(count=4, times=50):
    """Launch from several Python threads at once; whether all results were right."""
    launched()
    barrier = threading.Barrier(count)
    right = []

    def work():
        barrier.wait()
        right.append(all((launched() == 100).all() for _ in range(times)))

    workers = [threading.Thread(target=work) for _ in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    return right == [True] * count


def _in_child(queue):
    queue.put(launched().tolist())


def run_forked():
    """Launch in this process, then in a forked child; the child's result."""
    launched()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    child.join(timeout=120)
    if child.is_alive():
        child.kill()
        pytest.fail("the forked child hangs at its first launch")
    assert child.exitcode == 0
    return queue.get()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_launches():
    assert run_forked() == [100.0] * 64


def test_two_python_threads_launch_at_once():
    assert launch_from_threads()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("layer", ["omp", "workqueue", "tbb"])
def test_threads_and_forks_on_every_threading_layer(layer):
    program = """
        import numba
        try:
            from tests.core import test_device
        except ValueError as error:
            print("absent", error)
        else:
            print(test_device.launch_from_threads(), sum(test_device.run_forked()), numba.threading_layer())
    """
    environment = {**os.environ, "NUMBA_THREADING_LAYER": layer}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    if done.stdout.startswith("absent"):
        pytest.skip(f"numba has no {layer} layer here")
    assert done.stdout.split() == ["True", "6400.0", layer], done.stderr


@two_threads
def test_same_bits_for_any_number_of_threads(same_bits, rng):
    x = rng.standard_normal((37, 1001)).astype(np.float32)

    def sums():
        out = np.empty(37, np.float32)
        row_sums(x, out)
        return out

    same_bits(sums)


def test_launches_wait_for_one_another():
    inside = threading.Event()
    entered = []

    def second():
        with device.launch():
            entered.append(inside.is_set())

    with device.launch():
        other = threading.Thread(target=second)
        other.start()
        other.join(timeout=0.2)
        assert not entered, "a second launch started inside the first"
        inside.set()
    other.join(timeout=10)
    assert entered == [True]
