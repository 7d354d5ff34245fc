"""Winograd convolutions: against the definition, central differences, and the engine they stand in for."""

import dataclasses

import numpy as np
import pytest

import neurojit as nj
import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.reference import conv as reference

NAMES = ["y", "dx", "dweight", "dbias"]

# name: shape of x, shape of the weights, options, the algorithm expected. Between them the cases reach both ways of
# sharing out the work, panels and channels left over, tiles past the border, and every phase of dilated windows.
CASES = {
    "4x4": ((2, 11, 9, 16), (3, 3, 16, 24), {"padding": 1}, "Winograd F(4x4, 3x3)"),
    "2x2": ((3, 6, 6, 20), (3, 3, 20, 33), {"padding": 1}, "Winograd F(2x2, 3x3)"),
    "5x5": ((2, 9, 8, 17), (5, 5, 17, 16), {"padding": 2}, "Winograd F(2x2, 5x5)"),
    "dilated": ((1, 16, 24, 16), (3, 3, 16, 16), {"padding": 2, "dilation": (2, 3)}, "Winograd F(4x4, 3x3)"),
    "dilated 5x5": ((1, 16, 16, 16), (5, 5, 16, 16), {"padding": 4, "dilation": 2}, "Winograd F(2x2, 5x5)"),
    "no padding": ((2, 12, 12, 40), (3, 3, 40, 16), {}, "Winograd F(4x4, 3x3)"),
    "uneven padding": ((1, 9, 7, 16), (3, 3, 16, 16), {"padding": ((0, 3), (2, 1))}, "Winograd F(4x4, 3x3)"),
    "padding wider than the window": ((1, 17, 17, 16), (3, 3, 16, 16), {"padding": 4}, "Winograd F(4x4, 3x3)"),
    "many filters": ((4, 15, 15, 150), (3, 3, 150, 140), {"padding": 1}, "Winograd F(4x4, 3x3)"),
    "many tiles": ((9, 31, 30, 16), (3, 3, 16, 40), {"padding": 1}, "Winograd F(4x4, 3x3)"),
    "window of 2": ((3, 11, 10, 17), (2, 2, 17, 35), {"padding": ((1, 0), (0, 1))}, "Winograd F(4x4, 2x2)"),
    "cells": ((8, 15, 18, 7), (4, 4, 7, 34), {"padding": 1, "stride": 2}, "Winograd F(4x4, 2x2) over cells"),
    "many cells": ((8, 32, 32, 40), (4, 4, 40, 136), {"padding": 1, "stride": 2}, "Winograd F(4x4, 2x2) over cells"),
    "cells, no padding": ((4, 17, 18, 16), (4, 4, 16, 16), {"stride": 2}, "Winograd F(4x4, 2x2) over cells"),
    "cells of 2 x 3": ((2, 24, 37, 4), (6, 9, 4, 16), {"stride": (2, 3)}, "Winograd F(4x4, 3x3) over cells"),
    "phases": ((2, 17, 16, 20), (3, 3, 20, 33), {"padding": 1, "stride": 2}, "indirect matrix product"),
    "dilated phases": (
        (1, 40, 40, 16),
        (4, 4, 16, 16),
        {"padding": 3, "stride": 2, "dilation": 3},
        "indirect matrix product",
    ),
    "no images": ((0, 8, 8, 16), (3, 3, 16, 16), {"padding": 1}, "Winograd F(2x2, 3x3)"),
}
SMALL = ["2x2", "4x4", "5x5", "dilated", "uneven padding", "window of 2", "cells", "cells of 2 x 3", "phases"]


def arrays(case, dtype):
    shape, weight_shape, options, _ = CASES[case]
    rng = np.random.default_rng(1)
    x, weight, bias = (rng.standard_normal(s).astype(dtype) for s in (shape, weight_shape, weight_shape[-1:]))
    return x, weight, bias, options


def products(case, dtype):
    """The value and the gradients."""
    x, weight, bias, options = arrays(case, dtype)
    y, backward = F.conv2d.vjp(x, weight, bias, **options)
    dy = np.random.default_rng(2).standard_normal(y.shape).astype(dtype)
    return y, *backward(dy)


@pytest.fixture
def directly():
    """A check of a function without Winograd's algorithms: ``directly(function)``."""

    def call(function):
        before = nj.set_options(winograd=False)
        try:
            return function()
        finally:
            nj.set_options(**dataclasses.asdict(before))

    return call


@pytest.mark.parametrize("case", CASES)
def test_equals_the_indirect_product(case, directly):
    exact = directly(lambda: products(case, np.float64))
    for name, mine, other in zip(NAMES, products(case, np.float64), exact, strict=True):
        assert mine.shape == other.shape
        assert np.abs(mine - other).max(initial=0) <= 1e-12 * np.abs(other).max(initial=0), name


