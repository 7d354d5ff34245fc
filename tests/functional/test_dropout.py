"""Dropout: the share it drops, its scale, and that its draws depend on key and index alone."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.core.random import Key
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms

KEY = Key.from_random_state(1)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 1023, 1025, 16384, 40001])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drops_where_the_keys_words_say_so(size, rate):
    x = np.arange(1, size + 1, dtype=np.float32)
    kept = KEY.words(size) >= rate * 2**32
    np.testing.assert_allclose(F.dropout(x, rate, KEY), np.where(kept, x / (1 - rate), 0), rtol=1e-6)


def test_share_and_expectation():
    x = np.ones((100, 10, 100))
    y = F.dropout(x, 0.3, KEY)
    assert abs((y == 0).mean() - 0.3) < 0.005
    assert abs(y.mean() - 1) < 0.01
    assert (F.dropout(x, 0.3, KEY.child(1)) != y).any()


def test_rate_zero_is_the_identity():
    x = np.ones((3, 4), np.float32)
    np.testing.assert_array_equal(F.dropout(x, 0.0, KEY), x)
    np.testing.assert_array_equal(F.dropout(x, 1e-12, KEY), x)


def test_dropped_infinities_and_nans_are_zero():
    x = np.full(64, np.nan, np.float32)
    y = F.dropout(x, 0.5, KEY)
    kept = KEY.words(64) >= 2**31
    assert np.isnan(y[kept]).all()
    np.testing.assert_array_equal(y[~kept], 0)


def test_pullback_equals_central_differences():
    gradcheck(F.dropout, np.random.default_rng(1).standard_normal((5, 3, 7)), rate=0.4, key=KEY)


def test_layouts():
    check_forms(lambda x: F.dropout(x, 0.5, KEY), np.random.default_rng(2).standard_normal((5, 6)).astype(np.float32))


def test_same_bits_for_any_number_of_threads(same_bits):
    x = np.random.default_rng(3).standard_normal((300, 301)).astype(np.float32)
    same_bits(lambda: F.dropout(x, 0.5, KEY))


@pytest.mark.parametrize(
    ("rate", "key", "error", "message"),
    [
        (1.0, KEY, ValueError, "rate: got 1.0, wanted 0 <= rate < 1"),
        (-0.1, KEY, ValueError, "rate: got -0.1"),
        (np.nan, KEY, ValueError, "rate: got nan"),
        ("half", KEY, TypeError, "rate: got 'half'"),
        (0.5, 3, TypeError, "key: got int"),
    ],
)
def test_bad_input(rate, key, error, message):
    with pytest.raises(error) as raised:
        F.dropout(np.ones(3), rate, key)
    assert str(raised.value).startswith(message)
