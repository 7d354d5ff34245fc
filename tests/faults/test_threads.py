"""Eight Python threads that use one estimator get what one thread gets, on every threading layer there is."""

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

import neurojit as nj

ROOT = Path(__file__).parents[2]
THREADS, TIMES = 8, 5


def uses():
    """What threads do with a fitted estimator, by its name: a function, and the arguments of each thread."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((THREADS, 20, 12, 12, 3)).astype(np.float32)
    series = rng.standard_normal((THREADS, 20, 30, 2)).astype(np.float32)
    labels = np.arange(20) % 3
    options = {"max_epochs": 1, "random_state": 0}
    convnet = nj.ConvNetClassifier(**options).fit(images[0], labels)
    recurrent = nj.RecurrentClassifier(units=16, **options).fit(series[0], labels)
    echo = nj.EchoStateRegressor(300, washout=5, random_state=0).fit(list(series[0]), list(series[0]))
    liquid = nj.LiquidStateClassifier(shape=(3, 3, 5), random_state=0).fit(series[0], labels)
    language = nj.LanguageModel(units=16, **options).fit("to be or not to be, that is the question. " * 20)
    texts = [f"to be or {'not ' * i}to" for i in range(THREADS)]
    return {
        "ConvNetClassifier": (convnet.predict_proba, images),
        "RecurrentClassifier": (recurrent.predict_proba, series),
        "EchoStateRegressor": (lambda x: np.concatenate(echo.predict(list(x))), series),
        "LiquidStateClassifier": (liquid.decision_function, series),
        "LanguageModel": (lambda text: language.stream().feed(text).log_probabilities, texts),
    }


def wrong_answers():
    """Names of the estimators that gave some thread other bits than they give alone."""
    return [name for name, (function, arguments) in uses().items() if not same_bits(function, arguments)]


def same_bits(function, arguments):
    alone = [function(x) for x in arguments]
    barrier, right = threading.Barrier(THREADS), []

    def work(i):
        barrier.wait()
        right.append(all(np.array_equal(function(arguments[i]), alone[i]) for _ in range(TIMES)))

    workers = [threading.Thread(target=work, args=(i,)) for i in range(THREADS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return right == [True] * THREADS


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["omp", "workqueue", "tbb"])
def test_eight_threads_predict_with_one_estimator(layer):
    program = """
        import numba
        from tests.faults import test_threads
        try:
            numba.get_num_threads()
        except ValueError as error:
            print("absent", error)
        else:
            print(numba.threading_layer(), *test_threads.wrong_answers())
    """
    environment = {**os.environ, "NUMBA_THREADING_LAYER": layer}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    if done.stdout.startswith("absent"):
        pytest.skip(f"numba has no {layer} layer here")
    assert done.stdout.split() == [layer], done.stderr
