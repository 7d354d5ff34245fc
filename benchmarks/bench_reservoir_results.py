"""Results of the literature on reservoirs, with fixed seeds: five runs each and their median."""

import time

import numpy as np

import neurojit as nj
from benchmarks import harness
from neurojit.reservoirs import mackey_glass, make_reservoir, memory_capacity, narma

SEEDS = range(5)


def report(what, values, wanted=""):
    values = np.asarray(values)
    runs = " ".join(f"{value:.3g}" for value in values)
    print(f"{what}: median {np.median(values):.4g} ({runs}){wanted}", flush=True)


def mackey_glass_free_run(units=1000, ahead=84, trials=50):
    """Train on 3000 steps, prime with 1000 others, run free: NRMSE at step 84 over 50 stretches, by the deviation."""
    x = np.tanh(mackey_glass(4000 + 1000 + trials * 100 + ahead) - 1.0)
    errors = []
    for seed in SEEDS:
        model = nj.EchoStateRegressor(
            units,
            spectral_radius=1.1,
            leak_rate=0.5,
            input_scaling=2.0,
            bias_scaling=0.5,
            washout=500,
            ridge=1e-10,
            random_state=seed,
        ).fit(x[:3499], x[1:3500])
        misses = []
        for trial in range(trials):
            start = 3500 + 100 * trial
            run = model.generate(ahead, prime=x[start : start + 1000])
            misses.append(run[-1, 0] - x[start + 1000 + ahead - 1, 0])
        errors.append(np.sqrt(np.mean(np.square(misses)) / x.var()))
    report(f"Mackey-Glass (tau 17) free run, {units} units: NRMSE at {ahead} steps", errors, "; wanted <= 1e-3")


def mackey_glass_one_step():
    """The split and series of the example in reservoirpy's README."""
    from reservoirpy.datasets import mackey_glass as peer_series

    x = peer_series(n_timesteps=2000)
    errors = []
    for seed in SEEDS:
        model = nj.EchoStateRegressor(
            100, spectral_radius=1.25, leak_rate=0.3, bias_scaling=0.2, ridge=1e-5, random_state=seed
        )
        model.fit(x[:500], x[1:501])
        predicted = model.predict(x[501:-1], continue_=True)
        errors.append(np.sqrt(np.mean((predicted - x[502:]) ** 2)))
    report("Mackey-Glass one step, 100 units: RMSE", errors, "; wanted <= 2.1e-3")


def narma_10():
    errors = []
    for seed in SEEDS:
        u, y = narma(6000, random_state=seed)
        model = nj.EchoStateRegressor(
            500, spectral_radius=0.95, input_scaling=0.2, bias_scaling=0.2, ridge=1e-7, random_state=seed
        )
        model.fit(u[:4000], y[:4000])
        predicted = model.predict(u)[4000:]
        errors.append(np.sqrt(np.mean((predicted - y[4000:]) ** 2)) / y[4000:].std())
    report("NARMA-10, 500 units: RMSE over the standard deviation", errors, "; wanted <= 0.25")


def memory():
    for topology, activation in (("random", "tanh"), ("shifts", "tanh"), ("ring", "tanh"), ("ring", "identity")):
        options = {"topology": topology, "activation": activation, "input_scaling": 0.1, "bias_scaling": 0.0}
        capacities = [
            memory_capacity(make_reservoir(1, n_units=100, spectral_radius=0.95, random_state=seed, **options))[0]
            for seed in SEEDS
        ]
        report(f"memory capacity of 100 units, {topology}, {activation}", capacities)


def topologies(seeds=20, units=(100, 300)):
    """Shifted beside random matrices, the same seeds: means, and the mean difference with its standard error."""
    x = np.tanh(mackey_glass(6500) - 1.0)

    def capacity(n_units, topology, seed):
        options = {"spectral_radius": 0.95, "input_scaling": 0.1, "bias_scaling": 0.0, "random_state": seed}
        return memory_capacity(make_reservoir(1, n_units=n_units, topology=topology, **options))[0]

    def narma_error(n_units, topology, seed):
        u, y = narma(4000, random_state=seed)
        options = {"spectral_radius": 0.95, "input_scaling": 0.2, "bias_scaling": 0.2, "ridge": 1e-7}
        model = nj.EchoStateRegressor(n_units, topology=topology, random_state=1000 + seed, **options)
        missed = model.fit(u[:3000], y[:3000]).predict(u)[3000:] - y[3000:]
        return np.sqrt(np.mean(missed**2)) / y[3000:].std()

    def free_run_error(n_units, topology, seed, ahead=84):
        options = {"spectral_radius": 1.1, "leak_rate": 0.5, "input_scaling": 2.0, "bias_scaling": 0.5}
        model = nj.EchoStateRegressor(n_units, topology=topology, ridge=1e-10, random_state=seed, **options)
        model.fit(x[:2499], x[1:2500])
        starts = range(2500, 4500, 100)
        missed = [model.generate(ahead, prime=x[s : s + 500])[-1, 0] - x[s + 500 + ahead - 1, 0] for s in starts]
        return np.log10(np.sqrt(np.mean(np.square(missed))) / x.std())

    measures = {"memory capacity": capacity, "NARMA-10": narma_error, "Mackey-Glass, log10 at 84 steps": free_run_error}
    for what, measure in measures.items():
        for n_units in units:
            random, shifts = ([measure(n_units, t, s) for s in range(seeds)] for t in ("random", "shifts"))
            difference = np.subtract(shifts, random)
            error = difference.std(ddof=1) / np.sqrt(seeds)
            print(
                f"{what}, {n_units} units, {seeds} seeds: random {np.mean(random):.4g}, shifts {np.mean(shifts):.4g},"
                f" difference {difference.mean():.2g} +- {error:.2g}",
                flush=True,
            )


