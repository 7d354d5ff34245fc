"""Compiling: first calls of a process, with an empty kernel cache and with one that another process has filled.

Each is a call as `neurojit warmup` makes it, forward and backward, and compiles what those before it have not. An empty
cache means compiling, a full one reading machine code from the disk.
"""

import os
import subprocess
import sys
import tempfile

CALLS = (
    "dense",
    "conv2d",
    "conv2d Winograd",
    "max_pool2d",
    "batch_norm",
    "cross_entropy",
    "Adam",
    "lstm",
    "gru",
    "ctc_loss",
    "reservoirs",
    "word vectors",
)

FIRST_CALLS = """
import sys, time
import numpy as np
from neurojit.cli.warmup import calls

found = calls(np.dtype("float32"))
for name in sys.argv[1:]:
    started = time.perf_counter()
    found[name]()
    print(time.perf_counter() - started)
"""


def first_calls(cache):
    """Seconds of each first call in a new process, by name."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", FIRST_CALLS, *CALLS]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return dict(zip(CALLS, map(float, output.split()), strict=True))


def main(record):
    with tempfile.TemporaryDirectory() as cache:
        for state in ("empty", "filled"):
            seconds = first_calls(cache)
            for name, value in seconds.items():
                record.add(f"{name}, {state} cache", value, "s")
            record.add(f"all of these, {state} cache", sum(seconds.values()), "s")
