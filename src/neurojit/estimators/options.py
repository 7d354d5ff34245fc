"""The options of the estimators: what each may be, as data; the error messages follow from it."""

import dataclasses
import numbers

import numpy as np

from neurojit.core.cuda import current_target, is_available
from neurojit.core.device import check_thread_count
from neurojit.core.random import Key
from neurojit.layers import Layer
from neurojit.models.recurrent import CELLS
from neurojit.text.symbols import LEVELS

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("constant", "cosine")


@dataclasses.dataclass(frozen=True)
class Number:
    """A number of a kind (`numbers.Integral` or `numbers.Real`) between two bounds; `wanted` says it in words."""

    wanted: str
    kind: type
    least: float
    below: float = float("inf")
    exclusive: bool = False
    truth: bool = False  # whether True and False pass for 1 and 0

    def check(self, name, value):
        if not isinstance(value, self.kind) or (isinstance(value, bool) and not self.truth):
            raise TypeError(f"{name}: got {value!r}, wanted {self.wanted}")
        above = value > self.least if self.exclusive else value >= self.least
        if not (above and value < self.below):
            raise ValueError(f"{name}: got {value!r}, wanted {self.wanted}")


STEPS = Number("an integer >= 0", numbers.Integral, 0)


@dataclasses.dataclass(frozen=True)
class OneOf:
    """One of some words, or (where `otherwise` is given) what that constraint allows."""

    words: tuple
    otherwise: Number | None = None

    def check(self, name, value):
        if isinstance(value, str):
            if value not in self.words:
                raise ValueError(f"{name}: got {value!r}, wanted {self._wanted()}")
        elif self.otherwise is None:
            raise TypeError(f"{name}: got {value!r}, wanted {self._wanted()}")
        else:
            try:
                self.otherwise.check(name, value)
            except (TypeError, ValueError) as error:
                raise type(error)(f"{name}: got {value!r}, wanted {self._wanted()}") from None

    def _wanted(self):
        words = " or ".join(repr(word) for word in self.words)
        return words if self.otherwise is None else f"{words} or {self.otherwise.wanted}"


@dataclasses.dataclass(frozen=True)
class Flag:
    """True or False."""

    def check(self, name, value):
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name}: got {value!r}, wanted True or False")


@dataclasses.dataclass(frozen=True)
class NoneOr:
    """None, or what a constraint allows."""

    constraint: Number

    def check(self, name, value):
        if value is not None:
            self.constraint.check(name, value)


_POSITIVE_INTEGER = Number("an integer >= 1", numbers.Integral, 1)

# Those of all families of networks; an estimator has some of them.
CONSTRAINTS = {
    "level": OneOf(LEVELS),
    "cell": OneOf(CELLS),
    "units": _POSITIVE_INTEGER,
    "n_layers": _POSITIVE_INTEGER,
    "bidirectional": Flag(),
    "peephole": Flag(),
    "coupled": Flag(),
    "embedding_size": OneOf(("auto",), otherwise=_POSITIVE_INTEGER),
    "dropout": Number("a number from 0 to below 1", numbers.Real, 0, below=1),
    "standardize": Flag(),
    "min_count": _POSITIVE_INTEGER,
    "max_vocab": NoneOr(_POSITIVE_INTEGER),
    "sequence_length": _POSITIVE_INTEGER,
    "clip_norm": NoneOr(Number("None or a finite number > 0", numbers.Real, 0, exclusive=True)),
    "decoding": OneOf(("greedy", "beam")),
    "beam_width": _POSITIVE_INTEGER,
    "optimizer": OneOf(OPTIMIZERS),
    "learning_rate": Number("a finite number > 0", numbers.Real, 0, exclusive=True),
    "schedule": OneOf(SCHEDULES),
    "weight_decay": Number("a finite number >= 0", numbers.Real, 0),
    "batch_size": OneOf(("auto",), otherwise=_POSITIVE_INTEGER),
    "max_epochs": _POSITIVE_INTEGER,
    "early_stopping": Flag(),
    "validation_fraction": Number("a number between 0 and 1", numbers.Real, 0, below=1, exclusive=True),
    "n_iter_no_change": _POSITIVE_INTEGER,
    "device": OneOf(("cpu", "cuda", "auto")),
    "warm_start": Flag(),
    "verbose": Number("a truth value or an integer >= 0", numbers.Integral, 0, truth=True),
}


def check_options(estimator):
    """Raise TypeError or ValueError unless every option of an estimator is one it knows.

    The message names the option, what it got and what it wanted.
    """
    options = estimator.get_params(deep=False)
    for name, constraint in CONSTRAINTS.items():
        if name in options:
            constraint.check(name, options[name])
    if "network" in options:
        _check_network(options["network"])
    if "input_shape" in options:
        _check_input_shape(options["input_shape"])
    if options.get("cell", "lstm") != "lstm":
        for name in ("peephole", "coupled"):
            if options[name]:
                raise ValueError(f"{name}: got True for cell={options['cell']!r}, wanted False: it is part of an LSTM")
    if options.get("device", "cpu") == "cuda":
        _check_cuda(estimator)
    check_callbacks(options["callbacks"])
    if options["n_threads"] is not None:
        check_thread_count(options["n_threads"])
    if isinstance(options["random_state"], numbers.Integral):
        Key.from_random_state(options["random_state"])


def _check_cuda(estimator):
    """Raise unless the estimator has kernels for a GPU, and there is one."""
    if not getattr(estimator, "_computes_on_cuda", False):
        raise ValueError(
            f"device: got 'cuda', wanted 'cpu' or 'auto': {type(estimator).__name__} has no CUDA kernels yet"
        )
    current_target()


def device_of(estimator):
    """Where an estimator with checked options computes: "cpu" or "cuda"."""
    if estimator.device == "auto" and getattr(estimator, "_computes_on_cuda", False):
        return "cuda" if is_available() else "cpu"
    return "cuda" if estimator.device == "cuda" else "cpu"


def _check_network(network):
    if not (network is None or isinstance(network, Layer) or callable(network)):
        raise TypeError(
            f"network: got {type(network).__name__}, wanted None, a Layer,"
            " or a function (input_shape, n_outputs) that returns one"
        )


def _check_input_shape(input_shape):
    if input_shape is None:
        return
    wanted = "None, (height, width, channels) or (length, channels)"
    if not isinstance(input_shape, tuple | list) or not all(
        isinstance(size, numbers.Integral) and not isinstance(size, bool) for size in input_shape
    ):
        raise TypeError(f"input_shape: got {input_shape!r}, wanted {wanted}")
    if len(input_shape) not in (2, 3) or min(input_shape) < 1:
        raise ValueError(f"input_shape: got {input_shape!r}, wanted {wanted}")


def check_callbacks(callbacks):
    """Raise TypeError unless these are callbacks, or None."""
    from neurojit.training import Callback

    if callbacks is None:
        return
    if not isinstance(callbacks, tuple | list) or not all(isinstance(callback, Callback) for callback in callbacks):
        raise TypeError(f"callbacks: got {callbacks!r}, wanted None or a list of neurojit.training.Callback")
