"""Flatten and reshape."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms


@hypothesis.given(st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_flatten_equals_numpy(shape):
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    features = int(np.prod(shape[1:]))
    y, backward = F.flatten.vjp(x)
    np.testing.assert_array_equal(y, np.reshape(x, (shape[0], features)))
    np.testing.assert_array_equal(backward(y), x)


@pytest.mark.parametrize("shape", [(2, 3, 4), (-1, 4), (24,), 24, -1, (6, -1), (1, 24, 1), [4, 6]])
def test_reshape_equals_numpy(shape):
    x = np.random.default_rng(1).standard_normal((3, 4, 6))
    sample = (shape,) if isinstance(shape, int) else tuple(shape)
    np.testing.assert_array_equal(F.reshape(x, shape), np.reshape(x, (3, *sample)))
    gradcheck(F.reshape, x, shape)


def test_an_empty_batch_keeps_the_samples_shape():
    assert F.reshape(np.empty((0, 4, 6)), (-1, 3)).shape == (0, 8, 3)
    assert F.flatten(np.empty((0, 4, 6))).shape == (0, 24)


def test_layouts():
    x = np.random.default_rng(2).standard_normal((3, 4, 6)).astype(np.float32)
    check_forms(F.flatten, x)
    check_forms(lambda x: F.reshape(x, (8, 3)), x)


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((5, 5), ValueError, "shape: got (5, 5), wanted lengths for 24 numbers"),
        ((5, -1), ValueError, "shape: got (5, -1), wanted lengths for 24 numbers"),
        ((-1, -1), ValueError, "shape: got (-1, -1), wanted at most one -1"),
        ((-2, 12), ValueError, "shape: got (-2, 12)"),
        ((2.0, 12), TypeError, "shape: got (2.0, 12)"),
        (None, TypeError, "shape: got None"),
    ],
)
def test_bad_shape(shape, error, message):
    with pytest.raises(error) as raised:
        F.reshape(np.ones((3, 4, 6)), shape)
    assert str(raised.value).startswith(message)


def test_bad_input():
    with pytest.raises(ValueError, match=r"x: got shape \(\)"):
        F.flatten(np.float32(3))
