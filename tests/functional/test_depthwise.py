"""Depthwise and narrow grouped convolution, on the lanewise tile: against the definition, differences and PyTorch."""

import os
import subprocess
import sys

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.core import simd
from neurojit.functional import depthwise
from neurojit.functional.geometry import geometry_of
from neurojit.testing import gradcheck
from tests.reference import conv as reference

# name: shape of x, of the weights, options
CASES = {
    "3x3": ((2, 9, 10, 35), (3, 3, 1, 35), {"padding": 1}),
    "whole panels, rows longer than a tile": ((2, 5, 19, 64), (3, 3, 1, 64), {"padding": 1}),
    "no padding, blocks across rows": ((3, 7, 6, 32), (3, 3, 1, 32), {}),
    "stride": ((2, 9, 11, 33), (3, 3, 1, 33), {"stride": (2, 3), "padding": ((0, 1), (2, 0))}),
    "stride past the window": ((1, 9, 9, 4), (2, 1, 1, 4), {"stride": 3}),
    "dilation": ((2, 9, 20, 32), (3, 3, 1, 32), {"padding": 2, "dilation": 2}),
    "5x5": ((1, 8, 20, 32), (5, 5, 1, 32), {"padding": "same"}),
    "7x7": ((1, 8, 20, 32), (7, 7, 1, 32), {"padding": 3}),
    "multiplier": ((2, 6, 7, 11), (3, 2, 1, 33), {"padding": 1}),
    "multiplier, stride": ((2, 6, 7, 16), (3, 3, 1, 32), {"padding": 1, "stride": 2}),
    "one pixel": ((1, 1, 1, 3), (1, 1, 1, 3), {}),
    "no images": ((0, 5, 5, 8), (3, 3, 1, 8), {}),
    "groups of two": ((2, 6, 18, 38), (3, 3, 2, 38), {"padding": 1}),
    "groups of four": ((2, 6, 18, 68), (3, 3, 4, 68), {"padding": 1}),
    "groups of four, stride": ((2, 7, 9, 36), (3, 3, 4, 36), {"padding": 1, "stride": 2}),
    "groups of eight": ((1, 6, 9, 40), (3, 3, 8, 40), {"padding": 1}),
}


