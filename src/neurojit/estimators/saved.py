"""Saving of estimators whose fitted state is a dict of arrays and plain values."""

import dataclasses
import numbers
import warnings

import numpy as np
from sklearn.utils.validation import check_is_fitted

from neurojit import __version__
from neurojit.core.statefile import write_state
from neurojit.io.estimator_file import ESTIMATOR
from neurojit.reservoirs import FORCE, LMS, RLS

_RULES = {rule.__name__: rule for rule in (RLS, LMS, FORCE)}


class Saved:
    """`save` and `neurojit.load` for an estimator.

    A subclass declares ``_fitted_state()``, its fitted attributes as a nested dict of arrays and plain JSON values, and
    ``_restore(state)``, which sets them again.
    """

    def save(self, path):
        """Save the fitted estimator to one safetensors file, no pickle; `neurojit.load` gives it back.

        The loaded estimator has the same options and goes on to the same bits, in a closed loop and in `partial_fit`
        too. A random generator as `random_state` becomes None, with a warning.

        Parameters
        ----------
        path : str or os.PathLike
            Usually ending in ``.safetensors``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError
            If there is an option or a class label that cannot be written as JSON, such as a scikit-learn estimator.
        FileNotFoundError
            If the folder of `path` does not exist.
        """
        check_is_fitted(self)
        write_state(path, self.to_state(), ESTIMATOR)

    def to_state(self):
        """The fitted estimator as a nested dict of arrays and plain JSON values: what `save` writes.

        Returns
        -------
        dict
        """
        params = {name: _plain(name, value) for name, value in self.get_params(deep=False).items()}
        header = {"estimator": type(self).__name__, "neurojit": __version__, "params": params}
        names = self.feature_names_in_.tolist() if hasattr(self, "feature_names_in_") else None
        return {**header, "feature_names": names, "fitted": self._fitted_state()}

    @classmethod
    def from_state(cls, state, custom_layers=None):
        """A fitted estimator from what `to_state` gave.

        Parameters
        ----------
        state : dict
        custom_layers : object
            Not looked at: there is no network.

        Returns
        -------
        estimator
        """
        estimator = cls(**{name: _option(value) for name, value in state["params"].items()})
        estimator._restore(state["fitted"])
        if state["feature_names"] is not None:
            estimator.feature_names_in_ = np.array(state["feature_names"], dtype=object)
        return estimator


def _plain(name, value):
    """An option as JSON."""
    if name == "random_state" and not (value is None or isinstance(value, numbers.Integral)):
        warnings.warn(f"random_state: got {type(value).__name__}, a file keeps None", UserWarning, stacklevel=5)
        return None
    if name == "dtype":
        return np.dtype(value).name
    if isinstance(value, RLS | LMS):
        return {"rule": type(value).__name__, "numbers": [float(v) for v in dataclasses.astuple(value)]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | list | tuple):
        return np.asarray(value).tolist()
    if value is None or isinstance(value, str | numbers.Number):
        return value
    raise TypeError(f"{name}: got {value!r}, which a file cannot hold, wanted a plain value to save")


def _option(value):
    """An option from what `_plain` made of it."""
    return _RULES[value["rule"]](*value["numbers"]) if isinstance(value, dict) else value


def labels_state(classes):
    """Class labels as JSON."""
    return {"labels": classes.tolist(), "dtype": "object" if classes.dtype == object else classes.dtype.str}


def labels_from_state(state):
    """Class labels from what `labels_state` made of them."""
    return np.array(state["labels"], dtype=state["dtype"])
