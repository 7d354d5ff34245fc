"""Extreme learning machines: one hidden layer of random weights, and a linear readout."""

import numbers

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from neurojit import functional as F
from neurojit.core.device import threads
from neurojit.core.random import Key
from neurojit.estimators.inputs import naming
from neurojit.estimators.linear_mixins import ManyOutputs, ScoredClasses
from neurojit.estimators.options import Number, OneOf
from neurojit.estimators.reservoir_options import check_common, check_dtype, check_ridge
from neurojit.estimators.saved import Saved, labels_from_state, labels_state
from neurojit.estimators.targets import check_labels, check_values, find_classes, given_classes
from neurojit.reservoirs import NormalEquations, press

_FUNCTIONS = {"sigmoid": F.sigmoid, "tanh": F.tanh, "relu": F.relu}
_CONSTRAINTS = {
    "activation": OneOf((*_FUNCTIONS, "rbf")),
    "input_scaling": Number("a finite number > 0", numbers.Real, 0, exclusive=True),
    "bias_scaling": Number("a finite number >= 0", numbers.Real, 0),
}
_WEIGHTS, _BIASES, _CENTRES = range(3)  # sub-streams of the estimator's random key
_PIECE = 1 << 13  # rows that pass the hidden layer at a time


class ExtremeLearningMachine(Saved, BaseEstimator):
    """Base of `ExtremeLearningMachineRegressor` and `ExtremeLearningMachineClassifier`."""

    def __init__(
        self,
        n_hidden=100,
        *,
        activation="sigmoid",
        ridge=1e-6,
        input_scaling=1.0,
        bias_scaling=1.0,
        dtype="float64",
        n_threads=None,
        random_state=None,
    ):
        self.n_hidden = n_hidden
        self.activation = activation
        self.ridge = ridge
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.dtype = dtype
        self.n_threads = n_threads
        self.random_state = random_state

    def _check_options(self):
        options = self.get_params(deep=False)
        for name, constraint in _CONSTRAINTS.items():
            constraint.check(name, options[name])
        for size in np.atleast_1d(np.asarray(self.n_hidden, dtype=object)):
            Number("an integer >= 1, or several", numbers.Integral, 1).check("n_hidden", size)
        if np.ndim(self.n_hidden) == 1 and (self.ridge is not None and np.ndim(self.ridge) > 0):
            raise ValueError("ridge: got several values with several n_hidden, wanted one of the two to be chosen")
        if self.ridge is not None:
            check_ridge(self.ridge)
        check_dtype(self.dtype)
        check_common(self)

    def _check_rows(self, X, reset):
        with naming("X"):
            return validate_data(self, X, reset=reset, dtype=np.dtype(self.dtype))

    def _draw(self, X):
        """The hidden layer's weights: drawn evenly, or for "rbf" centres among the rows of X and random widths."""
        key = Key.from_random_state(self.random_state)
        size, dtype = int(np.max(self.n_hidden)), np.dtype(self.dtype)
        if self.activation == "rbf":
            rows = (key.child(_CENTRES).words(size).astype(np.uint64) * np.uint64(len(X)) >> np.uint64(32)).astype(int)
            self._weights = np.ascontiguousarray(X[rows].T, dtype)
            spread = max(float(np.var(X, axis=0).sum()), np.finfo(np.float64).tiny)
            self._biases = self.input_scaling * key.child(_BIASES).uniform(size, 0.1, 2.0, dtype) / dtype.type(spread)
        else:
            reach = float(self.input_scaling)
            self._weights = key.child(_WEIGHTS).uniform((X.shape[1], size), -reach, reach, dtype)
            self._biases = key.child(_BIASES).uniform(size, -self.bias_scaling, self.bias_scaling, dtype)

    def _hidden(self, X, size=None):
        """Outputs of the first `size` neurons for rows of X, float64."""
        weights, biases = self._weights[:, :size], self._biases[:size]
        if self.activation != "rbf":
            return _FUNCTIONS[self.activation](F.dense(X, weights, biases)).astype(np.float64)
        squares = (X * X).sum(axis=1)[:, None] - 2 * F.dense(X, weights) + (weights * weights).sum(axis=0)
        return np.exp(-biases * np.maximum(squares, 0)).astype(np.float64)

    def _fit(self, X, Y):
        """Draw the hidden layer, choose its size where several are given, and train the readout."""
        self._draw(X)
        size = int(np.max(self.n_hidden))
        self.press_ = None
        if np.ndim(self.n_hidden) == 1:
            hidden = self._hidden(X)
            sizes = sorted({int(size) for size in self.n_hidden})
            self.press_ = {size: press(hidden[:, :size], Y, self.ridge) for size in sizes}
            size = min(sizes, key=self.press_.__getitem__)
        self.n_hidden_ = size
        self._weights = np.ascontiguousarray(self._weights[:, :size])
        self._biases = self._biases[:size]
        self._sums = NormalEquations(size, Y.shape[1])
        if self.ridge is None:
            self._pseudo_inverse(self._hidden(X), Y)
        else:
            self._learn(X, Y)

    def _learn(self, X, Y):
        for start in range(0, len(X), _PIECE):
            self._sums.add(self._hidden(X[start : start + _PIECE]), Y[start : start + _PIECE])
        fit = self._sums.solve(self.ridge)
        self.coef_, self.intercept_, self.ridge_ = fit.weights.T, fit.offset, fit.ridge

    def _pseudo_inverse(self, hidden, Y):
        """The least-squares readout of least norm: Huang, Zhu and Siew 2006, equation 16."""
        rows = np.hstack([np.ones((len(hidden), 1)), hidden])
        solution = np.linalg.lstsq(rows, Y, rcond=None)[0]
        self.coef_, self.intercept_, self.ridge_ = solution[1:].T, solution[0], 0.0

    def _outputs(self, X):
        check_is_fitted(self)
        X = self._check_rows(X, reset=False)
        with threads(self.n_threads):
            parts = [self._hidden(X[start : start + _PIECE]) for start in range(0, len(X), _PIECE)]
            return np.concatenate([hidden @ self.coef_.T + self.intercept_ for hidden in parts])

    def _check_partial(self):
        self._check_options()
        if self.ridge is None:
            raise ValueError("ridge: got None (the pseudo-inverse), wanted a number for partial_fit")

    def _fitted_state(self):
        arrays = {"weights": self._weights, "biases": self._biases, "coef": self.coef_, "intercept": self.intercept_}
        plain = {"ridge": self.ridge_, "n_features": int(self.n_features_in_), "n_hidden": self.n_hidden_}
        scores = None if self.press_ is None else [[size, float(score)] for size, score in self.press_.items()]
        return {**arrays, **plain, "press": scores, "sums": self._sums.state()}

    def _restore(self, state):
        self._weights, self._biases = state["weights"], state["biases"]
        self.coef_, self.intercept_, self.ridge_ = state["coef"], state["intercept"], state["ridge"]
        self.n_features_in_, self.n_hidden_ = state["n_features"], state["n_hidden"]
        self.press_ = None if state["press"] is None else dict(state["press"])
        self._sums = NormalEquations.from_state(state["sums"])


