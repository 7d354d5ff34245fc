"""conv1d, conv2d and dense: against the definition, central differences and PyTorch."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.core.host import WIDE_ROWS, WIDE_VECTORS, lanes
from neurojit.functional import correlation
from neurojit.testing import gradcheck
from tests.reference import conv as reference


@st.composite
def convolutions(draw, rank):
    """Shapes and options of a small convolution, odd ones included."""
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    group_in, group_out = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    window = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    stride = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(rank))
    padding = tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(rank))
    least = [max(1, d * (k - 1) + 1 - sum(p)) for k, d, p in zip(window, dilation, padding, strict=True)]
    spatial = tuple(size + draw(st.integers(0, 5)) for size in least)
    shape = (draw(st.integers(0, 3)), *spatial, groups * group_in)
    return (
        shape,
        (*window, group_in, groups * group_out),
        {
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        },
    )


def arrays(seed, shape, weight_shape, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s).astype(dtype) for s in (shape, weight_shape, weight_shape[-1:])]


@hypothesis.given(st.data(), st.sampled_from([np.float32, np.float64]), st.sampled_from([1, 2]))
@hypothesis.settings(max_examples=60)
def test_equals_the_definition(data, dtype, rank):
    shape, weight_shape, options = data.draw(convolutions(rank))
    x, weight, bias = arrays(1, shape, weight_shape, dtype)
    before = x.copy()
    y = [F.conv1d, F.conv2d][rank - 1](x, weight, bias, **options)
    expected = reference.conv(x, weight, bias, **options)
    assert y.dtype == dtype
    np.testing.assert_allclose(
        y, expected, **({"rtol": 1e-12, "atol": 1e-12} if dtype == np.float64 else {"atol": 2e-5})
    )
    np.testing.assert_array_equal(x, before)


@hypothesis.given(st.data(), st.sampled_from([1, 2]))
@hypothesis.settings(max_examples=40)
def test_pullback_equals_central_differences(data, rank):
    shape, weight_shape, options = data.draw(convolutions(rank).filter(lambda c: c[0][0] > 0))
    x, weight, bias = arrays(2, shape, weight_shape, np.float64)
    gradcheck([F.conv1d, F.conv2d][rank - 1], x, weight, bias, **options)


WIDE = {
    "channels across panels": ((2, 9, 7, 40), (3, 3, 40, 70), {"padding": 1}),
    "packed weights": ((2, 5, 5, 19), (3, 3, 19, 264), {"padding": "same"}),
    "columns shared out": ((1, 4, 4, 96), (3, 3, 96, 96), {"padding": 1}),
    "few channels": ((3, 20, 17, 3), (7, 7, 3, 33), {"stride": 2, "padding": 3}),
    "one channel, whole rows": ((2, 12, 11, 1), (5, 4, 1, 16), {"padding": ((2, 1), (0, 3))}),
    "groups": ((2, 8, 8, 32), (3, 3, 8, 48), {"groups": 4, "stride": (1, 2), "dilation": 2, "padding": 2}),
    "groups as wide as a panel together": ((2, 20, 20, 32), (3, 3, 16, 32), {"groups": 2}),
    "depthwise": ((2, 8, 8, 20), (3, 3, 1, 40), {"groups": 20, "padding": "same"}),
    "pointwise, strided": ((2, 9, 9, 24), (1, 1, 24, 40), {"stride": 2}),
    "many positions": ((5, 31, 29, 8), (3, 3, 8, 8), {"padding": 1}),
    "wide tile, border": ((2, 67, 71, 24), (3, 3, 24, 60), {"stride": 2, "padding": 1}),
    "wide tile, pointwise": ((3, 17, 19, 50), (1, 1, 50, 192), {}),
    "wide tile, groups": ((2, 40, 41, 48), (3, 3, 24, 128), {"groups": 2, "dilation": 2, "padding": 2}),
}


@pytest.mark.parametrize("case", WIDE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_pytorch(case, dtype, torch):
    shape, weight_shape, options = WIDE[case]
    x, weight, bias = arrays(3, shape, weight_shape, dtype)
    y, backward = F.conv2d.vjp(x, weight, bias, **options)
    dy = np.random.default_rng(4).standard_normal(y.shape).astype(dtype)
    ours = (y, *backward(dy))

    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, weight, bias)]
    pairs = padding_pairs(shape, weight_shape, **options)
    padded = torch.nn.functional.pad(leaves[0].permute(0, 3, 1, 2), [p for pair in reversed(pairs) for p in pair])
    kept = {k: v for k, v in options.items() if k != "padding"}
    theirs = torch.nn.functional.conv2d(padded, leaves[1].permute(3, 2, 0, 1), leaves[2], **kept).permute(0, 2, 3, 1)
    theirs.backward(torch.from_numpy(dy))
    theirs = (theirs.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves))
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    for name, mine, other in zip(["y", "dx", "dweight", "dbias"], ours, theirs, strict=True):
        assert np.abs(mine - other).max() <= tolerance * np.abs(other).max(), name


@pytest.mark.parametrize("case", [case for case in WIDE if case.startswith("wide tile")])
def test_cases_of_the_wide_tile_take_it(case, monkeypatch):
    shape, weight_shape, options = WIDE[case]
    taken = []
    correlate = correlation.kernels.correlate
    monkeypatch.setattr(correlation.kernels, "correlate", lambda *a: (taken.append(a[3]), correlate(*a)))
    F.conv2d(*arrays(3, shape, weight_shape), **options)
    assert taken == [(WIDE_ROWS, WIDE_VECTORS * lanes("float32"))]


def padding_pairs(shape, weight_shape, padding=0, stride=1, dilation=1, groups=1):
    strides = (stride, stride) if isinstance(stride, int) else stride
    if padding == "same":
        axes = zip(shape[1:3], weight_shape[:2], strides, strict=True)
        return [reference.same_padding(size, k, s, dilation) for size, k, s in axes]
    return ((padding, padding),) * 2 if isinstance(padding, int) else padding


@pytest.mark.parametrize("case", WIDE)
def test_same_bits_for_any_number_of_threads(case, same_bits):
    shape, weight_shape, options = WIDE[case]
    x, weight, bias = arrays(5, shape, weight_shape)

    def run():
        y, backward = F.conv2d.vjp(x, weight, bias, **options)
        return y, *backward(np.ones_like(y))

    same_bits(run)


def test_padding_by_name():
    x, weight, _ = arrays(6, (1, 10, 2), (4, 2, 3))
    for stride in (1, 2, 3):
        pair = reference.same_padding(10, 4, stride, 1)
        expected = reference.conv(x, weight, stride=(stride,), padding=(pair,), dilation=(1,), groups=1)
        y = F.conv1d(x, weight, padding="same", stride=stride)
        assert y.shape[1] == -(-10 // stride)
        np.testing.assert_allclose(y, expected, atol=1e-5)
    np.testing.assert_array_equal(F.conv1d(x, weight, padding="valid"), F.conv1d(x, weight, padding=0))


def test_causal_outputs_see_no_later_input():
    x, weight, _ = arrays(7, (1, 12, 3), (3, 3, 2))
    later = x.copy()
    later[:, 8:] += 1
    before, after = (F.conv1d(a, weight, padding="causal", dilation=2) for a in (x, later))
    assert before.shape == (1, 12, 2)
    np.testing.assert_array_equal(before[:, :8], after[:, :8])
    assert np.abs(before[:, 8] - after[:, 8]).min() > 0


def test_takes_any_memory_layout():
    x, weight, bias = arrays(8, (2, 6, 8, 4), (3, 3, 4, 5))
    expected = F.conv2d(x, weight, bias, padding=1)
    read_only = x.copy()
    read_only.flags.writeable = False
    for same in (np.asfortranarray(x), x[:, ::-1].copy()[:, ::-1], read_only, np.repeat(x, 2, axis=2)[:, :, ::2]):
        np.testing.assert_array_equal(F.conv2d(same, weight, bias, padding=1), expected)


def test_borders_are_zero_even_beside_nan():
    x = np.full((1, 3, 3, 20), np.nan, np.float32)
    x[0, 1, 1] = 1
    weight = np.ones((1, 1, 20, 1), np.float32)
    y = F.conv2d(x, weight, padding=1)[0, :, :, 0]
    assert y[2, 2] == 20
    assert (y[0] == 0).all()
    assert (y[:, 0] == 0).all()
    assert np.isnan(y[1:4, 1:4]).sum() == 8


def test_skips_gradients_not_asked_for():
    x, weight, bias = arrays(9, (1, 5, 5, 2), (3, 3, 2, 4))
    y, backward = F.conv2d.vjp(x, weight, bias)
    dx, dweight, dbias = backward(np.ones_like(y), wrt=(False, True, False))
    assert dx is None
    assert dbias is None
    np.testing.assert_array_equal(dweight, backward(np.ones_like(y))[1])


BAD = {
    "x of three axes": (lambda: F.conv2d(np.ones((4, 4, 1)), np.ones((3, 3, 1, 1))), ValueError, "x: got 3 axes"),
    "channels": (lambda: F.conv2d(np.ones((1, 4, 4, 2)), np.ones((3, 3, 1, 1))), ValueError, "weight: got shape"),
    "bias": (lambda: F.conv2d(np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 2)), np.ones(3)), ValueError, "bias: got shape"),
    "groups": (lambda: F.conv2d(np.ones((1, 4, 4, 3)), np.ones((3, 3, 1, 2)), groups=2), ValueError, "groups: got 2"),
    "stride": (lambda: F.conv2d(np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1)), stride=0), ValueError, "stride: got 0"),
    "stride type": (
        lambda: F.conv2d(np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1)), stride=1.5),
        TypeError,
        "stride: got",
    ),
    "padding": (lambda: F.conv2d(np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1)), padding=-1), ValueError, "padding: got"),
    "padding word": (
        lambda: F.conv2d(np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1)), padding="causal"),
        ValueError,
        "padding: got 'causal'",
    ),
    "dilation": (lambda: F.conv1d(np.ones((1, 4, 1)), np.ones((3, 1, 1)), dilation=-1), ValueError, "dilation: got -1"),
    "window": (lambda: F.conv2d(np.ones((1, 2, 2, 1)), np.ones((3, 3, 1, 1))), ValueError, "window: got 3"),
    "no window": (lambda: F.conv2d(np.ones((1, 2, 2, 1)), np.ones((0, 3, 1, 1))), ValueError, "weight: got shape"),
    "precision": (
        lambda: F.conv2d(np.ones((1, 4, 4, 1), np.float32), np.ones((3, 3, 1, 1))),
        TypeError,
        "weight: got float64",
    ),
    "complex": (
        lambda: F.conv1d(np.ones((1, 4, 1), complex), np.ones((3, 1, 1))),
        TypeError,
        "x: got dtype complex128",
    ),
    "dense x": (lambda: F.dense(np.ones(3), np.ones((3, 2))), ValueError, "x: got shape"),
    "dense weight": (lambda: F.dense(np.ones((1, 3)), np.ones((4, 2))), ValueError, "weight: got shape"),
    "dense bias": (lambda: F.dense(np.ones((1, 3)), np.ones((3, 2)), np.ones(3)), ValueError, "bias: got shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()


def test_dy_of_another_shape_is_named():
    x, weight, _ = arrays(9, (1, 5, 5, 2), (3, 3, 2, 4))
    _, backward = F.conv2d.vjp(x, weight)
    with pytest.raises(ValueError, match="dy: got shape"):
        backward(np.ones((1, 5, 5, 4), np.float32))


@pytest.mark.parametrize("shape", [(5, 7), (2, 3, 7), (0, 7), (1, 7), (3, 0, 7)])
def test_dense_equals_a_matrix_product(shape, rng):
    x, weight, bias = rng.standard_normal(shape), rng.standard_normal((7, 4)), rng.standard_normal(4)
    np.testing.assert_allclose(F.dense(x, weight, bias), x @ weight + bias, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(F.dense(x, weight), x @ weight, rtol=1e-12, atol=1e-12)


def test_dense_pullback_equals_central_differences(rng):
    weight, bias = rng.standard_normal((7, 4)), rng.standard_normal(4)
    gradcheck(F.dense, rng.standard_normal((5, 7)), weight, bias)
    gradcheck(F.dense, rng.standard_normal((2, 3, 7)), weight)
