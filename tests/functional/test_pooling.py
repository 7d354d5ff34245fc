"""Pooling: against the definition, central differences and PyTorch."""

import itertools

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.functional.windows import Pooling
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import pooling as reference

MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@st.composite
def poolings(draw, rank, dilated=True):
    """Shape and options of a small pooling, odd ones included."""
    window = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    stride = tuple(draw(st.integers(1, 4)) for _ in range(rank))
    dilation = tuple(draw(st.integers(1, 2)) if dilated else 1 for _ in range(rank))
    extent = [d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True)]
    padding = tuple((draw(st.integers(0, e - 1)), draw(st.integers(0, e - 1))) for e in extent)
    least = [max(1, e - sum(p)) for e, p in zip(extent, padding, strict=True)]
    spatial = tuple(size + draw(st.integers(0, 5 if rank < 3 else 2)) for size in least)
    shape = (draw(st.integers(0, 3)), *spatial, draw(st.sampled_from([1, 2, 5, 17] if rank < 3 else [1, 3])))
    options = {"window": window, "stride": stride, "padding": padding, "ceil_mode": draw(st.booleans())}
    return shape, options | ({"dilation": dilation} if dilated else {})


def with_ties(shape, dtype=np.float32):
    """Few different values, so that windows hold equal ones."""
    return np.random.default_rng(3).integers(-2, 3, shape).astype(dtype)


@hypothesis.given(st.data(), st.sampled_from([1, 2, 3]))
@hypothesis.settings(max_examples=60)
def test_max_pool_equals_the_definition(data, rank):
    shape, options = data.draw(poolings(rank))
    x = with_ties(shape)
    y, switches = MAX[rank](x, return_switches=True, **options)
    expected, positions = reference.max_pool(x, **options)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(switches, positions)
    assert (y.dtype, switches.dtype) == (np.float32, np.int32)
    np.testing.assert_array_equal(MAX[rank](x, **options), expected)

    y, backward = MAX[rank].vjp(x, **options)
    np.testing.assert_array_equal(y, expected)
    dy = np.random.default_rng(4).integers(-9, 10, y.shape).astype(np.float32)
    np.testing.assert_array_equal(backward(dy), reference.max_pool_gradient(shape, positions, dy))


@hypothesis.given(st.data(), st.sampled_from([1, 2, 3]), st.booleans())
@hypothesis.settings(max_examples=60)
def test_avg_pool_equals_the_definition(data, rank, count_include_pad):
    shape, options = data.draw(poolings(rank, dilated=False))
    options |= {"count_include_pad": count_include_pad}
    x = np.random.default_rng(5).standard_normal(shape).astype(np.float32)
    y = AVG[rank](x, **options)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, reference.avg_pool(x, **options), atol=1e-6)


@hypothesis.given(st.data(), st.sampled_from([1, 2, 3]))
def test_pullbacks_equal_central_differences(data, rank):
    shape, options = data.draw(poolings(rank).filter(lambda case: case[0][0] > 0))
    distinct = np.random.default_rng(6).permutation(int(np.prod(shape))).reshape(shape).astype(np.float64)
    hypothesis.assume(np.isfinite(MAX[rank](distinct, **options)).all())  # no window without an input
    gradcheck(MAX[rank], distinct, **options)
    del options["dilation"]
    padding = tuple(
        (min(a, k - 1), min(b, k - 1)) for (a, b), k in zip(options["padding"], options["window"], strict=True)
    )
    gradcheck(AVG[rank], distinct / distinct.size, **options | {"padding": padding})
    if rank == 2:
        gradcheck(F.global_avg_pool, distinct / distinct.size)
        gradcheck(F.global_max_pool, distinct)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(
    ("window", "stride", "padding"), [(2, None, 0), (3, 2, 1), (3, 1, 1), ((2, 3), (3, 1), (1, 0))]
)
def test_equals_pytorch(window, stride, padding, ceil_mode, torch):
    x = np.random.default_rng(7).standard_normal((2, 9, 8, 20)).astype(np.float32)
    image = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous().requires_grad_()
    options = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    functions = torch.nn.functional
    expected, positions = functions.max_pool2d(image, window, **options, return_indices=True)
    y, switches = F.max_pool2d(x, window, **options, return_switches=True)
    np.testing.assert_array_equal(y, expected.detach().permute(0, 2, 3, 1))
    np.testing.assert_array_equal(switches, positions.permute(0, 2, 3, 1))
    for count_include_pad in (True, False):
        expected = functions.avg_pool2d(image, window, **options, count_include_pad=count_include_pad)
        y, backward = F.avg_pool2d.vjp(x, window, **options, count_include_pad=count_include_pad)
        np.testing.assert_allclose(y, expected.detach().permute(0, 2, 3, 1), atol=1e-6)
        dy = np.random.default_rng(8).standard_normal(y.shape).astype(np.float32)
        (dx,) = torch.autograd.grad(expected, image, torch.from_numpy(dy).permute(0, 3, 1, 2))
        np.testing.assert_allclose(backward(dy), dx.permute(0, 2, 3, 1), atol=1e-5)