class ExtremeLearningMachineRegressor(ManyOutputs, ExtremeLearningMachine):
    """One hidden layer of random neurons whose outputs are combined by least squares.

    y = W_out f(W x + b), with W and b drawn once: Huang, Zhu and Siew 2006, "Extreme learning machine: theory and
    applications".

    Parameters
    ----------
    n_hidden : int or sequence of int, default=100
        Neurons; of several numbers, the one with the least leave-one-out error (PRESS) is taken.
    activation : {"sigmoid", "tanh", "relu", "rbf"}, default="sigmoid"
        Of the neurons; "rbf" are Gaussians about rows of X, of random widths.
    ridge : float, sequence of float or None, default=1e-6
        Penalty of the squared readout weights; of several, generalized cross-validation chooses one; None takes the
        pseudo-inverse.
    input_scaling : float, default=1.0
        W is drawn between -input_scaling and input_scaling; for "rbf", the narrower the larger.
    bias_scaling : float, default=1.0
        b is drawn between -bias_scaling and bias_scaling.
    dtype : {"float64", "float32"}, default="float64"
        Of the hidden layer; the readout is always trained in float64.
    n_threads : int or None, default=None
    random_state : int, RandomState, Generator or None, default=None

    Attributes
    ----------
    coef_ : numpy.ndarray, shape (n_outputs, n_neurons)
    intercept_ : numpy.ndarray, shape (n_outputs,)
    n_hidden_ : int
        Neurons used.
    press_ : dict or None
        Leave-one-out error of each number of neurons that was compared.
    ridge_ : float
        The penalty used.
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> X = np.linspace(-3, 3, 200)[:, None]
    >>> model = nj.ExtremeLearningMachineRegressor(30, random_state=0).fit(X, np.sin(X[:, 0]))
    >>> bool(model.score(X, np.sin(X[:, 0])) > 0.999)
    True
    """

    def fit(self, X, y):
        """Draw the hidden layer and train the readout.

        Parameters
        ----------
        X : array-like, shape (n, n_features)
        y : array-like, shape (n,) or (n, n_outputs)

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            Before any work, if an argument or an option is wrong; the message names it.
        """
        self._check_options()
        X = self._check_rows(X, reset=True)
        y = check_values(y, X)
        self._columns = y.ndim == 2
        with threads(self.n_threads):
            self._fit(X, y.reshape(len(y), -1))
        return self

    def partial_fit(self, X, y):
        """Learn more rows; the hidden layer stays.

        Parameters
        ----------
        X, y
            As for `fit`.

        Returns
        -------
        self
        """
        self._check_partial()
        if not hasattr(self, "coef_"):
            return self.fit(X, y)
        X = self._check_rows(X, reset=False)
        y = check_values(y, X)
        with threads(self.n_threads):
            self._learn(X, y.reshape(len(y), -1))
        return self

    def predict(self, X):
        """The outputs for rows of X.

        Parameters
        ----------
        X : array-like, shape (n, n_features)

        Returns
        -------
        numpy.ndarray, shape (n,) or (n, n_outputs)
        """
        y = self._outputs(X)
        return y if self._columns else y[:, 0]

    def _fitted_state(self):
        return super()._fitted_state() | {"columns": self._columns}

    def _restore(self, state):
        super()._restore(state)
        self._columns = state["columns"]


