"""Timing that survives a noisy machine: competitors take turns, and ratios of medians are reported."""

import contextlib
import importlib.metadata
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np


def facts():
    """What of the machine and of versions a figure depends on, by name; nothing that tells whose machine it is."""
    from neurojit.core import device, simd

    found = {
        "architecture": platform.machine(),
        "SIMD": simd.describe(),
        "threads": f"{device.thread_count()} of {os.cpu_count()} cores",
        "Python": platform.python_version(),
    }
    for package in ("neurojit", "numba", "numpy", "torch", "gensim", "reservoirpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def machine():
    """The same in one line."""
    return ", ".join(f"{name} {value}" for name, value in facts().items())


def interleave(functions, repeats=7, inner=None, pause=0.0):
    """Median seconds of each function, timed in turn: A B C, A B C, ... so that a slow minute slows all alike.

    Parameters
    ----------
    functions : dict of str to callable
    repeats : int, default=7
        Rounds.
    inner : int or None, default=None
        Calls a function makes in its turn, their mean counting as one time; None fills about 20 ms.
    pause : float, default=0.0
        Seconds of rest before each turn, in which threads of the one before, that wait for work spinning, go to sleep:
        else they slow down the next one, and the more so the shorter its calls are.
    """
    for function in functions.values():
        function()  # compiles, allocates, warms caches
    if inner is None:
        started = time.perf_counter()
        next(iter(functions.values()))()
        inner = max(1, min(50, round(0.02 / max(time.perf_counter() - started, 1e-6))))
    times = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            time.sleep(pause)
            started = time.perf_counter()
            for _ in range(inner):
                function()
            times[name].append((time.perf_counter() - started) / inner)
    return {name: statistics.median(values) for name, values in times.items()}


def geometric_mean(values):
    return float(np.exp(np.mean(np.log(values))))


def copy_rate():
    """Bytes a large copy reads and writes, in GB/s."""
    source = np.ones(1 << 25, np.float32)
    target = np.empty_like(source)
    seconds = interleave({"copy": lambda: np.copyto(target, source)}, inner=1)["copy"]
    return 2 * source.nbytes / seconds / 1e9


def data_file(name):
    """The path of a file in the folder that the environment variable NEUROJIT_DATA names.

    Raises
    ------
    FileNotFoundError
        If it is not there, or no folder is named.
    """
    folder = os.environ.get("NEUROJIT_DATA")
    if not folder or not (Path(folder) / name).is_file():
        raise FileNotFoundError(f"{name}: set NEUROJIT_DATA to the folder that holds it")
    return Path(folder) / name


def load(name):
    """A data set of that folder, as float32 images in [0, 1].

    Returns
    -------
    x_train, y_train, x_test, y_test
    """
    with np.load(data_file(f"{name}.npz")) as data:
        images = [np.divide(data[key], 255, dtype=np.float32)[..., None] for key in ("x_train", "x_test")]
        return images[0], data["y_train"].astype(np.int64), images[1], data["y_test"].astype(np.int64)
