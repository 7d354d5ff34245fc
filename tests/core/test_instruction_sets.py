"""Kernels written in vectors give the same results with narrower ones, and with none."""

import os
import subprocess
import sys

import pytest

from neurojit.core import simd

FILES = ["pooling", "normalization", "sample_normalization", "activation"]


@pytest.mark.slow
@pytest.mark.skipif("NEUROJIT_SIMD" in os.environ, reason="this is the process with another instruction set")
@pytest.mark.parametrize("instruction_set", [name for name in ("plain", "avx2") if name != simd.INSTRUCTION_SET])
def test_pooling_normalization_and_activation(instruction_set):
    if instruction_set == "avx2" and simd.INSTRUCTION_SET != "avx512":
        pytest.skip(f"this machine has {simd.INSTRUCTION_SET}")
    files = [f"tests/functional/test_{name}.py" for name in FILES]
    chosen = ["-k", "definition or many_channels or accurate"]
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *files, *chosen]
    environment = os.environ | {"NEUROJIT_SIMD": instruction_set}
    result = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    assert "passed" in result.stdout
