"""Forward and backward passes over one batch of images beside PyTorch, with the bytes they cannot do without."""

import numpy as np

from benchmarks import harness

SHAPE = (8, 56, 56, 64)  # images, height, width, channels


def images():
    return np.random.default_rng(0).standard_normal(SHAPE, np.float32)


def ours(op, arrays, options):
    """Functions that compute y and all gradients, and the bytes each at least reads and writes."""
    x = images()
    y, backward = op.vjp(x, *arrays, **options)
    dy = np.ones_like(y)
    functions = {"forward": lambda: op(x, *arrays, **options), "backward": lambda: backward(dy)}
    backward_reads_x = y.shape == x.shape  # as normalization does; pooling reads switches instead, or nothing
    return functions, {"forward": x.nbytes + y.nbytes, "backward": dy.nbytes + (1 + backward_reads_x) * x.nbytes}


def peer(function, parameters, channels_last):
    """The same functions by PyTorch, in one of its two memory layouts."""
    import torch

    layout = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.from_numpy(images().transpose(0, 3, 1, 2)).contiguous(memory_format=layout)
    tx = x.clone().requires_grad_()
    weights = [torch.ones(SHAPE[-1], requires_grad=True) for _ in range(parameters)]
    y = function(tx, *weights)
    dy = torch.ones_like(y)

    def forward():
        with torch.no_grad():
            function(x, *weights)

    return {
        "forward": forward,
        "backward": lambda: torch.autograd.grad(y, (tx, *weights), dy, retain_graph=True),
    }


def compare(cases, record):
    """Time both beside PyTorch's better layout; the floor is a copy that moves as many bytes.

    Parameters
    ----------
    cases : dict of str to (op, arrays, options, PyTorch's function, its number of parameters)
    record : benchmarks.recorder.Recorder
    """
    record.note(
        f"float32 {SHAPE}; a copy of 128 MiB on one thread: {harness.copy_rate():.1f} GB/s. The floor is the time of a"
        " copy that reads and writes as many bytes on all threads, taken in turn with them, each array counted once"
    )
    for name, (op, arrays, options, function, parameters) in cases.items():
        mine, n_bytes = ours(op, arrays, options)
        first, last = peer(function, parameters, False), peer(function, parameters, True)
        for what, run in mine.items():
            turns = {"ours": run, "first": first[what], "last": last[what], "copy": _copy(n_bytes[what])}
            times = harness.interleave(turns)
            least = times.pop("copy")
            record.times(f"{name}, {what}", times, floor=least / times["ours"])


def _copy(n_bytes):
    """A function that reads and writes `n_bytes` in all, on all threads."""
    import torch

    source = torch.ones(n_bytes // 8)
    target = torch.empty_like(source)
    return lambda: target.copy_(source)