def japanese_vowels():
    with np.load(harness.data_file("japanese_vowels.npz")) as held:
        parts = {part: np.split(held[f"x_{part}"], held[f"offsets_{part}"][1:-1]) for part in ("train", "test")}
        labels = {part: held[f"y_{part}"] for part in ("train", "test")}
    scores = [
        nj.EchoStateClassifier(200, spectral_radius=0.5, leak_rate=0.5, input_scaling=0.5, random_state=seed)
        .fit(parts["train"], labels["train"])
        .score(parts["test"], labels["test"])
        for seed in SEEDS
    ]
    report("Japanese Vowels, 200 units: accuracy by sequence", scores, "; wanted >= 0.97")


def sinc():
    """5000 noisy samples of sin(x) / x on [-10, 10]; the error is on 5000 others without noise."""
    errors = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        x, test = rng.uniform(-10, 10, (5000, 1)), rng.uniform(-10, 10, (5000, 1))
        y = np.sinc(x[:, 0] / np.pi) + rng.uniform(-0.2, 0.2, 5000)
        model = nj.ExtremeLearningMachineRegressor(20, ridge=None, random_state=seed).fit(x, y)
        errors.append(np.sqrt(np.mean((model.predict(test) - np.sinc(test[:, 0] / np.pi)) ** 2)))
    report("ELM on SinC, 20 neurons: RMSE", errors, "; wanted <= 0.012")


def mel_bands(n_bands, n_fft, rate):
    """Triangular filters, evenly spaced on the mel scale, (n_bands, n_fft / 2 + 1)."""
    mel = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + rate / 2 / 700), n_bands + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    f = np.fft.rfftfreq(n_fft, 1 / rate)
    rising = (f - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - f) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(np.minimum(rising, falling), 0)


def spectrogram(samples, bands, hop=80, width=256):
    """Logarithms of the power in each band, a row every 10 ms."""
    samples = samples / np.sqrt(np.mean(samples**2))
    n_frames = 1 + max(0, len(samples) - width) // hop
    padded = np.pad(samples, (0, width))
    frames = np.stack([padded[i * hop : i * hop + width] for i in range(n_frames)]) * np.hanning(width)
    return np.maximum(np.log10(np.abs(np.fft.rfft(frames)) ** 2 @ bands.T + 1e-2), -1.0)


def spoken_digits():
    with np.load(harness.data_file("fsdd.npz")) as held:
        recordings = np.split(held["samples"].astype(np.float64), held["offsets"][1:-1])
        labels, test = held["labels"], held["take"] < 5
        bands = mel_bands(32, 256, int(held["sample_rate"]))
    series = [spectrogram(samples, bands) for samples in recordings]
    train = [s for s, held_out in zip(series, test, strict=True) if not held_out]
    others = [s for s, held_out in zip(series, test, strict=True) if held_out]
    started = time.perf_counter()
    scores = [
        nj.LiquidStateClassifier(**LIQUID, random_state=seed).fit(train, labels[~test]).score(others, labels[test])
        for seed in SEEDS
    ]
    seconds = (time.perf_counter() - started) / len(SEEDS)
    report(f"LSM on spoken digits (FSDD, 6 speakers), {seconds:.0f} s a run: accuracy", scores, "; wanted >= 0.85")


LIQUID = {"strength": 0.3, "input_strength": 10.0, "input_density": 0.1, "ridge": 1.0}


def sunspots(period=132):
    """Error against horizon of free runs from every twelfth month after 1950, beside the value 11 years before."""
    table = np.loadtxt(harness.data_file("sunspots_monthly.csv"), delimiter=";")
    x, year = table[:, 3], table[:, 2]
    first = int(np.searchsorted(year, 1950))
    origins = range(first, len(x) - period, 12)
    root = np.sqrt(np.maximum(x, 0))[:, None]
    scaled = (root - root[:first].mean()) / root[:first].std()
    horizons = np.array([1, 6, 12, 24, 60, 132])
    truth = np.array([x[o : o + period] for o in origins])
    naive = np.array([x[o - period : o] for o in origins])
    runs = []
    for seed in SEEDS:
        model = nj.EchoStateRegressor(
            300, spectral_radius=0.95, leak_rate=0.2, input_scaling=0.3, ridge=10.0, noise=1e-2, random_state=seed
        ).fit(scaled[: first - 1], scaled[1:first])
        runs.append([model.generate(period, prime=scaled[:o])[:, 0] for o in origins])
    predicted = (np.array(runs) * root[:first].std() + root[:first].mean()) ** 2
    error = np.sqrt(((predicted - truth) ** 2).mean(axis=1))
    print(f"sunspots, {len(truth)} origins, RMSE by months ahead: median of {len(SEEDS)} runs, and seasonal naive")
    for h in horizons:
        baseline = np.sqrt(((naive - truth) ** 2).mean(axis=0))[h - 1]
        print(f"  {h:4d}: {np.median(error[:, h - 1]):6.1f} {baseline:6.1f}")


def main():
    mackey_glass_free_run()
    mackey_glass_one_step()
    narma_10()
    memory()
    topologies()
    japanese_vowels()
    sinc()
    spoken_digits()
    sunspots()


if __name__ == "__main__":
    main()
