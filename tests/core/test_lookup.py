"""Products with units looked up in registers: against plain sums, where the machine can do it."""

import numpy as np
import pytest

from neurojit.core import lookup
from neurojit.core.sparse import block
from neurojit.kernels.cpu.reservoir import multiply
from neurojit.reservoirs import reservoir_matrix
from neurojit.reservoirs.packing import pack
from neurojit.reservoirs.panels import best_slots, pack_panels


@pytest.mark.parametrize(("n_units", "fan_in"), [(1, 1), (33, 33), (100, 20), (257, 40)])
@pytest.mark.parametrize("slots", [1, 3, lookup.MOST_SLOTS])
def test_panels_and_the_rest_are_the_matrix(n_units, fan_in, slots):
    W = reservoir_matrix(n_units, fan_in=fan_in, random_state=0)
    panels, codes, rest = pack_panels(W, 64, slots)
    blocks, segments, _, rows = panels.shape
    found = np.zeros((blocks * rows, segments * lookup.SEGMENT))
    for k in range(slots):
        unit = (codes >> (lookup.CODE_BITS * k)) % lookup.SEGMENT
        for b in range(blocks):
            for g in range(segments):
                np.add.at(found, (b * rows + np.arange(rows), g * lookup.SEGMENT + unit[b, g]), panels[b, g, k])
    np.testing.assert_array_equal(found[:n_units, :n_units] + rest.toarray(), W.toarray())
    assert not found[n_units:].any()
    counts = np.add.reduceat(W.toarray() != 0, np.arange(0, n_units, lookup.SEGMENT), axis=1)
    assert rest.nnz == np.maximum(counts - slots, 0).sum(), "only what does not fit is left"


@pytest.mark.skipif(not lookup.available("float32"), reason="this machine looks nothing up in registers")
def test_product_with_panels(rng):
    W = reservoir_matrix(300, fan_in=45, random_state=0)
    x = np.zeros(1024, np.float32)
    x[:300] = rng.standard_normal(300)
    packed = pack([W], np.float32)
    assert packed.panels.size > 0
    assert packed.weight.size > 0, "some do not fit"
    for backward in (0, 1):
        out = np.zeros(512, np.float32)
        first = (part[0] for part in (packed.panels, packed.codes))
        multiply(*first, packed.weight, packed.index, packed.starts[0], packed.shift[0], backward, x, out)
        np.testing.assert_allclose(out[:300], W @ x[:300], rtol=0, atol=1e-5)


def test_where_panels_pay():
    sparse, filled = (reservoir_matrix(1000, fan_in=k, random_state=0) for k in (10, 100))
    rows = block("float32")
    assert best_slots(filled, rows, np.float64) == 0
    assert best_slots(sparse, rows, np.float32) == 0
    assert (best_slots(filled, rows, np.float32) > 2) == lookup.available("float32")
