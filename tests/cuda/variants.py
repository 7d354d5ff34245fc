"""Cases of the less common operations, as those in cases.py."""

import dataclasses

import numpy as np

import neurojit.functional as F
from tests.cuda.cases import Case

TARGETS = np.array([0, 2, -100, 4, 1, 1, 0, 3, 4])
SWITCHES = np.array([[5, -1, 3, 2, 5, 0], [1, 4, 4, 0, 2, 2]], np.int32).reshape(2, 3, 2)


@dataclasses.dataclass(frozen=True)
class Given(Case):
    """A case with arrays among its options, `beside`: integers, or numbers in the precision of the case."""

    beside: dict = dataclasses.field(default_factory=dict)

    def _plain(self, dtype, move):
        arrays = {name: move(a if a.dtype.kind == "i" else a.astype(dtype)) for name, a in self.beside.items()}
        return Case(self.op, self.arrays, self.options | arrays, self.tolerance)

    def run(self, dtype, move):
        return self._plain(dtype, move).run(dtype, move)

    def value(self, dtype, move):
        return self._plain(dtype, move).value(dtype, move)


CASES = [
    Case(F.prelu, ((2, 3, 4, 5), (5,))),
    Case(F.prelu, ((7, 6), (1,))),
    Case(F.prelu, ((3, 2, 5), (2, 5))),
    Case(F.prelu, ((0, 5), (5,))),
    Case(F.nll_loss, ((9, 5),), {"targets": TARGETS}),
    Case(F.nll_loss, ((3, 3, 5),), {"targets": TARGETS.reshape(3, 3), "reduction": "none"}),
    Case(F.nll_loss, ((9, 5),), {"targets": TARGETS, "weight": np.arange(1.0, 6.0).tolist()}),
    Case(F.local_response_norm, ((2, 3, 2, 7),), {"size": 4, "alpha": 0.5}),
    Case(F.local_response_norm, ((5, 3),), {"size": 7, "alpha": 1.0, "beta": 1.5, "k": 2.0}),
    Case(F.lp_pool2d, ((2, 5, 4, 3),), {"window": 3, "stride": 2, "padding": 1}),
    Case(F.lp_pool2d, ((1, 5, 4, 3),), {"window": 2, "p": 3.5, "ceil_mode": True}, tolerance=5e-6),
    Case(F.lp_pool1d, ((2, 7, 2),), {"window": 3, "p": 1}),
    Case(F.softmax, ((3, 5, 4),), {"axis": 1}),
    Case(F.log_softmax, ((35, 2, 3),), {"axis": 0}),
    Case(F.layer_norm, ((3, 5, 4, 2), (3, 4), (3, 4)), {"axis": (0, 2)}, tolerance=5e-6),
    Case(F.rms_norm, ((4, 6, 3), (6,)), {"axis": 1}, tolerance=5e-6),
    Case(F.deform_conv2d, ((1, 3, 2, 3), (1, 3, 2, 18), (3, 3, 3, 2), (2,)), {"padding": 1}, tolerance=5e-6),
    Given(F.max_unpool1d, ((2, 3, 2),), {"spatial_shape": 6}, beside={"switches": SWITCHES}),
    Given(F.max_unpool2d, ((2, 3, 1, 2),), {"spatial_shape": (2, 3)}, beside={"switches": SWITCHES[:, :, np.newaxis]}),
    Given(
        F.deform_conv2d,
        ((2, 2, 3, 2), (2, 2, 3, 8), (2, 2, 2, 3), (3,)),
        {"padding": ((0, 1), (1, 0))},
        tolerance=5e-6,
        beside={"mask": np.random.default_rng(1).random((2, 2, 3, 4))},
    ),
    Case(
        F.deform_conv2d,
        ((1, 5, 4, 8), (1, 3, 1, 16), (2, 2, 4, 6)),
        {"stride": (2, 3), "groups": 2, "offset_groups": 2, "dilation": (1, 2), "padding": ((0, 1), (0, 0))},
        tolerance=5e-6,
    ),
    Case(F.binary_conv2d, ((2, 4, 5, 3), (3, 3, 3, 5), (5,)), {"padding": 1}, tolerance=5e-6),
    Case(F.binary_conv2d, ((1, 4, 2, 33), (2, 2, 33, 3)), {"stride": 2, "dilation": (2, 1)}, tolerance=5e-6),
    Case(F.binary_conv2d, ((2, 1, 1, 3), (1, 1, 3, 66)), tolerance=5e-6),
    Case(F.binary_conv2d, ((1, 4, 4, 3), (3, 3, 3, 2), (2,)), {"binary_input": False}, tolerance=5e-6),
    Case(F.binary_dense, ((67, 33), (33, 4), (4,)), tolerance=5e-6),
    Case(F.binary_dense, ((0, 5), (5, 4))),
]
