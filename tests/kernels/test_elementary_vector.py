"""tanh and the logistic function of SIMD vectors: accuracy in both precisions, whatever the width of the vector."""

import numba
import numpy as np
import pytest
import scipy.special

from neurojit.core import vector
from neurojit.core.vector import lanes, load, store
from neurojit.kernels.cpu import elementary_vector

EXACT = {"tanh": np.tanh, "sigmoid": scipy.special.expit}


def apply(name, width, x):
    function, make = getattr(elementary_vector, name), getattr(vector, width)

    @numba.njit
    def loop(x, y):
        like = make(y)
        for i in range(0, x.size, lanes(like)):
            count = min(lanes(like), x.size - i)
            store(y, i, count, function(load(x, i, count, like)))

    y = np.empty_like(x)
    loop(x, y)
    return y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_accuracy(name, dtype):
    size = np.geomspace(1e-30, 80, 100_003)
    x = np.concatenate([-size[::-1], [0], size]).astype(dtype)
    y = apply(name, "narrow", x)
    exact = EXACT[name](x.astype(np.longdouble))
    assert (np.abs(y - exact) / np.spacing(np.abs(exact.astype(dtype)))).max() <= 4
    np.testing.assert_array_equal(apply(name, "pair", x), y)


@pytest.mark.parametrize("name", EXACT)
def test_values_at_the_ends(name):
    x = np.array([-np.inf, -1e30, -0.0, 0.0, 1e30, np.inf, np.nan], np.float32)
    for width in ("narrow", "pair"):
        y = apply(name, width, x)
        np.testing.assert_allclose(y, EXACT[name](x), atol=1e-37)
        assert np.isnan(y[-1])
