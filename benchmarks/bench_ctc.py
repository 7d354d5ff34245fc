"""The CTC loss beside PyTorch's: value alone, and value and gradient of the log-probabilities.

``python -m benchmarks ctc`` times both; ``pytest benchmarks/bench_ctc.py --benchmark-only`` times ours alone, to
compare commits.
"""

import numpy as np
import pytest

import neurojit.functional as F
from benchmarks import harness

# Steps, sequences, classes, labels: characters of spoken sentences, digits, handwriting, word pieces.
SHAPES = [(500, 16, 29, 60), (150, 32, 12, 6), (100, 64, 80, 30), (200, 16, 1000, 40), (1000, 1, 29, 150)]


def arrays(steps, n, classes, most):
    """Log-probabilities (n, steps, classes), targets, and lengths of both, none of them the same."""
    rng = np.random.default_rng(0)
    log_probs = F.log_softmax(rng.standard_normal((n, steps, classes)).astype(np.float32))
    targets = rng.integers(1, classes, (n, most))
    return log_probs, targets, rng.integers(steps - steps // 5, steps + 1, n), rng.integers(most // 2, most + 1, n)


def ours(*shape):
    given = arrays(*shape)
    return {
        "forward": lambda: F.ctc_loss(*given),
        "forward + backward": lambda: F.ctc_loss.vjp(*given)[1](1.0),
    }


def peer(*shape):
    import torch

    log_probs, *given = arrays(*shape)
    x = torch.from_numpy(np.ascontiguousarray(log_probs.transpose(1, 0, 2)))
    learning = x.clone().requires_grad_()
    given = [torch.from_numpy(array) for array in given]

    def forward():
        with torch.no_grad():
            torch.nn.functional.ctc_loss(x, *given)

    def both():
        torch.autograd.grad(torch.nn.functional.ctc_loss(learning, *given), learning)

    return {"forward": forward, "forward + backward": both}


def main(record):
    record.note("shapes are (steps, n, classes, labels), float32")
    ratios = {"forward": [], "forward + backward": []}
    for shape in SHAPES:
        mine, other = ours(*shape), peer(*shape)
        for what, found in ratios.items():
            times = harness.interleave({"ours": mine[what], "torch": other[what]})
            found.append(record.times(f"{shape}, {what}", times).ratio)
    record.means(ratios)


@pytest.mark.parametrize("what", ["forward", "forward + backward"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ctc(benchmark, shape, what):
    benchmark(ours(*shape)[what])
