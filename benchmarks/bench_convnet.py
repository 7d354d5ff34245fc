"""One epoch of a LeNet-style network on MNIST, batch 64, beside the same network in PyTorch; and its peak memory."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import harness

BATCH = 64
SOURCES = 12_800  # images of a timed turn: the speed per image is that of an epoch of 60,000
ROUNDS = 5


def network():
    """conv 5x5 (32), pool, conv 5x5 (64), pool, dense 128, dense 10."""
    from neurojit.layers import Conv2d, Dense, Flatten, MaxPool2d, ReLU, Sequential

    return Sequential(
        Conv2d(32, 5, padding=2),
        ReLU(),
        MaxPool2d(2),
        Conv2d(64, 5, padding=2),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Dense(128),
        ReLU(),
        Dense(10),
    )


def our_trainer(**options):
    from neurojit.training import Adam, CrossEntropy, Trainer

    return Trainer(network(), CrossEntropy(), Adam(), batch_size=BATCH, random_state=0, **options)


def our_epoch(x, y):
    from neurojit.training import ArrayBatches

    trainer = our_trainer(max_epochs=1)
    data = ArrayBatches(x, y)

    def epoch():
        trainer.max_epochs = trainer.epoch + 1
        trainer.fit(data)

    return epoch


def peer_network():
    """The same network in PyTorch."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def peer_epoch(x, y, channels_last):
    import torch
    from torch import nn

    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = peer_network().to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters())
    images = torch.from_numpy(x.transpose(0, 3, 1, 2)).contiguous(memory_format=layout)
    labels = torch.from_numpy(y)

    def epoch():
        for index in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images[index]), labels[index])
            loss.backward()
            optimizer.step()
            loss.item()

    return epoch


def peak_memory():
    """Print the megabytes of the training images and the most this process held in an epoch; Linux only."""
    x, y = harness.load("mnist")[:2]
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak that loading made
    our_epoch(x, y)()
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0])
    print(f"{x.nbytes / 2**20:.0f} {peak / 2**10:.0f}")


def main(record):
    x, y, *_ = harness.load("mnist")
    part, labels = np.ascontiguousarray(x[:SOURCES]), y[:SOURCES]
    times = harness.interleave(
        {
            "ours": our_epoch(part, labels),
            "first": peer_epoch(part, labels, False),
            "last": peer_epoch(part, labels, True),
        },
        repeats=ROUNDS,
        inner=1,
    )
    record.rate(f"LeNet epoch, batch {BATCH}, Adam", times, SOURCES, "images/s")
    record.note(f"PyTorch, channels first {SOURCES / times['first']:.0f} images/s, last {SOURCES / times['last']:.0f}")
    epoch = our_epoch(x, y)
    started = time.perf_counter()
    epoch()
    record.add("whole MNIST epoch", time.perf_counter() - started, "s")
    command = [sys.executable, "-c", "from benchmarks.bench_convnet import peak_memory; peak_memory()"]
    size, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    record.add("peak memory of an MNIST epoch", float(peak), "MB")
    record.note(f"peak memory is with interpreter and libraries; the input has {size} MB of it")