class ExtremeLearningMachineClassifier(ScoredClasses, ExtremeLearningMachine):
    """One hidden layer of random neurons, and ridge regression to 1 for the class and 0 for the others.

    Parameters
    ----------
    n_hidden, activation, ridge, input_scaling, bias_scaling, dtype, n_threads, random_state
        As for `ExtremeLearningMachineRegressor`.

    Attributes
    ----------
    classes_ : numpy.ndarray, shape (n_classes,)
        The labels, sorted.
    coef_, intercept_, n_hidden_, press_, ridge_, n_features_in_
        As for `ExtremeLearningMachineRegressor`.

    Examples
    --------
    >>> import neurojit as nj
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = nj.ExtremeLearningMachineClassifier(50, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    def fit(self, X, y):
        """Draw the hidden layer and train the readout.

        Parameters
        ----------
        X : array-like, shape (n, n_features)
        y : array-like, shape (n,)
            Labels.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            Before any work, if an argument or an option is wrong; the message names it.
        """
        self._check_options()
        X = self._check_rows(X, reset=True)
        y = check_labels(y, X)
        self.classes_ = find_classes(y)
        with threads(self.n_threads):
            self._fit(X, self._one_hot(y))
        return self

    def partial_fit(self, X, y, classes=None):
        """Learn more rows; the hidden layer stays.

        Parameters
        ----------
        X, y
            As for `fit`.
        classes : array-like, shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.

        Returns
        -------
        self
        """
        self._check_partial()
        first = not hasattr(self, "coef_")
        X = self._check_rows(X, reset=first)
        y = check_labels(y, X)
        self.classes_ = given_classes(classes, getattr(self, "classes_", None))
        Y = self._one_hot(y)
        with threads(self.n_threads):
            self._fit(X, Y) if first else self._learn(X, Y)
        return self

    def _scores(self, X):
        return self._outputs(X)

    def _fitted_state(self):
        return super()._fitted_state() | {"classes": labels_state(self.classes_)}

    def _restore(self, state):
        super()._restore(state)
        self.classes_ = labels_from_state(state["classes"])