def arrays(case, dtype):
    shape, weight_shape, options = CASES[case]
    rng = np.random.default_rng(1)
    x, weight, bias = (rng.standard_normal(s).astype(dtype) for s in (shape, weight_shape, weight_shape[-1:]))
    return x, weight, bias, options | {"groups": shape[-1] // weight_shape[-2]}


def written_out(shape, weight_shape, stride=1, padding=0, dilation=1, groups=1):
    """The options as the reference takes them."""
    stride, dilation = ((v, v) if isinstance(v, int) else v for v in (stride, dilation))
    if padding == "same":
        axes = zip(shape[1:3], weight_shape[:2], stride, dilation, strict=True)
        padding = tuple(reference.same_padding(*axis) for axis in axes)
    elif isinstance(padding, int):
        padding = ((padding, padding),) * 2
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


@pytest.mark.parametrize("case", CASES)
def test_the_tile_takes_it(case):
    x, weight, _, options = arrays(case, np.float32)
    geometry = geometry_of(x.shape, weight.shape, **({"stride": 1, "padding": 0, "dilation": 1} | options))
    takes = depthwise.takes(geometry, weight.shape[-1])
    assert takes == (geometry.groups > 1 and (weight.shape[-2] == 1 or simd.lanes(np.float64) % weight.shape[-2] == 0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_definition(case, dtype):
    x, weight, bias, options = arrays(case, dtype)
    before = x.copy()
    expected = reference.conv(x, weight, bias, **written_out(x.shape, weight.shape, **options))
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(F.conv2d(x, weight, bias, **options), expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(F.conv2d(x, weight, **options), expected - bias, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("case", [case for case in CASES if case != "no images"])
def test_pullback_equals_central_differences(case):
    x, weight, bias, options = arrays(case, np.float64)
    gradcheck(F.conv2d, x, weight, bias, max_entries=40, **options)


def test_no_images_have_no_gradient():
    x, weight, bias, options = arrays("no images", np.float32)
    y, backward = F.conv2d.vjp(x, weight, bias, **options)
    dx, dweight, dbias = backward(y)
    assert dx.shape == x.shape
    np.testing.assert_array_equal(dweight, np.zeros_like(weight))
    np.testing.assert_array_equal(dbias, np.zeros_like(bias))


@pytest.mark.parametrize("case", ["whole panels, rows longer than a tile", "multiplier", "groups of four", "stride"])
def test_equals_pytorch(case, torch):
    x, weight, bias, options = arrays(case, np.float32)
    y, backward = F.conv2d.vjp(x, weight, bias, **options)
    dy = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)
    ours = (y, *backward(dy))
    kept = written_out(x.shape, weight.shape, **options)
    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, weight, bias)]
    pairs = [p for pair in reversed(kept.pop("padding")) for p in pair]
    padded = torch.nn.functional.pad(leaves[0].permute(0, 3, 1, 2), pairs)
    theirs = torch.nn.functional.conv2d(padded, leaves[1].permute(3, 2, 0, 1), leaves[2], **kept).permute(0, 2, 3, 1)
    theirs.backward(torch.from_numpy(dy))
    for mine, other in zip(ours, (theirs.detach(), *(leaf.grad for leaf in leaves)), strict=True):
        assert np.abs(mine - other.numpy()).max() <= 1e-5 * np.abs(other.numpy()).max()


@pytest.mark.parametrize("rank", [1, 3])
def test_signals_and_volumes(rank):
    rng = np.random.default_rng(3)
    shape = {1: (2, 21, 8), 3: (1, 3, 4, 10, 8)}[rank]
    x, weight = rng.standard_normal(shape), rng.standard_normal((*(3,) * rank, 1, 8))
    op = {1: F.conv1d, 3: F.conv3d}[rank]
    ones = {"stride": (1,) * rank, "dilation": (1,) * rank, "padding": ((1, 1),) * rank}
    np.testing.assert_allclose(
        op(x, weight, padding=1, groups=8), reference.conv(x, weight, **ones, groups=8), rtol=1e-12, atol=1e-12
    )
    gradcheck(op, x, weight, padding=1, groups=8, max_entries=40)


def test_looking_past_the_border_reads_nothing():
    x = np.full((1, 3, 3, 40), np.nan, np.float32)
    x[0, 1, 1] = 1
    y = F.conv2d(x, np.ones((1, 1, 1, 40), np.float32), padding=1, groups=40)
    assert (y[0, 2, 2] == 1).all()
    assert (y[0, 0] == 0).all()
    assert np.isnan(y[0, 1:4, 1:4]).sum() == 8 * 40


@pytest.mark.parametrize("case", ["3x3", "multiplier", "groups of four"])
def test_same_bits_for_any_number_of_threads(case, same_bits):
    _, weight, bias, options = arrays(case, np.float32)
    shape = CASES[case][0]
    x = np.random.default_rng(4).standard_normal((8, 40, 40, shape[-1])).astype(np.float32)

    def run():
        y, backward = F.conv2d.vjp(x, weight, bias, **options)
        return y, *backward(y)

    same_bits(run)


@pytest.mark.slow
@pytest.mark.skipif("NEUROJIT_SIMD" in os.environ, reason="this is the process with another instruction set")
@pytest.mark.parametrize("instruction_set", [name for name in ("plain", "avx2") if name != simd.INSTRUCTION_SET])
def test_narrower_instruction_sets(instruction_set):
    if instruction_set == "avx2" and simd.INSTRUCTION_SET != "avx512":
        pytest.skip(f"this machine has {simd.INSTRUCTION_SET}")
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "definition or takes"]
    environment = os.environ | {"NEUROJIT_SIMD": instruction_set}
    result = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
