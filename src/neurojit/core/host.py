"""The vector registers of this machine, and the shape of the register tile that fits them."""

import functools
import os
import platform

import numpy as np
from llvmlite import binding

# Bytes in a vector register; rows of the tile that its register file holds beside two vectors of weights; and rows and
# vectors of the wide tile, which reads fewer values for each multiplication where there are registers to hold it.
_INSTRUCTION_SETS = {
    "avx512": (64, 8, (6, 4)),
    "avx2": (32, 6, (6, 2)),
    "neon": (16, 8, (6, 4)),
    "plain": (0, 4, (4, 2)),
}


def _host():
    """The widest instruction set of this machine that the tile has a shape for."""
    features = binding.get_host_cpu_features()
    if features.get("avx512f") and features.get("avx512vl"):
        return "avx512"
    if features.get("avx2") and features.get("fma"):
        return "avx2"
    if platform.machine().lower() in ("aarch64", "arm64"):
        return "neon"
    return "plain"


def _instruction_set():
    """The host's instruction set, or the narrower one that the environment variable NEUROJIT_SIMD asks for."""
    asked = os.environ.get("NEUROJIT_SIMD") or _host()
    if asked not in _INSTRUCTION_SETS:
        raise ValueError(f"NEUROJIT_SIMD: got {asked!r}, wanted one of {sorted(_INSTRUCTION_SETS)}")
    return asked


INSTRUCTION_SET = _instruction_set()
_REGISTER_BYTES, ROWS, (WIDE_ROWS, WIDE_VECTORS) = _INSTRUCTION_SETS[INSTRUCTION_SET]
VECTORS = 2  # in a row of the tile; one serves where few columns are left


@functools.cache
def lanes(dtype):
    """Numbers of `dtype` in one vector register; 1 where the machine has no vectors the tile knows."""
    return max(_REGISTER_BYTES // np.dtype(dtype).itemsize, 1)
