"""Pooling beside PyTorch's better memory layout, forward and backward.

``python -m benchmarks pool`` times both; ``pytest benchmarks/bench_pool.py --benchmark-only`` times ours alone,
to compare commits.
"""

import pytest

import neurojit.functional as F
from benchmarks import passes

WINDOWS = {"2x2/2": (2, 2, 0), "3x3/2": (3, 2, 1)}


def cases(functions):
    """Name: our function, its arrays and options, PyTorch's function and its number of parameters."""
    found = {}
    for name, numbers in WINDOWS.items():
        window, stride, padding = numbers
        options = {"stride": stride, "padding": padding}
        found[f"max {name}"] = (F.max_pool2d, (window,), options, _with("max_pool2d", functions, *numbers), 0)
        found[f"avg {name}"] = (F.avg_pool2d, (window,), options, _with("avg_pool2d", functions, *numbers), 0)
    return found | {
        "lp 3x3/2": (F.lp_pool2d, (3,), {"stride": 2}, _with("lp_pool2d", functions, 2, 3, 2), 0),
        "adaptive avg 7x7": (F.adaptive_avg_pool2d, (7,), {}, _with("adaptive_avg_pool2d", functions, 7), 0),
        "global avg": (F.global_avg_pool, (), {}, lambda x: x.mean((2, 3)), 0),
        "global max": (F.global_max_pool, (), {}, _with("adaptive_max_pool2d", functions, 1), 0),
    }


def _with(name, functions, *numbers):
    """A function of PyTorch's with these numbers."""
    return lambda x: getattr(functions, name)(x, *numbers)


def main(record):
    from torch.nn import functional

    passes.compare(cases(functional), record)


@pytest.mark.parametrize("what", ["forward", "backward"])
@pytest.mark.parametrize("name", cases(None))
def test_pool(benchmark, name, what):
    op, arrays, options, *_ = cases(None)[name]
    benchmark(passes.ours(op, arrays, options)[0][what])
