"""In float64 operations on the device equal those on the CPU closely; a file, and so a process, of its own."""

import numpy as np
import pytest

from neurojit.core.cuda import to_device, use_target
from tests.cuda.comparison import compare
from tests.cuda.table import CASES

pytest.importorskip("greenlet", reason="the emulator of kernels needs greenlet")
from tests.emulator.target import Emulator


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equals_the_cpu(case):
    for run in (case.value, case.run):
        with use_target(Emulator(watches=False)):
            found = run(np.float64, to_device)
        compare(found, run(np.float64, np.array), 1e-12)
