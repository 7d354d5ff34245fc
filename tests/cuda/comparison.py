"""Results of the device beside those of the CPU."""

import numpy as np


def compare(found, expected, tolerance):
    assert len(found) == len(expected)
    for index, (got, wanted) in enumerate(zip(found, expected, strict=True)):
        assert got.dtype == wanted.dtype
        scale = max(1.0, np.abs(wanted[np.isfinite(wanted)]).max(initial=0))
        np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * scale, err_msg=f"result {index}")
