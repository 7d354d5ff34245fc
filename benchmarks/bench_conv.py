"""2-D convolution beside PyTorch's better memory layout: forward, gradient to data, gradient to weights.

``python -m benchmarks conv`` times both; ``pytest benchmarks/bench_conv.py --benchmark-only`` times ours alone,
to compare commits.
"""

import numpy as np
import pytest

import neurojit.functional as F
from benchmarks import harness
from benchmarks.tile import tile_rate

# name: images, channels in, height = width, channels out, window, stride, padding, dilation
SHAPES = {
    "3x3 64@56": (8, 64, 56, 64, 3, 1, 1, 1),
    "3x3 128@28": (8, 128, 28, 128, 3, 1, 1, 1),
    "3x3 256@14": (8, 256, 14, 256, 3, 1, 1, 1),
    "3x3 512@7": (8, 512, 7, 512, 3, 1, 1, 1),
    "1x1 256-64@56": (8, 256, 56, 64, 1, 1, 0, 1),
    "1x1 64-256@56": (8, 64, 56, 256, 1, 1, 0, 1),
    "3x3/2 64-128@56": (8, 64, 56, 128, 3, 2, 1, 1),
    "3x3 dilated 64@56": (8, 64, 56, 64, 3, 1, 2, 2),
    "7x7/2 3-64@224": (4, 3, 224, 64, 7, 2, 3, 1),
    "5x5 1-32@28": (64, 1, 28, 32, 5, 1, 2, 1),
    "3x3 32-64@14": (64, 32, 14, 64, 3, 1, 1, 1),
}


def arrays(shape):
    n, c_in, size, c_out, window, stride, padding, dilation = shape
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, size, size, c_in), np.float32)
    weight = rng.standard_normal((window, window, c_in, c_out), np.float32)
    return x, weight, {"stride": stride, "padding": padding, "dilation": dilation}


def ours(shape):
    """Functions that compute y, dx and dweight, and the floating-point operations of one of them."""
    x, weight, options = arrays(shape)
    y, backward = F.conv2d.vjp(x, weight, **options)
    dy = np.ones_like(y)
    functions = {
        "forward": lambda: F.conv2d(x, weight, **options),
        "dx": lambda: backward(dy, wrt=(True, False)),
        "dweight": lambda: backward(dy, wrt=(False, True)),
    }
    return functions, 2 * y.size * weight[..., 0].size


def peer(shape, channels_last):
    """The same functions by PyTorch, in one of its two memory layouts."""
    import torch

    x, weight, options = arrays(shape)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x, weight = (
        torch.from_numpy(a.transpose(axes)).contiguous(memory_format=layout)
        for a, axes in ((x, (0, 3, 1, 2)), (weight, (3, 2, 0, 1)))
    )
    tx, tweight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    y = torch.nn.functional.conv2d(tx, tweight, **options)
    dy = torch.ones_like(y)

    def forward():
        with torch.no_grad():
            torch.nn.functional.conv2d(x, weight, **options)

    return {
        "forward": forward,
        "dx": lambda: torch.autograd.grad(y, tx, dy, retain_graph=True),
        "dweight": lambda: torch.autograd.grad(y, tweight, dy, retain_graph=True),
    }


def main(record):
    tile = tile_rate()
    record.note(
        f"{tile:.0f} GFLOP/s register tile, of which shares are; {harness.copy_rate():.1f} GB/s copy."
        " Operations are those of the plain algorithm, of which Winograd's do a part"
    )
    ratios = {}
    for name, shape in SHAPES.items():
        mine, operations = ours(shape)
        first, last = peer(shape, False), peer(shape, True)
        for what, function in mine.items():
            times = harness.interleave({"ours": function, "first": first[what], "last": last[what]})
            row = record.rate(f"{name}, {what}", times, operations / 1e9, "GFLOP/s", most=tile)
            ratios.setdefault(what, []).append(row.ratio)
    record.means(ratios)


@pytest.mark.parametrize("what", ["forward", "dx", "dweight"])
@pytest.mark.parametrize("name", SHAPES)
def test_conv2d(benchmark, name, what):
    benchmark(ours(SHAPES[name])[0][what])
