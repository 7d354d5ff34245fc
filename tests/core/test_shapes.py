"""Windows, strides and paddings against their definitions by counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurojit.core.shapes import integers, output_size, paddings, window_extent

sizes = st.integers(1, 12)


def taps(size, window, stride, padding, dilation):
    """The positions under each placement of the window, by walking along the padded axis."""
    padded = range(-padding[0], size + padding[1])
    starts = [p for p in padded if (p - padded[0]) % stride == 0]
    placements = [[start + k * dilation for k in range(window)] for start in starts]
    return [positions for positions in placements if positions[-1] in padded]


@given(sizes, sizes, st.integers(1, 4), st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(1, 4))
def test_output_size_counts_the_placements(size, window, stride, padding, dilation):
    placements = taps(size, window, stride, padding, dilation)
    if not placements:
        with pytest.raises(ValueError, match=f"window: got {window} with dilation {dilation}"):
            output_size(size, window, stride, padding, dilation)
    else:
        assert output_size(size, window, stride, padding, dilation) == len(placements)
        assert placements[0][-1] - placements[0][0] + 1 == window_extent(window, dilation)


@given(sizes, sizes, st.integers(1, 4), st.integers(1, 4))
def test_same_gives_ceil_of_size_over_stride(size, window, stride, dilation):
    (before, after), *_ = paddings("same", (size,), (window,), (stride,), (dilation,))
    assert 0 <= after - before <= 1, "the extra one is on the far side"
    if stride <= window_extent(window, dilation):
        assert output_size(size, window, stride, (before, after), dilation) == -(-size // stride)


@given(sizes, sizes, st.integers(1, 4))
def test_causal_sees_no_future(size, window, dilation):
    (padding,) = paddings("causal", (size,), (window,), (1,), (dilation,))
    placements = taps(size, window, 1, padding, dilation)
    assert [positions[-1] for positions in placements] == list(range(size))


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        (1, ((1, 1), (1, 1))),
        (np.int64(2), ((2, 2), (2, 2))),
        ((1, 2), ((1, 1), (2, 2))),
        ([0, 3], ((0, 0), (3, 3))),
        (((1, 2), (3, 4)), ((1, 2), (3, 4))),
        ("valid", ((0, 0), (0, 0))),
        ("same", ((1, 1), (1, 1))),
    ],
)
def test_every_form_of_padding(padding, expected):
    assert paddings(padding, (7, 8), (3, 4), (1, 3), (1, 1)) == expected


@pytest.mark.parametrize(
    ("padding", "error", "message"),
    [
        ("full", ValueError, "padding: got 'full', wanted an int, ints or pairs per axis, or 'same' or 'valid'"),
        ("causal", ValueError, "padding: got 'causal'"),
        (-1, ValueError, "padding: got -1, wanted values >= 0"),
        ((1, 2, 3), ValueError, r"padding: got 3 values \(1, 2, 3\), wanted an int or 2 ints"),
        (((1, 2),), ValueError, r"padding: got \(\(1, 2\),\), wanted 2 pairs"),
        (((1, 2), (1,)), ValueError, "padding: got 1 values"),
        (((1, 2), 3), ValueError, r"padding: got \(\(1, 2\), 3\), wanted 2 pairs"),
        (1.0, TypeError, "padding: got 1.0, wanted an int or 2 ints"),
        (True, TypeError, "padding: got True"),
        (None, TypeError, "padding: got None"),
    ],
)
def test_bad_padding_is_named(padding, error, message):
    with pytest.raises(error, match=message):
        paddings(padding, (7, 8), (3, 3), (1, 1), (1, 1))


def test_integers_spreads_one_value():
    assert integers(3, "stride", 2) == (3, 3)
    assert integers([np.int32(1), 2], "stride", 2) == (1, 2)
    assert all(type(v) is int for v in integers(np.int64(3), "stride", 2))
    with pytest.raises(ValueError, match=r"stride: got \(1, 0\), wanted values >= 1"):
        integers((1, 0), "stride", 2)
    with pytest.raises(TypeError, match="stride: got '2', wanted an int or 2 ints"):
        integers("2", "stride", 2)
