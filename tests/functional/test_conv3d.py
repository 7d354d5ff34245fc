"""conv3d: against the definition, central differences and PyTorch."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import conv as reference

# name: shape of x, of the weights, options as the reference takes them
CASES = {
    "plain": ((2, 3, 4, 5, 3), (2, 3, 2, 3, 4), {}),
    "stride and padding": (
        (1, 5, 4, 6, 2),
        (3, 2, 3, 2, 5),
        {"stride": (2, 1, 3), "padding": ((1, 0), (0, 1), (2, 1))},
    ),
    "dilation": ((1, 5, 5, 4, 2), (3, 2, 2, 2, 3), {"dilation": (2, 3, 1)}),
    "groups": ((1, 3, 3, 4, 6), (2, 2, 2, 3, 4), {"groups": 2, "padding": ((1, 1),) * 3}),
    "many channels": ((1, 3, 4, 5, 40), (3, 3, 3, 40, 33), {"padding": ((1, 1),) * 3}),
    "one position": ((1, 1, 1, 1, 1), (1, 1, 1, 1, 1), {}),
    "no images": ((0, 2, 2, 2, 1), (1, 1, 1, 1, 2), {}),
}
DEFAULTS = {"stride": (1, 1, 1), "padding": ((0, 0),) * 3, "dilation": (1, 1, 1), "groups": 1}


def arrays(case, dtype):
    shape, weight_shape, options = CASES[case]
    rng = np.random.default_rng(1)
    return [rng.standard_normal(s).astype(dtype) for s in (shape, weight_shape, weight_shape[-1:])], DEFAULTS | options


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_definition(case, dtype):
    (x, weight, bias), options = arrays(case, dtype)
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    expected = reference.conv(x, weight, bias, **options)
    np.testing.assert_allclose(F.conv3d(x, weight, bias, **options), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", [case for case in CASES if case != "no images"])
def test_pullback_equals_central_differences(case):
    (x, weight, bias), options = arrays(case, np.float64)
    gradcheck(F.conv3d, x, weight, bias, max_entries=40, **options)


@pytest.mark.parametrize("case", ["many channels", "stride and padding"])
def test_equals_pytorch(case, torch):
    (x, weight, bias), options = arrays(case, np.float32)
    y, backward = F.conv3d.vjp(x, weight, bias, **options)
    dy = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)
    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, weight, bias)]
    pairs = [p for pair in reversed(options.pop("padding")) for p in pair]
    padded = torch.nn.functional.pad(leaves[0].permute(0, 4, 1, 2, 3), pairs)
    theirs = torch.nn.functional.conv3d(padded, leaves[1].permute(4, 3, 0, 1, 2), leaves[2], **options)
    theirs = theirs.permute(0, 2, 3, 4, 1)
    theirs.backward(torch.from_numpy(dy))
    for mine, other in zip((y, *backward(dy)), (theirs.detach(), *(leaf.grad for leaf in leaves)), strict=True):
        assert np.abs(mine - other.numpy()).max() <= 1e-5 * np.abs(other.numpy()).max()


def test_named_paddings_and_layouts():
    (x, weight, _), _ = arrays("plain", np.float32)
    assert F.conv3d(x, weight, padding="same", stride=2).shape == (2, 2, 2, 3, 4)
    np.testing.assert_array_equal(F.conv3d(x, weight, padding="valid"), F.conv3d(x, weight))
    check_forms(lambda form: F.conv3d(form, weight, padding=1), x)


def test_same_bits_for_any_number_of_threads(same_bits):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 6, 14, 14, 20)).astype(np.float32)
    weight = rng.standard_normal((3, 3, 3, 20, 24)).astype(np.float32)

    def run():
        y, backward = F.conv3d.vjp(x, weight, padding=1)
        return y, *backward(y)

    same_bits(run)


BAD = {
    "x of four axes": (lambda: F.conv3d(np.ones((1, 4, 4, 1)), np.ones((1, 1, 1, 1, 1))), ValueError, "x: got 4 axes"),
    "weight": (lambda: F.conv3d(np.ones((1, 4, 4, 4, 1)), np.ones((3, 3, 1, 1))), ValueError, "weight: got 4 axes"),
    "stride": (
        lambda: F.conv3d(np.ones((1, 4, 4, 4, 1)), np.ones((1, 1, 1, 1, 1)), stride=(1, 0, 1)),
        ValueError,
        "stride: got",
    ),
    "window": (lambda: F.conv3d(np.ones((1, 2, 4, 4, 1)), np.ones((3, 1, 1, 1, 1))), ValueError, "window: got 3"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()
