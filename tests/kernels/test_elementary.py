"""The elementary functions inside kernels: accuracy in float32 over its whole range, and vector code."""

import re

import numba
import numpy as np
import pytest
import scipy.special

from neurojit.core.jit import FAST_MATH
from neurojit.kernels.cpu import activation, elementary

EXACT = {
    "exp": np.exp,
    "expm1": np.expm1,
    "tanh": np.tanh,
    "sigmoid": scipy.special.expit,
    "softplus": lambda x: np.logaddexp(0, x),
    "normal_cdf": scipy.special.ndtr,
}
MONOTONE = {"exp", "tanh", "sigmoid"}


def every_float(step):
    """Float32 numbers in increasing order, every `step`-th of all there are, and -inf and inf."""
    positive = np.arange(0, 0x7F800000, step, dtype=np.uint32).view(np.float32)
    return np.concatenate([[np.float32(-np.inf)], -positive[::-1], positive, [np.float32(np.inf)]])


def apply(name, x):
    function = getattr(elementary, name)

    @numba.njit(fastmath=set(FAST_MATH))
    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    y = np.empty_like(x)
    loop(x, y)
    return y


@pytest.mark.parametrize("name", EXACT)
def test_float32(name):
    ln2 = np.arange(0x3F300000, 0x3F330000, dtype=np.uint32).view(np.float32)  # where the reduction's n steps
    x = np.sort(np.concatenate([every_float(2503), ln2, -ln2, np.linspace(-20, 20, 1 << 20, dtype=np.float32)]))
    y = apply(name, x)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        exact = EXACT[name](x.astype(np.float64))
        representable = exact.astype(np.float32)
    normal = np.isfinite(representable) & (np.abs(exact) >= 2.0**-126)
    error = np.abs(y[normal] - exact[normal])
    if name == "normal_cdf":
        assert error.max() <= 3e-7
    else:
        assert (error / np.spacing(np.abs(representable[normal]))).max() <= 4
        assert error[np.abs(exact[normal]) <= 1].max() <= (2e-7 if name == "softplus" else 1e-7)
    np.testing.assert_array_equal(y[[0, -1]], representable[[0, -1]])
    assert (y[~normal & (np.abs(exact) < 1)] <= 2.0**-126).all()
    if name in MONOTONE:
        assert (y[1:] >= y[:-1]).all()
    assert np.isnan(apply(name, np.array([np.nan], np.float32))).all()


@pytest.mark.parametrize("name", EXACT)
def test_float64(name):
    x = np.linspace(-30, 30, 10001)
    np.testing.assert_allclose(apply(name, x), EXACT[name](x), rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", ["elu", "gelu", "sigmoid", "silu", "softplus", "tanh"])
def test_loops_become_vector_code(name):
    loop = numba.njit(getattr(activation, f"_{name}").py_func)
    x = np.ones(8, np.float32)
    loop(*((x, 1.0, 1.0, 1.0, x) if name == "elu" else (x, x)))
    (code,) = loop.inspect_llvm().values()
    assert re.search(r"call <\d+ x float> @llvm\.fmuladd", code)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_float64_to_the_last_bits(name):
    """Over all magnitudes, in vector code too; where the result is no normal number it may be zero."""
    sizes = np.concatenate([np.logspace(-300, 3, 20_000), np.linspace(0, 45, 20_000)])
    x = np.concatenate([-sizes[::-1], sizes, [0.0, -np.inf, np.inf]])
    y, exact = apply(name, x), EXACT[name](x)
    normal = np.abs(exact) > 2.0**-1020
    assert (np.abs(y - exact)[normal] / np.spacing(np.abs(exact[normal]))).max() <= 4
    assert (np.abs(y[~normal]) <= 2.0**-1019).all()
    np.testing.assert_array_equal(y[-3:], exact[-3:])
    assert np.isnan(apply(name, np.array([np.nan]))).all()
