"""Recurrent networks on the device and on the CPU: sequences of unequal lengths, both ways, with and without states."""

import dataclasses
import unittest.mock
from collections.abc import Callable

import numpy as np

import neurojit.functional as F
from neurojit.core.cuda import to_host
from neurojit.functional import device_recurrence


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
    by_step: bool = False  # a product for each step, as where many sequences or large states ask for it
    tolerance: float = 4e-6

    def __str__(self):
        flags = [name for name in ("with_tokens", "ragged", "by_step") if getattr(self, name)]
        what = [*self.given, *self.options, *flags]
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
        most = 0 if self.by_step else device_recurrence._MOST_ROWS
        with unittest.mock.patch.object(device_recurrence, "_MOST_ROWS", most):
            y, backward = self.op.vjp(*arguments, **options)
            dy = nested(y, lambda part: move(rng.standard_normal(part.shape).astype(dtype)))
            return leaves([y, backward(dy)])

    def value(self, dtype, move):
        """The results of the plain call."""
        arguments, options = self._arguments(np.random.default_rng(0), dtype, move)
        return leaves(self.op(*arguments, **options))


@dataclasses.dataclass(frozen=True)
class Call:
    """A call with one array of normal draws that has a gradient, after other arguments; `options` are the rest."""

    op: Callable
    shape: tuple
    before: tuple = ()
    options: dict = dataclasses.field(default_factory=dict)
    tolerance: float = 4e-6

    def __str__(self):
        options = ",".join(f"{name}={value}" for name, value in self.options.items() if isinstance(value, str | bool))
        return f"{self.op.__name__}-{'x'.join(map(str, self.shape))}-{options}"

    def _array(self, rng, dtype, move):
        x = rng.standard_normal(self.shape)
        if self.op is F.ctc_loss:
            x -= np.log(np.exp(x).sum(axis=-1, keepdims=True))
        return move(x.astype(dtype))

    def run(self, dtype, move):
        """The result and the gradient."""
        rng = np.random.default_rng(0)
        y, backward = self.op.vjp(*self.before, self._array(rng, dtype, move), **self.options)
        dy = np.asarray(rng.standard_normal(y.shape)).astype(dtype)
        return leaves([y, backward(move(dy) if dy.ndim else dy)])

    def value(self, dtype, move):
        """The result of the plain call."""
        rng = np.random.default_rng(0)
        return leaves(self.op(*self.before, self._array(rng, dtype, move), **self.options))


@dataclasses.dataclass(frozen=True)
class Film(Recurrent):
    """F.conv_lstm on a film of two images."""

    shared: bool = False

    def _arguments(self, rng, dtype, move):
        def draw(*shape):
            return move(rng.standard_normal(shape).astype(dtype))

        state = (1, 2, 3, 2)
        arrays = draw(1, 2, 2, 3, 1), draw(*state), draw(*state), draw(1, 3, 1, 8), draw(3, 1, 2, 8), draw(8)
        return arrays, {"peephole": draw(3, 2) if self.shared else draw(3, 2, 3, 2)}


PEEPHOLE = {"peephole": (3, UNITS)}
AFTER = {"reset_after": True}
BIAS = {"bias_hh": (3 * UNITS,)}
# Steps by themselves whose kernels other cases have: no races need to be looked for again.
BY_STEP = [
    Recurrent(F.lstm, 4, 2, given=PEEPHOLE, ragged=True, by_step=True),
    Recurrent(F.gru, 3, options=AFTER, given=BIAS, ragged=True, by_step=True),
]
RECURRENT = [
    Recurrent(F.rnn, 1, ragged=True),
    Recurrent(F.rnn, 1, options={"activation": "relu"}, with_tokens=True),
    Recurrent(F.rnn, 1, ragged=True, by_step=True),
    Recurrent(F.lstm, 4, 2, given=PEEPHOLE, ragged=True),
    Recurrent(F.lstm, 3, 2, options={"coupled": True}, given=PEEPHOLE),
    Recurrent(F.gru, 3, options=AFTER, given=BIAS, ragged=True),
    Recurrent(F.gru, 3, given=BIAS, ragged=True),
    Film(F.conv_lstm, 4, 2),
]

CLASSES = np.array([[0, 2, -100], [4, 1, 1], [0, 3, 4]])
# A path too short for its labels, repeated ones, none at all, and more steps than lie between two settlings.
LABELS = np.array([[1, 2, 2, 0], [3, 3, 3, 3], [2, 0, 0, 0], [1, 1, 1, 1]])
UNALIGNED = {"targets": LABELS, "input_lengths": [11, 6, 9, 10], "target_lengths": [3, 4, 1, 0]}
SEQUENCE_LOSSES = [
    Call(F.embedding, (7, 3), (np.array([[1, 0, 3], [1, 1, 5]]),)),
    Call(F.embedding, (2, 3), (np.zeros((0, 2), np.int64),)),
    Call(F.nll_loss, (3, 3, 5), options={"targets": CLASSES}),
    Call(
        F.nll_loss,
        (9, 5),
        options={"targets": CLASSES.ravel(), "reduction": "none", "weight": np.arange(1.0, 6).tolist()},
    ),
    Call(F.ctc_loss, (4, 11, 4), options=UNALIGNED | {"zero_infinity": True}),
    Call(F.ctc_loss, (4, 11, 4), options=UNALIGNED | {"reduction": "none"}),
    Call(F.ctc_loss, (2, 2, 3), options={"targets": [1], "input_lengths": [0, 2], "target_lengths": [0, 1]}),
]
