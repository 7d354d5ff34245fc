"""The cases of the emulator on real hardware: `pytest -m gpu`."""

import numpy as np
import pytest

from neurojit.core.cuda import diagnosis, to_device
from tests.cuda.table import CASES

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(diagnosis.missing() != [], reason="; ".join(diagnosis.missing())),
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_cpu(case, dtype):
    found, expected = case.run(dtype, to_device), case.run(dtype, np.array)
    tolerance = case.tolerance if dtype == np.float32 else 1e-12
    for got, wanted in zip(found, expected, strict=True):
        assert got.dtype == wanted.dtype
        scale = max(1.0, np.abs(wanted[np.isfinite(wanted)]).max(initial=0))
        np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * scale)
