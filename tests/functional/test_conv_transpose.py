"""Transposed convolutions: against the definition, central differences, the convolution transposed, and PyTorch."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference.conv_transpose import conv_transpose as reference

OPS = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
CONVS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


@st.composite
def transposed(draw, rank):
    """Shapes and options of a small transposed convolution, odd ones included."""
    groups = draw(st.sampled_from([1, 1, 2]))
    group_in, group_out = draw(st.sampled_from([(1, 1), (2, 2), (3, 1), (1, 3), (2, 5)]))
    window = tuple(draw(st.integers(1, 4 - rank // 3)) for _ in range(rank))
    stride = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(rank))
    extra = tuple(draw(st.integers(0, s - 1)) for s in stride)
    padding = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(rank))
    axes = zip(window, stride, dilation, padding, extra, strict=True)
    least = [max(1, 1 - (d * (k - 1) - sum(p) + e) // s) for k, s, d, p, e in axes]
    spatial = tuple(size + draw(st.integers(0, 3)) for size in least)
    options = {"stride": stride, "padding": padding, "output_padding": extra, "dilation": dilation, "groups": groups}
    shape = (draw(st.integers(0, 2)), *spatial, groups * group_in)
    return shape, (*window, group_out, groups * group_in), options


def arrays(shape, weight_shape, groups, dtype):
    rng = np.random.default_rng(1)
    return [rng.standard_normal(s).astype(dtype) for s in (shape, weight_shape, (weight_shape[-2] * groups,))]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@hypothesis.given(data=st.data())
def test_equals_the_definition(data, dtype, rank):
    shape, weight_shape, options = data.draw(transposed(rank))
    x, weight, bias = arrays(shape, weight_shape, options["groups"], dtype)
    before = x.copy()
    y = OPS[rank](x, weight, bias, **options)
    assert y.dtype == dtype
    tolerance = {"rtol": 1e-12, "atol": 1e-12} if dtype == np.float64 else {"atol": 2e-5}
    np.testing.assert_allclose(y, reference(x, weight, bias, **options), **tolerance)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("rank", [1, 2, 3])
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=10)
def test_pullback_equals_central_differences(data, rank):
    shape, weight_shape, options = data.draw(transposed(rank).filter(lambda case: case[0][0] > 0))
    x, weight, bias = arrays(shape, weight_shape, options["groups"], np.float64)
    gradcheck(OPS[rank], x, weight, bias, max_entries=30, **options)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", [1, "same"])
def test_is_the_gradient_of_the_convolution(rank, padding):
    rng = np.random.default_rng(2)
    image = rng.standard_normal((2, *(6,) * rank, 5))
    weight = rng.standard_normal((*(3,) * rank, 5, 4))
    y, backward = CONVS[rank].vjp(image, weight, stride=2, padding=padding)
    dy = rng.standard_normal(y.shape)
    extra = 0 if padding == "same" else 1
    back = OPS[rank](dy, weight, stride=2, padding=padding, output_padding=extra)
    np.testing.assert_array_equal(back, backward(dy, wrt=(True, False))[0])


WIDE = {
    "4x4/2": ((2, 7, 6, 40), (4, 4, 33, 40), {"stride": 2, "padding": 1}),
    "groups": ((2, 5, 5, 12), (3, 3, 2, 12), {"stride": 3, "output_padding": 2, "groups": 4}),
    "depthwise": ((2, 6, 6, 40), (3, 3, 1, 40), {"stride": 2, "padding": 1, "groups": 40}),
    "depthwise, several inputs to an output": ((2, 6, 6, 40), (3, 3, 1, 40), {"padding": 1, "groups": 20}),
    "dilation": ((1, 5, 5, 3), (3, 3, 20, 3), {"dilation": 2}),
    "no stride, many channels": ((2, 9, 8, 24), (3, 3, 20, 24), {"padding": 1}),
}


@pytest.mark.parametrize("case", WIDE)
def test_equals_pytorch(case, torch):
    shape, weight_shape, options = WIDE[case]
    x, weight, bias = arrays(shape, weight_shape, options.get("groups", 1), np.float32)
    y, backward = F.conv_transpose2d.vjp(x, weight, bias, **options)
    dy = np.random.default_rng(3).standard_normal(y.shape).astype(np.float32)
    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, weight, bias)]
    theirs = torch.nn.functional.conv_transpose2d(
        leaves[0].permute(0, 3, 1, 2), leaves[1].permute(3, 2, 0, 1), leaves[2], **options
    ).permute(0, 2, 3, 1)
    theirs.backward(torch.from_numpy(dy))
    for mine, other in zip((y, *backward(dy)), (theirs.detach(), *(leaf.grad for leaf in leaves)), strict=True):
        assert np.abs(mine - other.numpy()).max() <= 1e-5 * np.abs(other.numpy()).max()


def test_memory_layouts():
    x, weight, bias = arrays((2, 4, 5, 3), (3, 3, 2, 3), 1, np.float32)
    check_forms(lambda form: F.conv_transpose2d(form, weight, bias, stride=2), x)


def test_same_bits_for_any_number_of_threads(same_bits):
    x, weight, bias = arrays((4, 20, 20, 32), (4, 4, 24, 32), 1, np.float32)

    def run():
        y, backward = F.conv_transpose2d.vjp(x, weight, bias, stride=2, padding=1)
        return y, *backward(y)

    same_bits(run)


IMAGE, WEIGHT = np.ones((1, 4, 4, 6)), np.ones((3, 3, 2, 6))
BAD = {
    "rank": (lambda: F.conv_transpose1d(IMAGE, WEIGHT), ValueError, "x: got 4 axes"),
    "channels": (lambda: F.conv_transpose2d(IMAGE[..., :5], WEIGHT), ValueError, "weight: got shape"),
    "groups": (lambda: F.conv_transpose2d(IMAGE, WEIGHT, groups=4), ValueError, "groups: got 4"),
    "no groups": (lambda: F.conv_transpose2d(IMAGE, WEIGHT, groups=0), ValueError, "groups: got 0"),
    "bias": (lambda: F.conv_transpose2d(IMAGE, WEIGHT, np.ones(3)), ValueError, "bias: got shape"),
    "stride": (lambda: F.conv_transpose2d(IMAGE, WEIGHT, stride=0), ValueError, "stride: got 0"),
    "dilation": (lambda: F.conv_transpose2d(IMAGE, WEIGHT, dilation=-1), ValueError, "dilation: got -1"),
    "padding": (lambda: F.conv_transpose2d(IMAGE, WEIGHT, padding=-1), ValueError, "padding: got -1"),
    "no output": (lambda: F.conv_transpose2d(IMAGE, WEIGHT, padding=3), ValueError, "padding: got 3"),
    "output padding": (
        lambda: F.conv_transpose2d(IMAGE, WEIGHT, output_padding=1),
        ValueError,
        "output_padding: got 1",
    ),
    "output padding beside same": (
        lambda: F.conv_transpose2d(IMAGE, WEIGHT, stride=2, padding="same", output_padding=1),
        ValueError,
        "output_padding: got 1",
    ),
    "precision": (lambda: F.conv_transpose2d(IMAGE.astype(np.float32), WEIGHT), TypeError, "weight: got float64"),
    "an empty window": (lambda: F.conv_transpose2d(IMAGE, WEIGHT[:0]), ValueError, "weight: got shape"),
    "an empty image": (lambda: F.conv_transpose2d(IMAGE[:, :0], WEIGHT), ValueError, "x: got shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()
