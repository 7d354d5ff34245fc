"""The bits of a result do not depend on whether the cache was warm, nor on what ran before in the process."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
import numpy as np
from neurojit.kernels.cpu import loss as kernels

x = np.random.default_rng(0).normal(size=(29, 10)).astype(np.float32)
targets, weight = np.arange(29) % 10, np.ones(10, np.float32)
if "part first" in sys.argv:
    kernels._row_gradient(1, weight, np.float32(1), np.float32(0), np.float32(3.3), x[0].copy())
losses, dx = np.empty(29, np.float32), np.empty_like(x)
kernels.cross_entropy(x, targets, weight, 0.0, 1 / 29, losses, dx)
print(losses.tobytes().hex() + dx.tobytes().hex())
"""


@pytest.mark.slow
def test_same_bits_from_a_cold_cache_a_warm_one_and_after_other_calls(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def bits(*arguments):
        command = [sys.executable, "-c", SCRIPT, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    cold = bits()
    assert bits() == cold
    assert bits("part first") == cold
