"""Depthwise, grouped, transposed, causal, 3-D, deformable and binary convolution: forward and gradients.

Beside PyTorch's better memory layout; deformable beside the same formula on PyTorch's grid_sample; binary beside our
own float convolution. ``python -m benchmarks conv_variants`` times both; ``pytest
benchmarks/bench_conv_variants.py --benchmark-only`` times ours alone, to compare commits.
"""

import functools

import numpy as np
import pytest

import neurojit.functional as F
from benchmarks import harness
from benchmarks.tile import tile_rate
from neurojit import set_options

# name: operation, shape of x, of the weights, options
CASES = {
    "depthwise 3x3 128@56": ("conv2d", (8, 56, 56, 128), (3, 3, 1, 128), {"padding": 1, "groups": 128}),
    "depthwise 3x3/2 128@56": ("conv2d", (8, 56, 56, 128), (3, 3, 1, 128), {"padding": 1, "stride": 2, "groups": 128}),
    "depthwise 7x7 96@28": ("conv2d", (8, 28, 28, 96), (7, 7, 1, 96), {"padding": 3, "groups": 96}),
    "32 groups 3x3 128@56": ("conv2d", (8, 56, 56, 128), (3, 3, 4, 128), {"padding": 1, "groups": 32}),
    "transposed 4x4/2 64@28": ("conv_transpose2d", (8, 28, 28, 64), (4, 4, 64, 64), {"padding": 1, "stride": 2}),
    "1-D causal, dilated 4": ("conv1d", (16, 1024, 64), (3, 64, 64), {"padding": "causal", "dilation": 4}),
    "3-D 3x3x3 32@8x28": ("conv3d", (4, 8, 28, 28, 32), (3, 3, 3, 32, 32), {"padding": 1}),
}
DEFORMABLE = ((8, 28, 28, 64), (3, 3, 64, 64))
BINARY = ((8, 14, 14, 256), (3, 3, 256, 256))


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def ours(case):
    """Functions that compute y, dx, dweight and both gradients."""
    name, *shapes, options = CASES[case]
    op = getattr(F, name)
    x, weight = arrays(*shapes)
    y, backward = op.vjp(x, weight, **options)
    dy = np.ones_like(y)
    return {
        "forward": lambda: op(x, weight, **options),
        "dx": lambda: backward(dy, wrt=(True, False)),
        "dweight": lambda: backward(dy, wrt=(False, True)),
        "both": lambda: backward(dy),
    }


def peer(case, channels_last):
    """The same functions by PyTorch, in one of its two memory layouts."""
    import torch

    name, *shapes, options = CASES[case]
    rank = len(shapes[0]) - 2
    layouts = [torch.contiguous_format, torch.channels_last, torch.channels_last_3d]
    layout = layouts[max(rank - 1, 0)] if channels_last else torch.contiguous_format
    axes = (0, rank + 1, *range(1, rank + 1)), (rank + 1, rank, *range(rank))
    x, weight = (
        torch.from_numpy(a.transpose(order)).contiguous(memory_format=layout)
        for a, order in zip(arrays(*shapes), axes, strict=True)
    )
    op = functools.partial(_causal, torch) if options["padding"] == "causal" else getattr(torch.nn.functional, name)
    tx, tweight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    y = op(tx, tweight, **options)
    return _timed(torch, lambda: op(x, weight, **options), y, (tx, tweight))


def _causal(torch, x, weight, padding, dilation):
    before = dilation * (weight.shape[-1] - 1)
    return torch.nn.functional.conv1d(torch.nn.functional.pad(x, (before, 0)), weight, dilation=dilation)


def _timed(torch, function, y, leaves):
    """Functions that compute y without keeping anything, dx, dweight and both (or all) gradients of PyTorch's y."""
    dy, gradient = torch.ones_like(y), torch.autograd.grad

    def forward():
        with torch.no_grad():
            function()

    return {
        "forward": forward,
        "dx": lambda: gradient(y, leaves[0], dy, retain_graph=True),
        "dweight": lambda: gradient(y, leaves[1], dy, retain_graph=True),
        "both": lambda: gradient(y, leaves, dy, retain_graph=True),
    }


def deformable():
    """Forward and all gradients of the deformable convolution, ours and on grid_sample."""
    import torch

    x_shape, weight_shape = DEFORMABLE
    x, weight, offset, mask = arrays(x_shape, weight_shape, (*x_shape[:3], 18), (*x_shape[:3], 9))
    y, backward = F.deform_conv2d.vjp(x, offset, weight, mask=mask, padding=1)
    dy = np.ones_like(y)
    mine = {
        "forward": lambda: F.deform_conv2d(x, offset, weight, mask=mask, padding=1),
        "gradients": lambda: backward(dy),
    }
    first = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    leaves = [first, *(torch.from_numpy(a) for a in (offset, weight, mask))]
    kept = [leaf.clone().requires_grad_() for leaf in leaves]
    theirs = _timed(torch, lambda: by_grid_sample(torch, *leaves), by_grid_sample(torch, *kept), kept)
    return mine, {"forward": theirs["forward"], "gradients": theirs["both"]}


def by_grid_sample(torch, x, offset, weight, mask):
    """Zhu et al. 2019, equation 1, for a 3 x 3 window: samples of every tap side by side, then one matrix product."""
    n, c, height, width = x.shape
    rows, columns = torch.arange(height)[:, None] - 1.0, torch.arange(width)[None] - 1.0
    seen = []
    for t in range(9):
        row, column = rows + t // 3 + offset[..., 2 * t], columns + t % 3 + offset[..., 2 * t + 1]
        grid = torch.stack(((2 * column + 1) / width - 1, (2 * row + 1) / height - 1), dim=-1)
        seen.append(torch.nn.functional.grid_sample(x, grid, align_corners=False) * mask[:, None, ..., t])
    flat = torch.stack(seen, dim=1).reshape(n, 9 * c, height * width)
    return weight.reshape(9 * c, -1).T @ flat


def binary():
    """The binary convolution, and that of floats with and without Winograd's algorithm."""
    x, weight = arrays(*BINARY)
    return {
        "binary": lambda: F.binary_conv2d(x, weight, padding=1),
        "float": lambda: F.conv2d(x, weight, padding=1),
        "without Winograd": lambda: _without_winograd(lambda: F.conv2d(x, weight, padding=1)),
    }


def _without_winograd(function):
    set_options(winograd=False)
    try:
        return function()
    finally:
        set_options(winograd=True)


def main(record):
    record.note(f"{tile_rate():.0f} GFLOP/s register tile, {harness.copy_rate():.1f} GB/s copy")
    for name in CASES:
        mine, first, last = ours(name), peer(name, False), peer(name, True)
        for what, function in mine.items():
            times = harness.interleave({"ours": function, "first": first[what], "last": last[what]})
            record.times(f"{name}, {what}", times)
    mine, theirs = deformable()
    for what, function in mine.items():
        times = harness.interleave({"ours": function, "theirs": theirs[what]})
        record.times(f"deformable 3x3 64@28, {what}; grid_sample", times)
    times = harness.interleave(binary())
    for name in ("float", "without Winograd"):
        record.times(f"binary 3x3 256@14; ours, {name}", {"ours": times["binary"], name: times[name]})


@pytest.mark.parametrize("what", ["forward", "dx", "dweight", "both"])
@pytest.mark.parametrize("name", CASES)
def test_conv_variants(benchmark, name, what):
    benchmark(ours(name)[what])
