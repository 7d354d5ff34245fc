"""A process forked after a fit, or in the middle of one, computes as its parent does; none hangs."""

import contextlib
import multiprocessing
import os
import threading
import time

import joblib
import numpy as np
import pytest
from numba.core.compiler_lock import global_compiler_lock

import neurojit as nj
from neurojit.core import blas, device, memory
from neurojit.core.jit import kernel, parallel_kernel, prange

PATIENCE = 240  # seconds: compiling on a busy machine takes that long

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def forked(function, *arguments):
    """What a function gives in a forked child."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put(function(*arguments)))
    child.start()
    child.join(PATIENCE)
    if child.is_alive():
        child.kill()
        pytest.fail("the forked child hangs")
    assert child.exitcode == 0
    return queue.get()


def in_loky(function, *arguments):
    """What a function gives in a process of joblib's."""
    call = joblib.delayed(function)(*arguments)
    return joblib.Parallel(n_jobs=2, backend="loky", timeout=PATIENCE)([call])[0]


def estimators():
    rng = np.random.default_rng(0)
    images = rng.standard_normal((20, 12, 12, 3)).astype(np.float32)
    series = rng.standard_normal((20, 30, 2)).astype(np.float32)
    labels = np.arange(20) % 3
    text = "to be or not to be, that is the question. " * 20
    options = {"max_epochs": 1, "random_state": 0}
    return {
        "ConvNetClassifier": (nj.ConvNetClassifier(**options), (images, labels)),
        "RecurrentClassifier": (nj.RecurrentClassifier(units=16, **options), (series, labels)),
        "EchoStateRegressor": (nj.EchoStateRegressor(300, washout=5, random_state=0), (series[0], series[0])),
        "LanguageModel": (nj.LanguageModel(units=16, **options), (text,)),
        "Word2Vec": (nj.Word2Vec(8, min_count=1, epochs=1, random_state=0), ([text.split()] * 5,)),
    }


def fit_and_use(model, data):
    """All numbers that come of fitting an estimator."""
    model.fit(*data)
    if isinstance(model, nj.LanguageModel):
        return model.stream().feed("to be").log_probabilities
    return model.vectors_ if isinstance(model, nj.Word2Vec) else model.predict(data[0])


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", [forked, in_loky])
@pytest.mark.parametrize("name", estimators())
def test_a_fit_in_another_process_after_a_fit_in_this_one(name, elsewhere):
    model, data = estimators()[name]
    here = fit_and_use(model, data)
    np.testing.assert_array_equal(elsewhere(fit_and_use, model, data), here)
    np.testing.assert_array_equal(fit_and_use(model, data), here)  # the parent has lost nothing


@pytest.mark.slow
def test_forks_while_other_threads_predict():
    model, (images, labels) = estimators()["ConvNetClassifier"]
    right = model.fit(images, labels).predict_proba(images)
    stop = threading.Event()

    def work():
        while not stop.is_set():
            model.predict_proba(images)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(10):
            np.testing.assert_array_equal(forked(model.predict_proba, images), right)
    finally:
        stop.set()
        for worker in workers:
            worker.join()


# -- locks that another thread holds -----------------------------------------------------------------------------------


@kernel
def _twice(x):
    return 2 * x


@parallel_kernel
def _copy(x, out):
    for i in prange(len(x)):
        out[i] = x[i]


def use_all_locks():
    """Take memory that is used again, limit BLAS, launch, and compile something new."""
    with blas.one_blas_thread():
        x = memory.empty((1 << 16,), np.float32)
        x[:] = 1
        out = np.zeros_like(x)
        _copy(x, out)
        return float(out.sum()) + _twice(int(x[0])) + _twice(float(x[0]))


@contextlib.contextmanager
def held_by_another(lock, seconds=1.0):
    """The lock in the hands of a thread, which lets go of it after some time."""
    held = threading.Event()

    def hold():
        with lock:
            held.set()
            time.sleep(seconds)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    yield
    holder.join()


LOCKS = {
    "memory": lambda: memory._lock,
    "BLAS": lambda: blas._lock,
    "launch": lambda: device._launch_lock,
    "compiler": lambda: global_compiler_lock,
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_child_does_not_wait_for_a_lock_of_the_parents_other_threads(name):
    _copy(np.ones(1, np.float32), np.ones(1, np.float32))
    with held_by_another(LOCKS[name]()):
        assert forked(use_all_locks) == (1 << 16) + 4
