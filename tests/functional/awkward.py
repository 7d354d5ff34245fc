"""Inputs as callers have them: not contiguous, read-only, backwards, of other types."""

import numpy as np


def forms(x):
    """The values of an array in other layouts, by name; all of the same dtype."""
    wide = np.empty((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    unaligned = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    unaligned[...] = x
    return {
        "strided": wide[..., ::2],
        "backwards": x[::-1].copy()[::-1],
        "Fortran order": np.asfortranarray(x),
        "read-only": frozen,
        "unaligned": unaligned,
        "byte-swapped": x.astype(x.dtype.newbyteorder()),
    }


def check_forms(function, x):
    """Every form of `x` gives what `x` gives, and is left as it was."""
    expected = function(x)
    for name, form in forms(x).items():
        before = form.copy()
        np.testing.assert_array_equal(function(form), expected, err_msg=name)
        assert form.tobytes() == before.tobytes(), f"{name} input was modified"
