"""What a newcomer waits for: the import, the first batch, and the demo with an empty and a filled kernel cache."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 7

FIRST_BATCH = """
import time
started = time.time()
import neurojit as nj
from neurojit.training import Callback

class Clock(Callback):
    def on_batch_end(self, trainer, batch, loss):
        print(time.time() - started)
        raise KeyboardInterrupt

x, y, _, _ = nj.datasets.digits()
nj.ConvNetClassifier(max_epochs=1, random_state=0, callbacks=[Clock()]).fit(x, y)
"""


def seconds(arguments, cache=None):
    """Wall seconds of a Python process, with a kernel cache of its own if one is given."""
    environment = {**os.environ, **({} if cache is None else {"NUMBA_CACHE_DIR": cache})}
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


def import_cost():
    """Milliseconds that ``import neurojit`` adds to a bare interpreter: medians of runs in turn."""
    bare, ours = [], []
    for _ in range(RUNS):
        bare.append(seconds(["-c", "pass"]))
        ours.append(seconds(["-c", "import neurojit"]))
    return 1e3 * (statistics.median(ours) - statistics.median(bare))


def first_batch():
    """Seconds from starting to import until the first batch of a fit is done, the kernels being in the cache."""
    times = []
    for _ in range(RUNS):
        command = [sys.executable, "-c", FIRST_BATCH]
        times.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return statistics.median(times[1:])


def main(record):
    record.add("import neurojit, beyond a bare interpreter", import_cost(), "ms")
    with tempfile.TemporaryDirectory() as cache:
        record.add("neurojit demo, empty cache", seconds(["-m", "neurojit.cli", "demo"], cache), "s")
        warm = statistics.median(seconds(["-m", "neurojit.cli", "demo"], cache) for _ in range(3))
        record.add("neurojit demo, filled cache", warm, "s")
    record.add("from import to the first batch of a fit, filled cache", first_batch(), "s")
