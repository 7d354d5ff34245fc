"""What is computed on the device and compared with the CPU: one table for the emulator and for real hardware.

A case is an operation with its arrays, which are drawn, and its options. Shapes are small and odd, as the emulator
takes a microsecond for what a GPU does in a picosecond; `large` ones are for hardware.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

import neurojit.functional as F


@dataclasses.dataclass(frozen=True)
class Case:
    """A call: `arrays` are shapes of normal draws (the op's differentiable arguments), `options` the other arguments."""

    op: Callable
    arrays: tuple
    options: dict = dataclasses.field(default_factory=dict)
    tolerance: float = 2e-6  # of the largest value, in float32

    def __str__(self):
        options = ",".join(f"{name}={value}" for name, value in self.options.items() if not isinstance(value, np.ndarray))
        return f"{self.op.__name__}-{'-'.join('x'.join(map(str, shape)) for shape in self.arrays)}-{options}"

    def draw(self, dtype):
        """The arrays, the same ones each time."""
        rng = np.random.default_rng(0)
        return [rng.standard_normal(shape).astype(dtype) for shape in self.arrays]


ACTIVATIONS = [
    *(Case(op, ((3, 7),)) for op in (F.relu, F.elu, F.celu, F.selu, F.silu, F.sigmoid, F.tanh, F.softplus, F.mish)),
    *(Case(op, ((3, 7),)) for op in (F.gelu, F.leaky_relu, F.hard_sigmoid, F.hard_swish, F.thresholded_relu)),
    Case(F.gelu, ((3, 7),), {"approximate": True}),
    Case(F.relu, ((0, 5),)),
    Case(F.tanh, ((1031,),)),
]

CASES = [*ACTIVATIONS]