@pytest.mark.parametrize("padding", [0, 1])
def test_volumes_equal_pytorch(padding, torch):
    x = np.random.default_rng(13).standard_normal((2, 5, 7, 6, 70)).astype(np.float32)
    image = torch.from_numpy(x).permute(0, 4, 1, 2, 3).contiguous()
    options = {"stride": 2, "padding": padding, "ceil_mode": True}
    expected, positions = torch.nn.functional.max_pool3d(image, 3, **options, return_indices=True)
    y, switches = F.max_pool3d(x, 3, **options, return_switches=True)
    np.testing.assert_array_equal(y, expected.permute(0, 2, 3, 4, 1))
    np.testing.assert_array_equal(switches, positions.permute(0, 2, 3, 4, 1))
    expected = torch.nn.functional.avg_pool3d(image, 3, **options)
    np.testing.assert_allclose(F.avg_pool3d(x, 3, **options), expected.permute(0, 2, 3, 4, 1), atol=1e-6)


@pytest.mark.parametrize("channels", [63, 64, 65, 80, 130])
def test_many_channels(channels):
    x = with_ties((1, 5, 4, channels))
    options = {"window": (3, 3), "stride": (2, 1), "padding": ((1, 1), (0, 2)), "ceil_mode": False}
    y, backward = F.max_pool2d.vjp(x, **options)
    expected, positions = reference.max_pool(x, dilation=(1, 1), **options)
    np.testing.assert_array_equal(y, expected)
    dy = with_ties(y.shape)
    np.testing.assert_array_equal(backward(dy), reference.max_pool_gradient(x.shape, positions, dy))
    y = F.avg_pool2d(x, **options)
    np.testing.assert_allclose(y, reference.avg_pool(x, count_include_pad=True, **options), atol=1e-6)
    gradcheck(F.avg_pool2d, x, max_entries=20, **options)


@pytest.mark.parametrize("shape", [(3, 5, 4, 2), (2, 7, 600), (1, 70, 70, 3), (4, 1, 1), (0, 5, 3), (2, 2, 3, 4, 5)])
def test_global_pools_equal_numpy(shape):
    x = np.random.default_rng(9).standard_normal(shape).astype(np.float32)
    axes = tuple(range(1, x.ndim - 1))
    np.testing.assert_allclose(F.global_avg_pool(x), x.mean(axis=axes, dtype=np.float64), atol=1e-6)
    np.testing.assert_array_equal(F.global_max_pool(x), x.max(axis=axes))


def test_means_of_many_positions_stay_accurate():
    x = np.full((1, 512, 512, 1), 0.1, np.float32)
    np.testing.assert_allclose(F.global_avg_pool(x), 0.1, rtol=1e-6)


def test_a_nan_is_the_largest_value():
    x = np.zeros((1, 4, 4, 1), np.float32)
    x[0, 1, 0], x[0, 2, 3] = np.nan, np.inf
    y, switches = F.max_pool2d(x, 2, return_switches=True)
    np.testing.assert_array_equal(y[0, :, :, 0], [[np.nan, 0], [0, np.inf]])
    assert switches[0, 0, 0, 0] == 4
    assert np.isnan(F.global_max_pool(x))
    assert np.isnan(F.avg_pool2d(x, 2)[0, 0, 0, 0])


def test_a_window_with_no_input_is_minus_infinity_and_learns_nothing():
    x = np.ones((1, 1, 1, 2))
    options = {"window": 2, "dilation": 2, "padding": 1}
    y, switches = F.max_pool2d(x, return_switches=True, **options)
    np.testing.assert_array_equal(y, -np.inf)
    np.testing.assert_array_equal(switches, -1)
    _, backward = F.max_pool2d.vjp(x, **options)
    np.testing.assert_array_equal(backward(np.ones_like(y)), 0)


