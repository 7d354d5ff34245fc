"""Normalization beside PyTorch's better memory layout, forward and backward.

``python -m benchmarks norm`` times both; ``pytest benchmarks/bench_norm.py --benchmark-only`` times ours alone,
to compare commits.
"""

import numpy as np
import pytest

import neurojit.functional as F
from benchmarks import passes

_ONES = np.ones(passes.SHAPE[-1], np.float32)


def _last(x):
    return x.permute(0, 2, 3, 1)


def cases(functions):
    """Name: our function, its arrays and options, PyTorch's function and its number of parameters."""
    both, size = (_ONES, _ONES), passes.SHAPE[-1:]
    f = functions
    return {
        "batch": (F.batch_norm, both, {}, lambda x, g, b: f.batch_norm(x, None, None, g, b, training=True), 2),
        "instance": (F.instance_norm, both, {}, lambda x, g, b: f.instance_norm(x, None, None, g, b), 2),
        "group (32)": (F.group_norm, both, {"groups": 32}, lambda x, g, b: f.group_norm(x, 32, g, b), 2),
        "layer": (F.layer_norm, both, {}, lambda x, g, b: f.layer_norm(_last(x), size, g, b), 2),
        "rms": (F.rms_norm, both[:1], {}, lambda x, g: f.rms_norm(_last(x), size, g), 1),
        "local response": (F.local_response_norm, (), {}, lambda x: f.local_response_norm(x, 5), 0),
    }


def main(record):
    from torch.nn import functional

    passes.compare(cases(functional), record)


@pytest.mark.parametrize("what", ["forward", "backward"])
@pytest.mark.parametrize("name", cases(None))
def test_norm(benchmark, name, what):
    op, arrays, options, *_ = cases(None)[name]
    benchmark(passes.ours(op, arrays, options)[0][what])
