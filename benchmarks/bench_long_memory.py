"""What lies far back: tasks of the literature that ask for it, with fixed seeds.

``python -m benchmarks long_memory`` prints the table. Copy memory (Bai, Kolter and Koltun 2018, section 5.2): ten
digits have to be said again after 100 steps, by a temporal convolutional network and by an LSTM of about as many
parameters. Temporal order (Hochreiter and Schmidhuber 1997, task 6a, in the form of Pascanu, Mikolov and Bengio 2013,
section 4.1): which two symbols came, one after another, in 50 steps, by a vanilla network that learns by plain gradient
descent, with clipped gradients, and with the penalty on vanishing gradients as well.
"""

import time

import numpy as np

from neurojit.inspection import gradient_norms
from neurojit.layers import LSTM, RNN, Dense, Sequential
from neurojit.models import tcn
from neurojit.training import (
    SGD,
    ArrayBatches,
    Batch,
    CrossEntropy,
    RMSprop,
    Trainer,
    TrainingDiverged,
    VanishingGradientPenalty,
)

SEED = 0
DELAY, DIGITS = 100, 10
STEPS = 50
UNITS = 50


# -- copy memory ------------------------------------------------------------------------------------------------------


def copy_memory(n, seed):
    """Ten digits 1 to 8, 0 for a long time, 9 from where they are asked for: inputs (n, t, 1) and targets (n, t)."""
    digits = np.random.default_rng(seed).integers(1, 9, (n, DIGITS))
    x, y = np.zeros((2, n, DELAY + 2 * DIGITS), np.int64)
    x[:, :DIGITS], x[:, -DIGITS - 1 :] = digits, 9
    y[:, -DIGITS:] = digits
    return x[..., np.newaxis].astype(np.float32), y


def copying(network, epochs):
    """Loss, and the share of the digits that are right, on new sequences."""
    trainer = Trainer(
        network, CrossEntropy(), RMSprop(5e-4), batch_size=32, max_epochs=epochs, clip_norm=1.0, random_state=SEED
    )
    trainer.fit(ArrayBatches(*copy_memory(10_000, SEED)))
    x, y = copy_memory(1000, SEED + 1)
    logits = network(x)
    return CrossEntropy().value(logits, y), np.mean(logits.argmax(-1)[:, -DIGITS:] == y[:, -DIGITS:])


def copying_networks():
    channels, kernel_size = [10] * 6, 8
    return {
        "TCN": Sequential(tcn(channels, kernel_size, dropout=0.0), Dense(10)),
        "LSTM": Sequential(LSTM(44, return_sequences=True), Dense(10)),
    }


# -- temporal order ---------------------------------------------------------------------------------------------------


def temporal_order(n, rng):
    """Distractors 2 to 5, and at two places 0 or 1: inputs (n, t, 6) and which of the four pairs it was, (n,)."""
    symbols = rng.integers(2, 6, (n, STEPS))
    pairs, tenth, rows = rng.integers(0, 2, (n, 2)), STEPS // 10, np.arange(n)
    symbols[rows, rng.integers(tenth, 2 * tenth, n)] = pairs[:, 0]
    symbols[rows, rng.integers(5 * tenth, 6 * tenth, n)] = pairs[:, 1]
    return np.eye(6, dtype=np.float32)[symbols], pairs @ [1, 2]


class NewSequences:
    """Batches of sequences that were never seen before."""

    def __init__(self, updates, batch_size):
        self.updates, self.batch_size = updates, batch_size

    def __len__(self):
        return self.updates * self.batch_size

    def batches(self, batch_size, key=None):
        rng = np.random.default_rng(SEED if key is None else key.value)
        for _ in range(self.updates):
            yield Batch(*temporal_order(batch_size, rng), None)


def ordering(seed, epochs, **options):
    """Share of new sequences whose pair is right, updates until all were, and what a penalty would be at the end."""
    network = Sequential(RNN(UNITS), Dense(4)).make((STEPS, 6), seed)
    for parameter in network.named_parameters().values():
        if parameter.value.ndim == 2:  # the paper's "basic tanh"
            parameter.value[...] = np.random.default_rng(seed).normal(0, 0.1, parameter.value.shape)
    trainer = Trainer(
        network, CrossEntropy(), SGD(0.01), batch_size=20, max_epochs=epochs, random_state=seed, **options
    )
    x, y = temporal_order(2000, np.random.default_rng(seed + 1000))
    data, share = NewSequences(1000, 20), 0.0
    while trainer.epoch < epochs and share < 1:
        try:
            trainer.run_epoch(data)
        except TrainingDiverged:
            break
        share = float(np.mean(network(x).argmax(-1) == y))
    norms = gradient_norms(network, x[:100], y[:100])["0.h"]
    return share, trainer.updates, norms[0] / norms[-1]


def orderings():
    return {
        "SGD alone": {},
        "clipping": {"clip_norm": 1.0},
        "clipping and penalty": {"clip_norm": 1.0, "penalties": [VanishingGradientPenalty(2.0)]},
    }


def main(copy_epochs=10, order_epochs=40, seeds=(0, 1, 2)):
    baseline = DIGITS * np.log(8) / (DELAY + 2 * DIGITS)
    print(f"copy memory, {DELAY} steps, {copy_epochs} epochs of 10,000; without a memory the loss is {baseline:.4f}")
    for name, network in copying_networks().items():
        started = time.perf_counter()
        loss, share = copying(network, copy_epochs)
        size = sum(p.value.size for p in network.named_parameters().values())
        seconds = time.perf_counter() - started
        print(
            f"{name:22s}{size:8,d} parameters, loss {loss:.6f}, digits right {share:.4f}, {seconds:.0f} s", flush=True
        )
    print(f"temporal order, {STEPS} steps, at most {1000 * order_epochs:,d} updates")
    for name, options in orderings().items():
        for seed in seeds:
            share, updates, ratio = ordering(seed, order_epochs, **options)
            print(
                f"{name:22s}seed {seed}: right {share:.4f} after {updates:,d} updates,"
                f" gradient of the first step / last {ratio:.1e}",
                flush=True,
            )
