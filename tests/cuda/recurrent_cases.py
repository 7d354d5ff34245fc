"""Recurrent networks on the device and on the CPU: sequences of unequal lengths, both ways, with and without states."""

import dataclasses
from collections.abc import Callable

import numpy as np

import neurojit.functional as F
from neurojit.core.cuda import to_host


def leaves(value):
    """All arrays in a nest of tuples, on the host."""
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in leaves(part)]
    return [] if value is None else [np.asarray(to_host(value))]


def nested(tree, make):
    """``make`` of every array in a nest of tuples."""
    return tuple(nested(part, make) for part in tree) if isinstance(tree, tuple) else make(tree)


N, T, INPUTS, UNITS, SYMBOLS = 3, 2, 2, 5, 4


@dataclasses.dataclass(frozen=True)
class Recurrent:
    """A call of F.rnn, F.lstm or F.gru: `gates` and `states` say what arrays it takes, `given` what it takes beside
    them, by name and shape.
    """

    op: Callable
    gates: int
    states: int = 1
    options: dict = dataclasses.field(default_factory=dict)
    given: dict = dataclasses.field(default_factory=dict)
    with_tokens: bool = False
    ragged: bool = False
    tolerance: float = 4e-6

    def __str__(self):
        what = [*self.given, *self.options, *(["tokens"] if self.with_tokens else []), *(["ragged"] * self.ragged)]
        return "-".join([self.op.__name__, str(self.gates), *what])

    def _arguments(self, rng, dtype, move):
        def draw(*shape):
            return move(rng.standard_normal(shape).astype(dtype))

        columns = self.gates * UNITS
        if self.with_tokens:
            x, states, rows = rng.integers(0, SYMBOLS, (N, T)), [None] * self.states, SYMBOLS
        else:
            x, states, rows = draw(N, T, INPUTS), [draw(N, UNITS) for _ in range(self.states)], INPUTS
        weights = draw(rows, columns), draw(UNITS, columns), draw(columns)
        options = self.options | {name: draw(*shape) for name, shape in self.given.items()}
        if self.ragged:
            mask = 2.0 * (rng.random((N, UNITS)) > 0.4)
            options |= {"lengths": np.array([2, 1, 2]), "reverse": True, "recurrent_mask": mask.astype(dtype)}
        return (x, *states, *weights), options

    def run(self, dtype, move):
        """The results and all gradients."""
        rng = np.random.default_rng(0)
        arguments, options = self._arguments(rng, dtype, move)
        y, backward = self.op.vjp(*arguments, **options)
        dy = nested(y, lambda part: move(rng.standard_normal(part.shape).astype(dtype)))
        return leaves([y, backward(dy)])

    def value(self, dtype, move):
        """The results of the plain call."""
        arguments, options = self._arguments(np.random.default_rng(0), dtype, move)
        return leaves(self.op(*arguments, **options))


PEEPHOLE = {"peephole": (3, UNITS)}
AFTER = {"reset_after": True}
RECURRENT = [
    Recurrent(F.rnn, 1),
    Recurrent(F.rnn, 1, options={"activation": "relu"}, with_tokens=True),
    Recurrent(F.lstm, 4, 2, with_tokens=True),
    Recurrent(F.lstm, 4, 2, given=PEEPHOLE, ragged=True),
    Recurrent(F.lstm, 3, 2, options={"coupled": True}, given=PEEPHOLE),
    Recurrent(F.gru, 3, ragged=True, given={"bias_hh": (3 * UNITS,)}),
    Recurrent(F.gru, 3, options=AFTER, given={"bias_hh": (3 * UNITS,)}, ragged=True),
]
