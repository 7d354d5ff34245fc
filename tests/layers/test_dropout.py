"""Dropout: drops in training only."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.core.random import Key
from neurojit.layers import Dropout, Mode
from neurojit.testing import gradcheck

X = np.random.default_rng(1).standard_normal((4, 5, 6))
KEY = Key.from_random_state(2)


def test_training_drops_by_the_modes_key():
    mode = Mode(training=True, key=KEY)
    np.testing.assert_array_equal(Dropout(0.3)(X, mode), F.dropout(X, 0.3, KEY))
    gradcheck(Dropout(0.3), X, mode=mode)


def test_inference_is_the_identity():
    layer = Dropout(0.3)
    np.testing.assert_array_equal(layer(X), X)
    np.testing.assert_array_equal(layer(X, Mode(key=KEY)), X)
    gradcheck(layer, X)


def test_training_without_a_key():
    with pytest.raises(ValueError, match=r"mode\.key: got None"):
        Dropout()(X, Mode(training=True))


@pytest.mark.parametrize(("rate", "error"), [(1, ValueError), (-0.5, ValueError), (None, TypeError)])
def test_bad_rate(rate, error):
    with pytest.raises(error, match="rate: got"):
        Dropout(rate)
