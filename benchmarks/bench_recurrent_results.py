"""Results of the literature on recurrent networks, with fixed seeds: ``python -m benchmarks recurrent_results``."""

import sys
import time

import numpy as np

import neurojit as nj
from benchmarks import harness

SEED = 0
_STARTS = 3


def data(name):
    return np.load(harness.data_file(name))


def adding_problem(steps=100, n=10_000, seed=SEED):
    """Sum of the two marked among random numbers (Hochreiter and Schmidhuber 1997, as in Bai et al. 2018)."""
    rng = np.random.default_rng(seed)
    x = np.zeros((n, steps, 2), np.float32)
    x[..., 0] = rng.random((n, steps))
    first, second = rng.integers(0, steps // 2, n), rng.integers(steps // 2, steps, n)
    x[np.arange(n), first, 1] = x[np.arange(n), second, 1] = 1
    return x, x[np.arange(n), first, 0] + x[np.arange(n), second, 0]


def adding(cell, seed=SEED, epochs=16):
    """Mean squared error on new sequences; 0.167 is that of the mean."""
    x, y = adding_problem(seed=seed)
    model = nj.RecurrentRegressor(
        cell=cell, units=64, learning_rate=5e-3, batch_size=50, max_epochs=epochs, random_state=seed
    )
    model.fit(x, y)
    x, y = adding_problem(n=1000, seed=seed + 1000)
    return float(np.mean((model.predict(x) - y) ** 2))


def temporal_order_problem(n=5_000, seed=SEED):
    """Task 6a: which of X and Y came at two places far apart, among distractors (Hochreiter and Schmidhuber 1997)."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(100, 111, n)
    symbols = [np.r_[6, rng.integers(0, 4, length - 2), 7] for length in lengths]  # E, a to d, B
    which = rng.integers(0, 2, (n, 2))
    for sequence, pair in zip(symbols, which, strict=True):
        sequence[rng.integers(10, 21)], sequence[rng.integers(50, 61)] = 4 + pair[0], 4 + pair[1]  # X is 4, Y 5
    one_hot = np.eye(8, dtype=np.float32)
    return [one_hot[sequence] for sequence in symbols], which @ [2, 1]


def temporal_order(cell, seed=SEED, epochs=30):
    """Share of new sequences whose class is right; 0.25 is chance."""
    model = nj.RecurrentClassifier(cell=cell, units=32, learning_rate=5e-3, max_epochs=epochs, random_state=seed)
    model.fit(*temporal_order_problem(seed=seed))
    return model.score(*temporal_order_problem(n=1000, seed=seed + 1000))


def mnist_rows(seed=SEED, epochs=5):
    """Accuracy of an LSTM of 128 units that reads MNIST row by row."""
    with data("mnist.npz") as mnist:
        x_train, x_test = (mnist[name].astype(np.float32) / 255 for name in ("x_train", "x_test"))
        y_train, y_test = mnist["y_train"], mnist["y_test"]
    model = nj.RecurrentClassifier(units=128, standardize=False, batch_size=64, max_epochs=epochs, random_state=seed)
    return model.fit(x_train, y_train).score(x_test, y_test)


def japanese_vowels(seed=SEED, epochs=20):
    """Accuracy on nine speakers' vowels of unequal lengths."""
    with data("japanese_vowels.npz") as vowels:
        parts = {}
        for name in ("train", "test"):
            parts[name] = np.split(vowels[f"x_{name}"].astype(np.float32), vowels[f"offsets_{name}"][1:-1])
        y_train, y_test = vowels["y_train"], vowels["y_test"]
    model = nj.RecurrentClassifier(
        units=64, bidirectional=True, dropout=0.3, max_epochs=epochs, batch_size=16, random_state=seed
    )
    return model.fit(parts["train"], y_train).score(parts["test"], y_test)


def log_mel(samples, rate=8000, window=200, step=80, bands=26):
    """Logarithms of the energies in bands of equal width on the mel scale, a row each 10 ms."""
    from scipy.signal import stft

    spectrum = stft(samples, rate, nperseg=window, noverlap=window - step, nfft=256, boundary=None)[2]
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + rate / 2 / 700), bands + 2) / 2595) - 1)
    at = np.linspace(0, rate / 2, spectrum.shape[0])
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters = np.clip(np.minimum((at - low) / (middle - low), (high - at) / (high - middle)), 0, None)
    return np.log(filters @ np.abs(spectrum) ** 2 + 1e-10).T.astype(np.float32)


