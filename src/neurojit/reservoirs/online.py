"""Readouts that learn step by step, as the data come: RLS, LMS and FORCE."""

import dataclasses

import numpy as np

from neurojit.kernels.cpu import online_readout as kernels
from neurojit.reservoirs.reservoir import check_finite


@dataclasses.dataclass(frozen=True)
class RLS:
    """Recursive least squares: after each step the readout is the ridge regression on all steps so far.

    Parameters
    ----------
    ridge : float, default=1e-6
        The penalty, of the intercept too: P starts as I / ridge.
    forgetting : float, default=1.0
        Below 1, a step n steps ago counts forgetting^n.

    Examples
    --------
    >>> from neurojit.reservoirs import RLS
    >>> RLS(forgetting=0.999)
    RLS(ridge=1e-06, forgetting=0.999)
    """

    ridge: float = 1e-6
    forgetting: float = 1.0

    def check(self):
        """Raise ValueError unless the numbers can be used."""
        if not 0 < self.ridge < np.inf:
            raise ValueError(f"ridge: got {self.ridge!r}, wanted a finite number > 0")
        if not 0 < self.forgetting <= 1:
            raise ValueError(f"forgetting: got {self.forgetting!r}, wanted a number above 0, at most 1")

    def start(self, n_features, n_outputs):
        """A readout that knows nothing yet; one weight for the constant feature, then `n_features`."""
        return OnlineReadout(self, np.zeros((n_outputs, 1 + n_features)), np.eye(1 + n_features) / self.ridge)


@dataclasses.dataclass(frozen=True)
class FORCE(RLS):
    """RLS inside the loop: what is fed back is the network's own output, from the first step on.

    Sussillo and Abbott 2009, "Generating coherent patterns of activity from chaotic neural networks", Neuron 63.

    Parameters
    ----------
    ridge : float, default=1.0
    forgetting : float, default=1.0

    Examples
    --------
    >>> from neurojit.reservoirs import FORCE
    >>> FORCE()
    FORCE(ridge=1.0, forgetting=1.0)
    """

    ridge: float = 1.0


@dataclasses.dataclass(frozen=True)
class LMS:
    """Least mean squares: a step down the gradient of each squared error (Widrow and Hoff 1960).

    Parameters
    ----------
    learning_rate : float, default=1e-3
        Stable below 2 over the squared length of a row of features.

    Examples
    --------
    >>> from neurojit.reservoirs import LMS
    >>> LMS()
    LMS(learning_rate=0.001)
    """

    learning_rate: float = 1e-3

    def check(self):
        """Raise ValueError unless the number can be used."""
        if not 0 < self.learning_rate < np.inf:
            raise ValueError(f"learning_rate: got {self.learning_rate!r}, wanted a finite number > 0")

    def start(self, n_features, n_outputs):
        """A readout that knows nothing yet; one weight for the constant feature, then `n_features`."""
        return OnlineReadout(self, np.zeros((n_outputs, 1 + n_features)), np.zeros((0, 0)))


RULES = {"rls": RLS, "lms": LMS, "force": FORCE}


class OnlineReadout:
    """A linear readout and what its rule remembers.

    Parameters
    ----------
    rule : RLS, FORCE or LMS
    w : numpy.ndarray, shape (n_outputs, 1 + n_features)
        Offset and weights.
    p : numpy.ndarray, shape (1 + n_features, 1 + n_features)
        Of RLS and FORCE: the running inverse of Z'Z.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import RLS
    >>> readout = RLS(ridge=1e-9).start(1, 1)
    >>> z = np.arange(5.0)[:, None]
    >>> readout.add(z, 2 * z + 1)
    >>> readout.w.round(6)
    array([[1., 2.]])
    """

    def __init__(self, rule, w, p):
        self.rule, self.w, self.p = rule, w, p

    def add(self, z, y):
        """Learn rows (n_rows, n_features) and their targets (n_rows, n_outputs), one after the other."""
        z = np.hstack([np.ones((len(z), 1)), z])
        y = np.ascontiguousarray(y, np.float64)
        if isinstance(self.rule, LMS):
            kernels.lms(z, y, float(self.rule.learning_rate), self.w)
        else:
            kernels.rls(z, y, float(self.rule.forgetting), self.w, self.p)

    def force(self, reservoir, u, y, state, last, inputs_to_readout):
        """Learn a series in the closed loop; `state` and `last`, the output, are moved on.

        Raises
        ------
        FloatingPointError
            If the output is no longer finite; it says at which step.
        """
        done = kernels.force(
            np.ascontiguousarray(u, reservoir.dtype),
            *reservoir.weights(),
            np.ascontiguousarray(y, np.float64),
            float(self.rule.forgetting),
            inputs_to_readout,
            self.w,
            self.p,
            state,
            last,
        )
        check_finite(done, len(u))
