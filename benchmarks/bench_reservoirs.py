"""Reservoirs beside reservoirpy: harvesting states, batches of series, whole fits; share of the floor, memory."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import harness
from neurojit.core.blas import one_blas_thread
from neurojit.core.jit import kernel
from neurojit.kernels.cpu.reservoir import multiply
from neurojit.reservoirs import make_reservoir, reservoir_matrix, scale_spectral_radius
from neurojit.reservoirs.packing import pack

SIZES = [(100, 0.1), (500, 0.1), (1000, 0.01), (1000, 0.1), (5000, 0.01)]
STEPS = 5000
SERIES, SERIES_STEPS = 64, (100, 400)
REPEATS = 5
PAUSE = 0.05  # seconds in which BLAS's threads, which reservoirpy's products woke, fall asleep
OURS = [("random", np.float64), ("random", np.float32), ("shifts", np.float64), ("shifts", np.float32)]


def wave(steps):
    """A standardised Mackey-Glass series, (steps, 1)."""
    from neurojit.reservoirs import mackey_glass

    x = mackey_glass(steps)
    return (x - x.mean()) / x.std()


def our_reservoir(units, connectivity, topology, dtype):
    options = {"spectral_radius": 1.25, "leak_rate": 0.3, "bias_scaling": 0.0, "random_state": 0}
    return make_reservoir(
        1, n_units=units, fan_in=round(connectivity * units), topology=topology, dtype=dtype, **options
    )


def peer_reservoir(units, connectivity):
    from reservoirpy.nodes import Reservoir

    return Reservoir(units, sr=1.25, lr=0.3, rc_connectivity=connectivity, seed=1)


@kernel
def _total(x):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i]
    return total


def read_rate(n_bytes):
    """Bytes a second that one core reads from an array of so many bytes, again and again."""
    x = np.ones(max(n_bytes // 4, 1024), np.float32)
    times = int(max(1, 1 << 28) // x.nbytes) + 1
    _total(x)
    best = np.inf
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(times):
            _total(x)
        best = min(best, (time.perf_counter() - started) / times)
    return x.nbytes / best


@kernel
def _products(panels, codes, weight, index, starts, shift, x, out, times):
    for nth in range(times):
        multiply(panels, codes, weight, index, starts, shift, nth % 2, x, out)


def gather_rate(dtype, units=480, fan_in=5, times=20_000):
    """Numbers a second that one core gathers and multiplies where all lies in the first-level cache.

    A row has so few numbers that none are looked up instead.
    """
    packed = pack([reservoir_matrix(units, fan_in=fan_in, random_state=0)], dtype)
    x, out = np.zeros(2 * units, dtype), np.zeros(2 * units, dtype)
    arguments = (*(part[0] for part in (packed.panels, packed.codes)), packed.weight, packed.index)
    arguments += (packed.starts[0], packed.shift[0], x, out)
    _products(*arguments, 1)
    best = np.inf
    for _ in range(3):
        started = time.perf_counter()
        _products(*arguments, times)
        best = min(best, time.perf_counter() - started)
    return packed.weight.size * times / best


def floor(reservoir):
    """Seconds a step takes at least, and what sets it: bytes of W, indices and states over the bandwidth of the cache
    they sit in, or the numbers to be gathered over the rate of that instruction.
    """
    packed = reservoir.packed
    n_bytes = packed.nbytes + 3 * reservoir.size * reservoir.dtype.itemsize
    read = n_bytes / read_rate(n_bytes)
    gather = packed.weight.size / gather_rate(reservoir.dtype) if packed.index.size else 0.0
    return max((read, "read"), (gather, "gather"))


def harvesting(record):
    """Steps of one series; the floor is what `floor` says."""
    u = wave(STEPS)
    for units, connectivity in SIZES:
        peer = peer_reservoir(units, connectivity)
        ours = {f"{t} {np.dtype(d).name}": our_reservoir(units, connectivity, t, d) for t, d in OURS}
        out = {name: np.empty((STEPS, units), r.dtype) for name, r in ours.items()}
        functions = {"peer": lambda p=peer: p.run(u)}
        functions |= {name: lambda r=r, o=out[name]: r.run(u, out=o) for name, r in ours.items()}
        times = harness.interleave(functions, repeats=REPEATS, inner=1, pause=PAUSE)
        for name, reservoir in ours.items():
            step = times[name] / STEPS
            least, bound = floor(reservoir)
            what = f"a step, ({units}, {connectivity}), {name} (floor: {bound})"
            record.add(what, 1e6 * step, "us", 1e6 * times["peer"] / STEPS, floor=least / step)


def batches(steps, record):
    """A step of one of many series."""
    from neurojit.reservoirs import Drive, harvest

    series = list(np.random.default_rng(0).standard_normal((SERIES, steps, 1)))

    def run(reservoir):
        state = np.zeros((SERIES, reservoir.size), reservoir.dtype)
        for _ in harvest(reservoir, Drive(series), state):
            pass

    for units, connectivity in SIZES:
        peer = peer_reservoir(units, connectivity)
        ours = {f"{t} {np.dtype(d).name}": our_reservoir(units, connectivity, t, d) for t, d in OURS}
        functions = {"peer": lambda p=peer: [p.run(u) for u in series]}
        functions |= {name: lambda r=r: run(r) for name, r in ours.items()}
        times = harness.interleave(functions, repeats=3, inner=1, pause=PAUSE)
        every = SERIES * steps
        for name in ours:
            what = f"a step of {SERIES} series of {steps}, ({units}, {connectivity}), {name}"
            record.add(what, 1e6 * times[name] / every, "us", 1e6 * times["peer"] / every)


def fits(record):
    """Fits of one series with ridge."""
    import neurojit as nj

    x = wave(STEPS + 1)
    for units, connectivity in SIZES:

        def peer_whole(units=units, connectivity=connectivity):
            from reservoirpy.nodes import Ridge

            (peer_reservoir(units, connectivity) >> Ridge(ridge=1e-6)).fit(x[:-1], x[1:], warmup=100)

        before = peer_reservoir(units, connectivity)

        def peer_again(before=before):
            from reservoirpy.nodes import Ridge

            Ridge(ridge=1e-6).fit(before.run(x[:-1]), x[1:], warmup=100)

        def model(topology="random", units=units, connectivity=connectivity):
            return nj.EchoStateRegressor(
                units,
                spectral_radius=1.25,
                leak_rate=0.3,
                fan_in=round(connectivity * units),
                topology=topology,
                input_to_readout=False,
                random_state=0,
            )

        made = {topology: model(topology).fit(x[:-1], x[1:]) for topology in ("random", "shifts")}

        def again(topology, made=made):
            fitted = made[topology]
            with one_blas_thread():  # as in fit
                fitted._start_readout()
                fitted.reset_state()._learn([x[:-1]], [x[1:]])

        functions = {"peer": peer_whole, "random": lambda m=model: m().fit(x[:-1], x[1:])}
        functions |= {"shifts": lambda m=model: m("shifts").fit(x[:-1], x[1:])}
        functions |= {"peer again": peer_again, "random again": lambda a=again: a("random")}
        functions |= {"shifts again": lambda a=again: a("shifts")}
        times = harness.interleave(functions, repeats=3 if units <= 1000 else 1, inner=1, pause=PAUSE)
        for suffix, made_when in (("", "matrix made too"), (" again", "matrix made before")):
            for topology in ("random", "shifts"):
                turns = {"ours": times[topology + suffix], "peer": times[f"peer{suffix}"]}
                record.times(f"fit of {STEPS} steps, ({units}, {connectivity}), {topology}, {made_when}", turns)


def large(record):
    started = time.perf_counter()
    W = reservoir_matrix(20_000, random_state=0)
    made = time.perf_counter()
    scale_spectral_radius(W, 0.9)
    scaled = time.perf_counter()
    record.add("20000 units, fan-in 10: matrix", made - started, "s")
    record.add("20000 units, fan-in 10: spectral scaling", scaled - made, "s")


def long_fit(folder, steps, units):
    """Print the megabytes that `fit` on memory-mapped arrays holds beyond what was held before; Linux only."""
    import neurojit as nj

    u, y = (np.load(Path(folder) / name, mmap_mode="r") for name in ("u.npy", "y.npy"))
    model = nj.EchoStateRegressor(units, random_state=0)
    model.fit(u[:2000], y[:2000])  # compiles
    Path("/proc/self/clear_refs").write_text("5")
    before, _ = _memory()
    started = time.perf_counter()
    model.fit(u[:steps], y[:steps])
    seconds = time.perf_counter() - started
    print(f"{_memory()[1] - before:.0f} {seconds:.0f}")


def _memory():
    """Resident anonymous megabytes now, and the peak of all resident ones less the file pages mapped now."""
    status = Path("/proc/self/status").read_text()
    size = {key: int(status.split(f"{key}:")[1].split()[0]) / 1024 for key in ("VmHWM", "RssAnon", "RssFile")}
    return size["RssAnon"], size["VmHWM"] - size["RssFile"]


def memory(record, steps, units=500):
    with tempfile.TemporaryDirectory() as folder:
        u = np.lib.format.open_memmap(Path(folder) / "u.npy", mode="w+", dtype=np.float64, shape=(steps, 1))
        y = np.lib.format.open_memmap(Path(folder) / "y.npy", mode="w+", dtype=np.float64, shape=(steps, 1))
        u[:, 0] = np.sin(0.1 * np.arange(steps))
        y[:-1] = u[1:]
        command = f"from benchmarks.bench_reservoirs import long_fit; long_fit({folder!r}, {steps}, {units})"
        done = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True)
    most, seconds = done.stdout.split()
    record.add(f"fit of {steps:.0e} steps, {units} units", float(seconds), "s")
    record.add("memory of that fit, beyond what was held before", float(most), "MB")


def main(record):
    record.note("(units, connectivity); ours on one thread for one series, on all for many")
    harvesting(record)
    for steps in SERIES_STEPS:
        batches(steps, record)
    fits(record)
    large(record)
    memory(record, int(float(os.environ.get("NEUROJIT_LONG_FIT", "1e6"))))
