"""The trained part of an echo state network behind one face, whatever trains it."""

import numpy as np
from sklearn.base import clone

from neurojit.reservoirs import LMS, RLS, NormalEquations, OnlineReadout
from neurojit.reservoirs.online import RULES


def make_readout(readout, ridge, n_features, n_outputs, state=None):
    """What the option `readout` asks for: None (ridge regression), a rule or its name, or a scikit-learn estimator.

    `state` is what the ``state`` method of such a readout gave, where it is to know already what that one knew.
    """
    if readout is None:
        sums = NormalEquations(n_features, n_outputs) if state is None else NormalEquations.from_state(state)
        return RidgeReadout(sums, ridge)
    if isinstance(readout, str):
        readout = RULES[readout]()
    if isinstance(readout, RLS | LMS):
        online = readout.start(n_features, n_outputs)
        if state is not None:
            online.w, online.p = state["w"], state["p"]
        return RuleReadout(online)
    return FittedReadout(clone(readout))


def check_readout(readout):
    """Raise TypeError or ValueError unless `make_readout` knows it."""
    wanted = "None, 'rls', 'lms', 'force', an RLS, LMS or FORCE, or a scikit-learn estimator"
    if isinstance(readout, str) and readout not in RULES:
        raise ValueError(f"readout: got {readout!r}, wanted {wanted}")
    if isinstance(readout, RLS | LMS):
        readout.check()
    elif not (readout is None or isinstance(readout, str) or (hasattr(readout, "fit") and hasattr(readout, "predict"))):
        raise TypeError(f"readout: got {readout!r}, wanted {wanted}")


class RidgeReadout:
    """Ridge regression from streamed sums."""

    def __init__(self, sums, ridge):
        self.sums, self.ridge = sums, ridge
        self.fit = None

    def add(self, z, y):
        self.sums.add(z, y)

    def finish(self):
        self.fit = self.sums.solve(self.ridge)

    def state(self):
        return self.sums.state()

    @property
    def linear(self):
        """Weights (n_outputs, n_features) and offset."""
        return self.fit.weights.T, self.fit.offset

    def predict(self, z):
        return z @ self.fit.weights + self.fit.offset


class RuleReadout:
    """RLS, LMS or FORCE."""

    def __init__(self, online: OnlineReadout):
        self.online = online

    def add(self, z, y):
        self.online.add(z, y)

    def finish(self):
        pass

    def state(self):
        return {"w": self.online.w, "p": self.online.p}

    @property
    def linear(self):
        return np.ascontiguousarray(self.online.w[:, 1:]), np.ascontiguousarray(self.online.w[:, 0])

    def predict(self, z):
        return z @ self.online.w[:, 1:].T + self.online.w[:, 0]


class FittedReadout:
    """A scikit-learn estimator: all rows are kept until it is fitted."""

    linear = None

    def __init__(self, estimator):
        self.estimator = estimator
        self.rows, self.targets = [], []

    def add(self, z, y):
        self.rows.append(z)
        self.targets.append(y)

    def finish(self):
        z, y = np.concatenate(self.rows), np.concatenate(self.targets)
        self.estimator.fit(z, y[:, 0] if y.shape[1] == 1 else y)
        self.rows, self.targets = [], []

    def predict(self, z):
        y = self.estimator.predict(z)
        return y.reshape(len(z), -1)
