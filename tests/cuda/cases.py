"""What is computed on the device and compared with the CPU: one table for the emulator and for real hardware.

Shapes are small and odd, as the emulator takes a microsecond for what a GPU does in a picosecond.
"""

import dataclasses
import unittest.mock
from collections.abc import Callable

import numpy as np

import neurojit.functional as F
from neurojit.core.cuda import zeros_like
from neurojit.core.random import Key
from neurojit.functional import device_correlation
from neurojit.functional.normalization import follow
from neurojit.functional.optimizer import adam_update, clip_by_global_norm, global_norm, rmsprop_update, sgd_update
from tests.cuda.recurrent_cases import RECURRENT, SEQUENCE_LOSSES, leaves


@dataclasses.dataclass(frozen=True)
class Case:
    """A call: `arrays` are shapes of normal draws, the differentiable arguments, `options` the other arguments."""

    op: Callable
    arrays: tuple
    options: dict = dataclasses.field(default_factory=dict)
    tolerance: float = 2e-6  # of the largest value, in float32
    large_tiles: bool = False

    def __str__(self):
        shapes = "-".join("x".join(map(str, shape)) for shape in self.arrays)
        options = ",".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.op.__name__}-{shapes}-{options}"

    def run(self, dtype, move):
        """The value and its gradients, of arrays that `move` puts somewhere."""
        rng = np.random.default_rng(0)
        arrays = [move(rng.standard_normal(shape).astype(dtype)) for shape in self.arrays]
        blocks = 0 if self.large_tiles else device_correlation._BLOCKS
        with unittest.mock.patch.object(device_correlation, "_BLOCKS", blocks):
            value, backward = self.op.vjp(*arrays, **self.options)
            dy = np.asarray(rng.standard_normal(value.shape)).astype(dtype)
            return leaves([value, backward(move(dy) if dy.ndim else dy)])

    def value(self, dtype, move):
        """The value of the plain call."""
        rng = np.random.default_rng(0)
        arrays = [move(rng.standard_normal(shape).astype(dtype)) for shape in self.arrays]
        return leaves(self.op(*arrays, **self.options))


@dataclasses.dataclass(frozen=True)
class Update:
    """A function that changes the first of `count` arrays of 37 numbers in place."""

    name: str
    function: Callable
    count: int
    tolerance: float = 2e-6

    def __str__(self):
        return self.name

    def run(self, dtype, move):
        """The arrays after two updates, and what the function returned."""
        rng = np.random.default_rng(0)
        arrays = [move(np.abs(rng.standard_normal(37)).astype(dtype)) for _ in range(self.count)]
        returned = [self.function(*arrays) for _ in range(2)]
        return leaves([returned, arrays])

    value = run


ACTIVATIONS = [
    *(Case(op, ((3, 7),)) for op in (F.relu, F.elu, F.celu, F.selu, F.silu, F.sigmoid, F.tanh, F.softplus, F.mish)),
    *(Case(op, ((3, 7),)) for op in (F.gelu, F.leaky_relu, F.hard_sigmoid, F.hard_swish, F.thresholded_relu)),
    Case(F.gelu, ((3, 7),), {"approximate": True}),
    Case(F.relu, ((0, 5),)),
    Case(F.tanh, ((1031,),)),
]

CONVOLUTIONS = [
    Case(F.dense, ((3, 5), (5, 6), (6,))),
    Case(F.dense, ((2, 3, 8), (8, 12))),
    Case(F.dense, ((66, 20), (20, 68), (68,))),
    Case(F.dense, ((0, 5), (5, 6), (6,))),
    Case(F.dense, ((3, 128), (128, 128), (128,)), tolerance=1e-5, large_tiles=True),
    Case(F.conv2d, ((2, 5, 4, 3), (3, 3, 3, 5), (5,)), {"padding": 1}),
    Case(F.conv2d, ((2, 7, 6, 4), (3, 2, 4, 8), (8,)), {"stride": (2, 3), "padding": "same", "dilation": (1, 2)}),
    Case(F.conv2d, ((1, 6, 6, 4), (1, 1, 4, 4)), {"stride": 2}),
    Case(F.conv2d, ((1, 3, 3, 32), (2, 2, 16, 32), (32,)), {"groups": 2, "padding": 1}),
    Case(F.conv2d, ((2, 6, 5, 6), (3, 3, 1, 12), (12,)), {"groups": 6, "padding": 1, "stride": 2}),
    Case(F.conv1d, ((2, 9, 3), (3, 3, 4), (4,)), {"padding": "causal", "dilation": 2}),
    Case(F.conv3d, ((1, 3, 4, 3, 2), (2, 2, 2, 2, 3), (3,)), {"padding": 1}),
    Case(F.conv_transpose2d, ((2, 3, 4, 4), (3, 3, 8, 4), (8,)), {"stride": 2, "padding": 1}),
    Case(F.conv_transpose1d, ((2, 5, 3), (4, 2, 3)), {"stride": 3}),
]

