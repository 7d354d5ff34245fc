"""Operations on the device equal those on the CPU, their gradients too, and every kernel takes part in a case.

Kernels run in the emulator, which watches for races and for barriers that not all threads come to.
"""

import numpy as np
import pytest

from neurojit.core.cuda import to_device, use_target
from tests.cuda.comparison import compare
from tests.cuda.kernels import KERNELS
from tests.cuda.table import CASES

pytest.importorskip("greenlet", reason="the emulator of kernels needs greenlet")
from tests.emulator.target import Emulator

_launched = set()


def emulated(run, dtype, **options):
    with use_target(Emulator(**options)) as emulator:
        results = run(dtype, to_device)
        _launched.update(emulator.launched)
        return results


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equals_the_cpu(case):
    expected = case.run(np.float32, np.array)
    for order in ("forward", "reverse", "random"):
        compare(emulated(case.run, np.float32, order=order), expected, case.tolerance)


def test_every_kernel_takes_part():
    """Runs what has not been run yet in this process: tests may be chosen, or spread over processes."""
    for case in CASES:
        if not KERNELS.keys() - _launched:
            break
        emulated(case.run, np.float32, watches=False)
    assert sorted(KERNELS.keys() - _launched) == [], "kernels without a case"