@pytest.mark.parametrize("case", [case for case in CASES if case != "no images"])
def test_keeps_the_bound_it_states(case, directly):
    x, weight, bias, options = arrays(case, np.float32)
    x, weight, bias = (np.abs(a.astype(np.float64)) for a in (x, weight, bias))
    largest = directly(lambda: F.conv2d(x, weight, bias, **options)).max()
    ours, exact = products(case, np.float32), directly(lambda: products(case, np.float64))
    assert np.abs(ours[0] - exact[0]).max() <= 32 * np.finfo(np.float32).eps * largest
    for name, mine, other in zip(NAMES, ours, exact, strict=True):
        assert np.abs(mine - other).max() <= 2e-5 * np.abs(other).max(), name


@pytest.mark.parametrize("case", SMALL)
def test_equals_the_definition(case):
    x, weight, bias, options = arrays(case, np.float64)
    x = x[:1]
    stride, dilation, padding = options.get("stride", 1), options.get("dilation", 1), options.get("padding", 0)
    stride, dilation = ((o,) * 2 if isinstance(o, int) else o for o in (stride, dilation))
    padding = ((padding,) * 2,) * 2 if isinstance(padding, int) else padding
    expected = reference.conv(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=1)
    np.testing.assert_allclose(F.conv2d(x, weight, bias, **options), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("window", "shape"), [(3, (1, 4, 4, 16)), (3, (17, 4, 4, 16)), (5, (2, 6, 6, 16)), (3, (3, 6, 6, 16))]
)
def test_pullback_equals_central_differences(window, shape, rng):
    x, weight, bias = rng.standard_normal(shape), rng.standard_normal((window, window, 16, 16)), rng.standard_normal(16)
    assert F.conv2d.algorithm(x, weight, bias, padding=window // 2).startswith("Winograd")
    gradcheck(F.conv2d, x, weight, bias, padding=window // 2, max_entries=60)


@pytest.mark.parametrize("op", [F.conv2d, F.conv_transpose2d])
def test_pullback_over_cells_equals_central_differences(op, rng):
    """64 tiles, as many as the gradient to the weights is made of."""
    x, weight, bias = rng.standard_normal((64, 8, 8, 16)), rng.standard_normal((4, 4, 16, 16)), rng.standard_normal(16)
    if op is F.conv_transpose2d:
        x = x[:, ::2, ::2]
    gradcheck(op, x, weight, bias, stride=2, padding=1, max_entries=40)


@pytest.mark.parametrize("case", ["4x4", "5x5", "many filters", "many tiles", "many cells", "phases"])
def test_same_bits_for_any_number_of_threads(case, same_bits):
    same_bits(lambda: products(case, np.float32))


@pytest.mark.parametrize("case", CASES)
def test_algorithm_is_told(case, directly):
    x, weight, bias, options = arrays(case, np.float32)
    expected = CASES[case][-1]
    assert F.conv2d.algorithm(x, weight, bias, **options) == expected
    plain = "product of scattered values" if x.shape[3] < 16 else "indirect matrix product"
    assert directly(lambda: F.conv2d.algorithm(x, weight, bias, **options)) == plain


@pytest.mark.parametrize(
    ("weight_shape", "options", "expected"),
    [
        ((1, 1, 16, 16), {}, "matrix product"),
        ((3, 3, 16, 16), {"stride": 2}, "indirect matrix product"),
        ((3, 5, 16, 16), {}, "indirect matrix product"),
        ((3, 3, 8, 16), {"groups": 2}, "lanewise product"),
        ((3, 3, 16, 8), {}, "indirect matrix product"),
        ((3, 3, 16, 16), {"dilation": 4, "padding": 4}, "indirect matrix product"),  # most taps see the border
    ],
)
def test_other_convolutions_go_other_ways(weight_shape, options, expected):
    x = np.ones((1, 9, 9, 16), np.float32)
    assert F.conv2d.algorithm(x, np.ones(weight_shape, np.float32), **options) == expected


@pytest.mark.parametrize("size", [1, 2])
def test_maps_smaller_than_a_tile_go_other_ways(size):
    x, weight = np.ones((64, size, size, 16), np.float32), np.ones((3, 3, 16, 16), np.float32)
    assert F.conv2d.algorithm(x, weight, padding=1) == "indirect matrix product"


def test_depth_of_padding_alone_goes_another_way(directly, rng):
    x, weight = rng.standard_normal((2, 1, 8, 8, 16)), rng.standard_normal((1, 3, 3, 16, 16))
    y = F.conv3d(x, weight, padding=1)
    np.testing.assert_array_equal(y[:, 0], 0)
    expected = directly(lambda: F.conv2d(x[:, 0], weight[0], padding=1))
    np.testing.assert_allclose(y[:, 1], expected, rtol=1e-11, atol=1e-11)
    assert F.conv_transpose3d(y, weight, padding=1).shape == x.shape
    gradcheck(F.conv3d, x[:1], weight, padding=1, max_entries=30)


def test_an_operation_with_one_algorithm_says_so():
    with pytest.raises(TypeError, match="relu has one algorithm only"):
        F.relu.algorithm(np.ones(3))


def test_set_options_wants_a_bool():
    with pytest.raises(TypeError, match="winograd: got 1, wanted True or False"):
        nj.set_options(winograd=1)
    assert nj.get_options().winograd