POOLINGS = [
    Case(F.max_pool2d, ((2, 5, 6, 3),), {"window": 3, "stride": 2, "padding": 1}),
    Case(F.max_pool2d, ((1, 5, 7, 2),), {"window": 2, "ceil_mode": True, "dilation": (1, 2)}),
    Case(F.max_pool1d, ((2, 9, 3),), {"window": 2}),
    Case(F.max_pool3d, ((1, 3, 4, 4, 2),), {"window": 2}),
    Case(F.avg_pool2d, ((2, 5, 6, 3),), {"window": (3, 2), "stride": 2, "padding": 1}),
    Case(F.avg_pool1d, ((2, 7, 3),), {"window": 3, "padding": 1, "count_include_pad": False}),
    Case(F.adaptive_avg_pool2d, ((2, 5, 6, 3),), {"output_size": 3}),
    Case(F.global_avg_pool, ((2, 5, 3, 34),)),
    Case(F.global_max_pool, ((2, 5, 3, 4),)),
]

NORMALIZATIONS = [
    Case(F.batch_norm, ((3, 4, 2, 5), (5,), (5,)), tolerance=5e-6),
    Case(F.batch_norm, ((150, 35),), tolerance=5e-6),
    Case(F.batch_norm, ((0, 3), (3,), (3,))),
    Case(F.instance_norm, ((3, 4, 5), (5,), (5,)), tolerance=5e-6),
    Case(F.group_norm, ((2, 3, 6), (6,), (6,)), {"groups": 2}, tolerance=5e-6),
    Case(F.layer_norm, ((9, 3, 7), (7,), (7,)), tolerance=5e-6),
    Case(F.layer_norm, ((5, 3, 7), (3, 7)), {"axis": (1, 2)}, tolerance=5e-6),
    Case(F.rms_norm, ((4, 40), (40,)), tolerance=5e-6),
]

TARGETS = np.array([0, 2, -100, 4, 1, 1, 0, 3, 4])
LOSSES = [
    Case(F.softmax, ((3, 37),)),
    Case(F.log_softmax, ((9, 5),)),
    Case(F.cross_entropy, ((9, 5),), {"targets": TARGETS}),
    Case(
        F.cross_entropy, ((3, 3, 5),), {"targets": TARGETS.reshape(3, 3), "label_smoothing": 0.1, "reduction": "none"}
    ),
    Case(F.cross_entropy, ((9, 5),), {"targets": TARGETS, "weight": np.arange(1.0, 6.0).tolist(), "reduction": "sum"}),
    Case(F.mse_loss, ((3, 7), (3, 7))),
    Case(F.mse_loss, ((3, 7), (3, 7)), {"reduction": "none"}),
    Case(F.dropout, ((5, 7),), {"rate": 0.5, "key": Key(3)}),
    Case(F.flatten, ((3, 2, 2),)),
]

UPDATES = [
    Update("sgd", lambda v, g: sgd_update(v, g, learning_rate=0.1, weight_decay=0.01), 2),
    Update("momentum", lambda v, g, m: sgd_update(v, g, m, learning_rate=0.1, momentum=0.9), 3),
    Update("nesterov", lambda v, g, m: sgd_update(v, g, m, learning_rate=0.1, momentum=0.9, nesterov=True), 3),
    Update("rmsprop", lambda v, g, s: rmsprop_update(v, g, s, learning_rate=0.1), 3),
    Update("adam", lambda v, g, m, s: adam_update(v, g, m, s, updates=3, learning_rate=0.1, weight_decay=0.01), 4),
    Update("adamw", lambda v, g, m, s: adam_update(v, g, m, s, updates=3, learning_rate=0.1, decoupled=True), 4),
    Update(
        "centered rmsprop",
        lambda v, g, s, w: rmsprop_update(v, g, s, zeros_like(v), w, learning_rate=0.1, momentum=0.5, centered=True),
        4,
    ),
    Update("inference", lambda x, mean, var: F.batch_norm(x.reshape(1, 37), mean=mean, var=var), 3),
    Update(
        "inference gradient", lambda x, m, v: F.batch_norm.vjp(x.reshape(1, 37), mean=m, var=v)[1](x.reshape(1, 37)), 3
    ),
    Update("follow", lambda running, batch: follow(running, batch, 0.1), 2),
    Update("norm", lambda *arrays: np.asarray(global_norm(arrays), np.float32), 2),
    Update("clip", lambda *arrays: clip_by_global_norm(arrays, 0.5)[0], 2),
    Update("add", lambda one, other: one + other, 2),
]

CASES = [*ACTIVATIONS, *CONVOLUTIONS, *POOLINGS, *NORMALIZATIONS, *LOSSES, *UPDATES]
CASES += [*RECURRENT, *SEQUENCE_LOSSES]
