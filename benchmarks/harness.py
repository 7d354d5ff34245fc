"""Timing that survives a noisy machine: competitors take turns, and ratios of medians are reported."""

import importlib.metadata
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np


def machine():
    """One line on the machine and the versions a figure depends on."""
    versions = []
    for package in ("neurojit", "numba", "numpy", "torch"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    from neurojit.core import device, simd

    threads = f"{device.thread_count()} threads of {os.cpu_count()} cores"
    return f"{platform.machine()}, {simd.describe()}, {threads}; Python {platform.python_version()}, " + ", ".join(
        versions
    )


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


def load(name):
    """A data set of the folder that the environment variable NEUROJIT_DATA names, as float32 images in [0, 1].

    Returns
    -------
    x_train, y_train, x_test, y_test
    """
    folder = os.environ.get("NEUROJIT_DATA")
    if not folder:
        raise SystemExit(f"{name}: set NEUROJIT_DATA to the folder that holds {name}.npz")
    with np.load(Path(folder) / f"{name}.npz") as data:
        images = [np.divide(data[key], 255, dtype=np.float32)[..., None] for key in ("x_train", "x_test")]
        return images[0], data["y_train"].astype(np.int64), images[1], data["y_test"].astype(np.int64)