def digit_strings(recordings, labels, n, rng):
    """Recordings of digits joined to strings of three to six."""
    x, y = [], []
    for _ in range(n):
        chosen = rng.integers(0, len(recordings), rng.integers(3, 7))
        x.append(log_mel(np.concatenate([recordings[i] for i in chosen])))
        y.append(labels[chosen])
    return x, y


def spoken_digits(seed=SEED, n=2000, epochs=15):
    """Label error rate of strings of FSDD's digits, read by CTC; its official test recordings."""
    with data("fsdd.npz") as fsdd:
        recordings = np.split(fsdd["samples"].astype(np.float32) / 32768, fsdd["offsets"][1:-1])
        labels, is_test = fsdd["labels"], fsdd["take"] < 5
    rng = np.random.default_rng(seed)
    sets = []
    for chosen, size in ((~is_test, n), (is_test, 300)):
        sets.append(digit_strings([recordings[i] for i in np.flatnonzero(chosen)], labels[chosen], size, rng))
    model = nj.CTCLabeler(units=96, learning_rate=5e-3, dropout=0.2, max_epochs=epochs, random_state=seed)
    return 1 - model.fit(*sets[0]).score(*sets[1])


def counting(cell, seed=SEED, most=100):
    """The largest n of those tried up to 1000 for which a model of a^n b^n knows exactly where a string ends.

    Of three models from different starts, that with the least training loss is asked.

    The model predicts the next symbol; once b has come, it has to say b until there are n, and then the end.
    """
    model, accepted = min((counter(cell, seed + i, most) for i in range(_STARTS)), key=lambda m: m.loss_curve_[-1]), 0
    for n in (10, 50, 100, 200, 300, 500, 700, 1000):
        if not accepts(model, n):
            break
        accepted = n
    return accepted


def string(n):
    """a^n b^n as rows one-hot in (start, a, b), and what has to come next: a (0), b (1), or the end (2)."""
    return np.eye(3, dtype=np.float32)[np.repeat([0, 1, 2], [1, n, n])], np.repeat([0, 1, 2], [n + 1, n - 1, 1])


def counter(cell, seed, most, epochs=400):
    """A labeler of what comes next in a^n b^n, for n up to `most`.

    An LSTM starts with its forget gate so wide open that it is 1 in float32: as without one, in the paper of 1997.
    """
    from neurojit.layers import GRU, LSTM, Dense, Sequential

    layer = {"lstm": LSTM, "gru": GRU}[cell](4, return_sequences=True)
    network = Sequential(layer, Dense(3)).make((2 * most + 1, 3), seed)
    if cell == "lstm":
        layer.bias.value[4:8] = 20
    x, y = zip(*(string(n) for n in range(1, most + 1)), strict=True)
    model = nj.SequenceLabeler(
        network, standardize=False, learning_rate=0.05, batch_size=10, max_epochs=epochs, random_state=seed
    )
    return model.fit(list(x), list(y))


def accepts(model, n):
    """Whether the model takes a^n b^n for a whole string, and no shorter or longer run of b."""
    x, y = string(n)
    predicted = model.predict([x])[0]
    return bool((predicted[n + 1 :] == y[n + 1 :]).all())


RESULTS = {
    "adding": ("adding problem, T = 100: mean squared error", lambda: {c: adding(c) for c in ("lstm", "rnn")}),
    "order": ("temporal order 6a: accuracy", lambda: {c: temporal_order(c) for c in ("lstm", "rnn")}),
    "vowels": ("Japanese Vowels: accuracy, wanted >= 0.96", japanese_vowels),
    "mnist": ("MNIST row by row, LSTM(128), 5 epochs: accuracy, wanted >= 0.985", mnist_rows),
    "digits": ("FSDD digit strings by CTC: label error rate, wanted <= 0.10", spoken_digits),
    "counting": ("a^n b^n from n <= 100: largest n accepted", lambda: {c: counting(c) for c in ("lstm", "gru")}),
}


def main(names=()):
    for name in names or RESULTS:
        what, run = RESULTS[name]
        started = time.perf_counter()
        found = run()
        print(f"{what}: {found} ({time.perf_counter() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
