"""What estimators with a reservoir share: their options and the reservoir made from them."""

import numbers

import numpy as np
from sklearn.base import BaseEstimator

from neurojit.core.cuda import current_target
from neurojit.core.device import check_thread_count
from neurojit.core.random import Key
from neurojit.estimators.options import STEPS, Flag, Number, OneOf, device_of
from neurojit.reservoirs import make_reservoir
from neurojit.reservoirs.matrices import check_matrix_options
from neurojit.reservoirs.reservoir import ACTIVATIONS

_POSITIVE_INTEGER = Number("an integer >= 1", numbers.Integral, 1)
_ANY = Number("a finite number", numbers.Real, -np.inf, exclusive=True)
_NOT_NEGATIVE = Number("a finite number >= 0", numbers.Real, 0)

CONSTRAINTS = {
    "n_units": _POSITIVE_INTEGER,
    "spectral_radius": Number("a finite number > 0", numbers.Real, 0, exclusive=True),
    "leak_rate": Number("a number above 0, at most 1", numbers.Real, 0, below=np.nextafter(1, 2), exclusive=True),
    "bias_scaling": _ANY,
    "activation": OneOf(tuple(ACTIVATIONS)),
    "washout": STEPS,
    "feedback": Flag(),
    "feedback_scaling": _ANY,
    "teacher_scaling": _ANY,
    "teacher_shift": _ANY,
    "noise": _NOT_NEGATIVE,
    "n_layers": _POSITIVE_INTEGER,
    "input_to_readout": Flag(),
    "verbose": Number("a truth value or an integer >= 0", numbers.Integral, 0, truth=True),
}
_DTYPES = ("float32", "float64")


class ReservoirEstimator(BaseEstimator):
    """Base of the estimators that run series through a `Reservoir`; a subclass lists all options in its constructor."""

    _computes_on_cuda = True

    def _check_options(self):
        """Raise TypeError or ValueError unless every option is one it knows; the message names it."""
        options = self.get_params(deep=False)
        for name, constraint in CONSTRAINTS.items():
            if name in options:
                constraint.check(name, options[name])
        if self.fan_in is not None:
            _POSITIVE_INTEGER.check("fan_in", self.fan_in)
        check_matrix_options(self.n_units, self.topology, self.fan_in, self.density, self.distribution)
        check_dtype(self.dtype)
        if options.get("ridge") is not None:
            check_ridge(self.ridge)
        check_common(self)

    def _make_reservoir(self, n_inputs, n_feedback=0):
        """The reservoir for so many inputs, its random weights drawn from `random_state`."""
        options = self.get_params(deep=False)
        names = "n_units spectral_radius leak_rate input_scaling bias_scaling fan_in density topology distribution"
        given = {name: options[name] for name in [*names.split(), "input_fan_in", "activation", "n_layers"]}
        if n_feedback:
            given["n_feedback"] = n_feedback
            given["feedback_scaling"] = self.feedback_scaling * self.teacher_scaling
            given["feedback_shift"] = self.feedback_scaling * self.teacher_shift
        self._key = Key.from_random_state(self.random_state)
        return make_reservoir(n_inputs, dtype=self.dtype, random_state=self._key, **given).to(device_of(self))


def check_dtype(dtype):
    """Raise ValueError or TypeError unless it is float32 or float64."""
    try:
        name = np.dtype(dtype).name
    except TypeError:
        raise TypeError(f"dtype: got {dtype!r}, wanted one of {', '.join(_DTYPES)}") from None
    if name not in _DTYPES:
        raise ValueError(f"dtype: got {dtype!r}, wanted one of {', '.join(_DTYPES)}")


def check_ridge(ridge):
    """Raise TypeError or ValueError unless it is a penalty or several."""
    values = [ridge] if np.ndim(ridge) == 0 else list(ridge)
    if not values:
        raise ValueError("ridge: got no value, wanted a number >= 0 or several")
    for value in values:
        _NOT_NEGATIVE.check("ridge", value)


def check_common(estimator):
    """Raise TypeError or ValueError unless device, threads and seed can be used."""
    OneOf(("cpu", "cuda", "auto")).check("device", getattr(estimator, "device", "cpu"))
    if getattr(estimator, "device", "cpu") == "cuda":
        current_target()
    if estimator.n_threads is not None:
        check_thread_count(estimator.n_threads)
    if isinstance(estimator.random_state, numbers.Integral):
        Key.from_random_state(estimator.random_state)
