"""deform_conv2d: against the definition, central differences, conv2d and PyTorch's grid_sample."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference.deform_conv import deform_conv2d as reference

DEFAULTS = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, "offset_groups": 1}
# name: shape of x, of the weights, options
CASES = {
    "plain": ((2, 5, 6, 3), (3, 2, 3, 4), {}),
    "padding, stride, dilation": (
        (1, 7, 6, 2),
        (2, 3, 2, 3),
        {"padding": (1, 2), "stride": (2, 1), "dilation": (1, 2)},
    ),
    "groups": ((2, 4, 5, 6), (2, 2, 2, 9), {"groups": 3, "padding": (1, 1)}),
    "offset groups": ((1, 5, 4, 6), (3, 3, 6, 2), {"offset_groups": 2, "padding": (1, 1)}),
    "both kinds of groups": ((1, 4, 4, 12), (2, 2, 4, 6), {"groups": 3, "offset_groups": 2}),
    "many channels": ((1, 4, 5, 40), (3, 3, 40, 33), {"padding": (1, 1)}),
    "one pixel": ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    "no images": ((0, 4, 4, 2), (3, 3, 2, 2), {}),
}


def arrays(case, dtype, spread=2.0):
    """x, offset, weight, bias, mask and the options; offsets keep away from whole pixels, where there are kinks."""
    shape, weight_shape, options = CASES[case]
    options = DEFAULTS | options
    rng = np.random.default_rng(1)
    kept = {name: value for name, value in options.items() if name != "offset_groups"}
    out = F.conv2d(np.zeros(shape), np.zeros(weight_shape), **kept).shape[1:3]
    places = options["offset_groups"] * weight_shape[0] * weight_shape[1]
    whole = rng.integers(-spread, spread + 1, (shape[0], *out, 2 * places))
    offset = whole + rng.uniform(0.1, 0.9, whole.shape)
    mask = rng.uniform(0, 1, (shape[0], *out, places))
    x, weight, bias = (rng.standard_normal(s) for s in (shape, weight_shape, weight_shape[-1:]))
    return [a.astype(dtype) for a in (x, offset, weight, bias, mask)], options


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_definition(case, dtype):
    (x, offset, weight, bias, mask), options = arrays(case, dtype)
    before = x.copy(), offset.copy()
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    for kept in ({}, {"mask": mask}):
        y = F.deform_conv2d(x, offset, weight, bias, **kept, **options)
        expected = reference(x, offset, weight, bias, **kept, **options)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(offset, before[1])


@pytest.mark.parametrize("case", [case for case in CASES if case != "no images"])
def test_pullback_equals_central_differences(case):
    (x, offset, weight, bias, mask), options = arrays(case, np.float64)
    gradcheck(F.deform_conv2d, x, offset, weight, bias, mask=mask, max_entries=30, **options)
    gradcheck(F.deform_conv2d, x, offset, weight, max_entries=30, **options)


def test_no_offset_is_a_convolution():
    (x, offset, weight, bias, _), options = arrays("padding, stride, dilation", np.float64)
    kept = {name: value for name, value in options.items() if name != "offset_groups"}
    expected = F.conv2d(x, weight, bias, **kept)
    np.testing.assert_allclose(
        F.deform_conv2d(x, 0 * offset, weight, bias, **options), expected, rtol=1e-12, atol=1e-12
    )


def test_the_order_of_the_offsets():
    x = np.arange(25.0).reshape(1, 5, 5, 1)
    offset = np.zeros((1, 4, 4, 8))
    offset[0, 1, 1, 2] = 2  # the tap at row 0, column 1 looks two pixels down
    weight = np.arange(4.0).reshape(2, 2, 1, 1)
    change = F.deform_conv2d(x, offset, weight) - F.deform_conv2d(x, 0 * offset, weight)
    assert change[0, 1, 1, 0] == 2 * 5 * 1
    assert np.count_nonzero(change) == 1


def test_far_offsets_see_zeros_and_nan_offsets_give_nan():
    x, weight = np.ones((1, 2, 2, 1), np.float32), np.ones((1, 1, 1, 1), np.float32)
    offset = np.zeros((1, 2, 2, 2), np.float32)
    offset[0, 0, 0], offset[0, 0, 1], offset[0, 1, 0] = (1e9, 0), (-1.5, -1e30), (np.nan, 0)
    y = F.deform_conv2d(x, offset, weight)[0, :, :, 0]
    np.testing.assert_array_equal(y, [[0, 0], [np.nan, 1]])


@pytest.mark.parametrize("case", ["padding, stride, dilation", "many channels"])
def test_equals_pytorch(case, torch):
    (x, offset, weight, bias, mask), options = arrays(case, np.float32, spread=1.0)
    y, backward = F.deform_conv2d.vjp(x, offset, weight, bias, mask=mask, **options)
    dy = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)
    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, offset, weight, bias, mask)]
    theirs = by_grid_sample(torch, *leaves, options)
    theirs.backward(torch.from_numpy(dy))
    for mine, other in zip((y, *backward(dy)), (theirs.detach(), *(leaf.grad for leaf in leaves)), strict=True):
        assert np.abs(mine - other.numpy()).max() <= 2e-5 * np.abs(other.numpy()).max()


def by_grid_sample(torch, x, offset, weight, bias, mask, options):
    """The same formula on PyTorch's bilinear sampling, a tap at a time, for one group of each kind."""
    kh, kw, _, c_out = weight.shape
    (sh, sw), (ph, pw), (dh, dw) = options["stride"], options["padding"], options["dilation"]
    height, width = x.shape[1:3]
    rows = torch.arange(offset.shape[1], dtype=x.dtype)[:, None] * sh - ph
    columns = torch.arange(offset.shape[2], dtype=x.dtype)[None] * sw - pw
    y = bias.expand(*offset.shape[:3], c_out)
    for t in range(kh * kw):
        row, column = rows + t // kw * dh + offset[..., 2 * t], columns + t % kw * dw + offset[..., 2 * t + 1]
        grid = torch.stack(((2 * column + 1) / width - 1, (2 * row + 1) / height - 1), dim=-1)
        seen = torch.nn.functional.grid_sample(x.permute(0, 3, 1, 2), grid, align_corners=False).permute(0, 2, 3, 1)
        y = y + (seen * mask[..., t, None]) @ weight[t // kw, t % kw]
    return y


def test_memory_layouts():
    (x, offset, weight, bias, _), options = arrays("plain", np.float32)
    check_forms(lambda form: F.deform_conv2d(form, offset, weight, bias, **options), x)
    check_forms(lambda form: F.deform_conv2d(x, form, weight, bias, **options), offset)


def test_same_bits_for_any_number_of_threads(same_bits):
    rng = np.random.default_rng(3)
    x, weight = rng.standard_normal((3, 20, 20, 48), np.float32), rng.standard_normal((3, 3, 48, 16), np.float32)
    offset = rng.standard_normal((3, 20, 20, 18), np.float32)

    def run():
        y, backward = F.deform_conv2d.vjp(x, offset, weight, padding=1)
        return y, *backward(y)

    same_bits(run)


def test_skips_gradients_not_asked_for():
    (x, offset, weight, bias, mask), options = arrays("plain", np.float32)
    y, backward = F.deform_conv2d.vjp(x, offset, weight, bias, mask=mask, **options)
    every = backward(y)
    for i in range(5):
        alone = backward(y, wrt=[i == j for j in range(5)])
        assert [g is None for g in alone] == [i != j for j in range(5)]
        np.testing.assert_array_equal(alone[i], every[i])


X, OFFSET, WEIGHT = np.ones((1, 4, 4, 6)), np.ones((1, 2, 2, 18)), np.ones((3, 3, 6, 2))
BAD = {
    "offset": (lambda: F.deform_conv2d(X, OFFSET[..., :9], WEIGHT), ValueError, "offset: got shape"),
    "offset's map": (lambda: F.deform_conv2d(X, np.ones((1, 4, 4, 18)), WEIGHT), ValueError, "offset: got shape"),
    "offset's precision": (
        lambda: F.deform_conv2d(X, OFFSET.astype(np.float32), WEIGHT),
        TypeError,
        "offset: got float32",
    ),
    "mask": (lambda: F.deform_conv2d(X, OFFSET, WEIGHT, mask=OFFSET), ValueError, "mask: got shape"),
    "offset groups": (lambda: F.deform_conv2d(X, OFFSET, WEIGHT, offset_groups=4), ValueError, "offset_groups: got 4"),
    "no offset groups": (
        lambda: F.deform_conv2d(X, OFFSET, WEIGHT, offset_groups=0),
        ValueError,
        "offset_groups: got 0",
    ),
    "groups": (lambda: F.deform_conv2d(X, OFFSET, WEIGHT, groups=5), ValueError, "groups: got 5"),
    "stride": (lambda: F.deform_conv2d(X, OFFSET, WEIGHT, stride=0), ValueError, "stride: got 0"),
    "dilation": (lambda: F.deform_conv2d(X, OFFSET, WEIGHT, dilation=-2), ValueError, "dilation: got -2"),
    "window": (lambda: F.deform_conv2d(X[:, :2], OFFSET, WEIGHT), ValueError, "window: got 3"),
    "bias": (lambda: F.deform_conv2d(X, OFFSET, WEIGHT, np.ones(3)), ValueError, "bias: got shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()