def test_named_paddings():
    x = np.random.default_rng(10).standard_normal((2, 7, 5, 3)).astype(np.float32)
    assert F.max_pool2d(x, 3, stride=2, padding="same").shape == (2, 4, 3, 3)
    assert F.avg_pool2d(x, 3, stride=2, padding="valid").shape == (2, 3, 2, 3)
    signal = x[:, :, 0]
    causal = F.max_pool1d(signal, 3, stride=1, padding="causal")
    np.testing.assert_array_equal(causal[:, 4], signal[:, 2:5].max(axis=1))


CALLS = {
    "max_pool2d": lambda x: F.max_pool2d(x, 2),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 2),
    "global_avg_pool": F.global_avg_pool,
    "global_max_pool": F.global_max_pool,
}


@pytest.mark.parametrize("name", CALLS)
def test_layouts(name):
    check_forms(CALLS[name], np.random.default_rng(11).standard_normal((3, 6, 6, 5)).astype(np.float32))


@pytest.mark.parametrize("op", [F.max_pool2d, F.avg_pool2d])
def test_same_bits_for_any_number_of_threads(op, same_bits):
    x = np.random.default_rng(12).standard_normal((8, 40, 40, 16)).astype(np.float32)

    def both_ways():
        y, backward = op.vjp(x, 3, stride=2, padding=1)
        return y, backward(y), F.global_avg_pool(x)

    same_bits(both_ways)


BAD = [
    (lambda x: F.max_pool2d(x[0], 2), ValueError, "x: got 3 axes"),
    (lambda x: F.max_pool1d(x, 2), ValueError, "x: got 4 axes"),
    (lambda x: F.max_pool2d(x.astype(complex), 2), TypeError, "x: got dtype complex128"),
    (lambda x: F.max_pool2d(x, 7), ValueError, "window: got 7"),
    (lambda x: F.max_pool2d(x, 0), ValueError, "window: got 0"),
    (lambda x: F.max_pool2d(x, 2.0), TypeError, "window: got 2.0"),
    (lambda x: F.max_pool2d(x, (2, 2, 2)), ValueError, "window: got 3 values"),
    (lambda x: F.avg_pool2d(x, 2, stride=0), ValueError, "stride: got 0"),
    (lambda x: F.avg_pool2d(x, 2, padding=2), ValueError, "padding: got (2, 2)"),
    (lambda x: F.avg_pool2d(x, 2, padding="full"), ValueError, "padding: got 'full'"),
    (lambda x: F.max_pool2d(x, 2, dilation=0), ValueError, "dilation: got 0"),
    (lambda x: F.max_pool2d.vjp(x, 2, return_switches=True), ValueError, "return_switches: got True"),
    (lambda x: F.max_pool2d(x[:, :0], 1), ValueError, "x: got spatial shape (0, 6)"),
    (lambda x: F.avg_pool3d(x, 2), ValueError, "x: got 4 axes"),
    (lambda x: F.max_pool2d(x, 2, padding=(1, 1, 1)), ValueError, "padding: got 3 values"),
    (lambda x: F.max_pool2d(x, 2, padding=-1), ValueError, "padding: got -1"),
    (lambda x: F.global_avg_pool(x[0, 0]), ValueError, "x: got shape (6, 2)"),
    (lambda x: F.global_max_pool(x[:, :0]), ValueError, "x: got shape (2, 0, 6, 2)"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call(np.zeros((2, 6, 6, 2), np.float32))
    assert str(raised.value).startswith(message)


def test_more_positions_than_a_switch_can_tell_apart_are_refused():
    with pytest.raises(ValueError, match="x: got 2147483648 positions"):
        Pooling.of((2**16, 2**15), 2, 2, 0, 1, False)


@pytest.mark.parametrize(("size", "window", "stride"), list(itertools.product([1, 2, 5], [1, 2, 4], [1, 2, 5])))
def test_ceil_mode_on_few_positions(size, window, stride, torch):
    x = np.arange(size, dtype=np.float32).reshape(1, size, 1)
    try:
        expected = torch.nn.functional.max_pool1d(torch.from_numpy(x[..., 0]), window, stride, ceil_mode=True)
    except RuntimeError:
        with pytest.raises(ValueError, match="window: got"):
            F.max_pool1d(x, window, stride=stride, ceil_mode=True)
        return
    np.testing.assert_array_equal(F.max_pool1d(x, window, stride=stride, ceil_mode=True)[..., 0], expected)
