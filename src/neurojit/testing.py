"""Checks of derivatives, for this library's own operations and layers and for yours."""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from neurojit.functional.op import Op
from neurojit.layers.base import INFERENCE, Layer

__all__ = ["gradcheck"]


def gradcheck(
    f: Any,
    *arrays: Any,
    wrt: Sequence[str | bool] | None = None,
    eps: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    max_entries: int = 200,
    **options: Any,
) -> None:
    """Compare a pullback with central differences, in float64.

    With a random dy of the result's shape, every entry of the gradients that ``f.vjp`` gives has to equal

        sum(dy * (f(x + eps e_i) - f(x - eps e_i))) / (2 eps)

    up to rounding. Checked as well: that ``f.vjp`` gives the same value as the call, that the gradients have the shapes
    of their arrays, that the pullback gives the same again when called again and when only some gradients are asked
    for, and that inputs are left alone.

    Parameters
    ----------
    f : Op, Layer or callable with ``vjp``
        An operation of `neurojit.functional`; a layer, whose trainable parameters are then checked along with its
        input; or any function ``f(*arrays, **options)`` with ``f.vjp(*arrays, **options)`` giving the value and the
        pullback from dy to the gradients of its arrays of floats.
    *arrays : array-like or (nested) tuple of arrays
        The arguments; those that are differentiated are copied to float64. For a layer: the batch.
    wrt : sequence of str or of bool or None, default=None
        Which gradients to check: names of arguments or parameters, or one bool for each, as the pullback takes.
        None checks all.
    eps : float, default=1e-6
        Step of the differences.
    rtol, atol : float, default=1e-5 and 1e-7
        An entry is right when ``abs(analytic - numeric) <= atol + rtol * abs(numeric)``.
    max_entries : int, default=200
        Entries that are checked one by one in each array; of a larger one, as many drawn at random, and the
        derivative of all entries together along a random direction.
    **options
        Keyword arguments of `f`, arrays or not; for a layer: `mode`.

    Raises
    ------
    AssertionError
        If a gradient is wrong; names the argument and its worst entry, with the analytic and the numeric value.
    TypeError
        If `f` has no ``vjp``.
    ValueError
        If `wrt` names no argument with a gradient, or a layer was built in another precision than float64.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.testing import gradcheck
    >>> class Square:
    ...     def __call__(self, x):
    ...         return x**2
    ...
    ...     def vjp(self, x):
    ...         return x**2, lambda dy: x * dy
    >>> gradcheck(Square(), np.array([1.0, 2.0]))
    Traceback (most recent call last):
    ...
    AssertionError: Square: gradient of x at (1,): analytic -0.26421, numeric -0.528419, 2 of 2 entries wrong
    """
    if not callable(getattr(f, "vjp", None)):
        raise TypeError(f"f: got {type(f).__name__}, wanted an operation, a layer or a function with vjp")
    kind = _LayerUnderTest if isinstance(f, Layer) else _OpUnderTest if isinstance(f, Op) else _FunctionUnderTest
    subject = kind(f, arrays, options)
    checked = _choose(wrt, subject.variables)
    before = {name: array.copy() for name, array in subject.variables.items()}
    rng = np.random.default_rng(0)

    y, backward = subject.vjp()
    _check_close(y, subject.value(), f"{subject.name}: vjp's value", "the call's")
    dy = _map(lambda part: _cotangent(part, rng), y)
    gradients = backward(dy)
    _check_gradients_fit(gradients, subject)
    for name in checked:
        variable, gradient = subject.variables[name], gradients[name]
        differences = _Differences(subject.value, variable, dy, eps)
        _check_entries(subject.name, name, gradient, differences, (rtol, atol), max_entries, rng)
        if subject.takes_wrt:
            alone = backward(dy, name)
            _check_close(
                alone[name], gradient, f"{subject.name}: gradient of {name} asked for alone", "the full pullback's"
            )
    _check_close(backward(dy), gradients, f"{subject.name}: the gradients of a second call of backward", "the first's")
    for name, array in subject.variables.items():
        if array.tobytes() != before[name].tobytes():
            raise AssertionError(f"{subject.name}: {name} was modified")


class _FunctionUnderTest:
    """A function with vjp: every array of floats among its arguments has a gradient."""

    takes_wrt = False

    def __init__(self, f, args, options):
        self.f = f
        self.name = getattr(f, "__name__", type(f).__name__)
        self.bound = inspect.signature(f).bind(*args, **options)
        given = self.bound.arguments
        self.differentiable = [name for name, value in given.items() if self.has_gradient(name, value)]
        given.update({name: _float64(given[name]) for name in self.differentiable})
        self.variables = _leaves({name: given[name] for name in self.differentiable})

    def has_gradient(self, name, value):
        return _has_floats(value)

    def value(self):
        return self.f(*self.bound.args, **self.bound.kwargs)

    def vjp(self):
        y, pullback = self.f.vjp(*self.bound.args, **self.bound.kwargs)

        def backward(dy, only=None):
            return self.by_name(pullback(dy) if only is None else pullback(dy, self.mask(only)))

        return y, backward

    def mask(self, only):
        """What the pullback's `wrt` has to be for the gradient of one variable."""
        return tuple(only == name or only.startswith(f"{name}[") for name in self.differentiable)

    def by_name(self, gradients):
        """The gradients of a pullback as a dict by the variable's name."""
        names = self.differentiable
        gradients = (gradients,) if len(names) == 1 else gradients
        if not isinstance(gradients, tuple) or len(gradients) != len(names):
            raise AssertionError(f"{self.name}: the pullback gave {gradients!r}, wanted gradients of {names}")
        return _leaves(dict(zip(names, gradients, strict=True)))


class _OpUnderTest(_FunctionUnderTest):
    """An operation, which says itself which of its arguments have gradients."""

    takes_wrt = True

    def has_gradient(self, name, value):
        return name in self.f.differentiable and value is not None


class _LayerUnderTest:
    """A layer: its input, unless that is of integers, and its trainable parameters have gradients."""

    takes_wrt = True

    def __init__(self, layer, args, options):
        if len(args) != 1 or options.keys() - {"mode"}:
            raise TypeError(
                f"arrays: got {len(args)} and options {sorted(options)}, wanted one batch and at most 'mode'"
            )
        self.layer = layer
        self.name = type(layer).__name__
        self.mode = options.get("mode", INFERENCE)
        self.has_dx = _has_floats(args[0])
        self.x = _float64(args[0]) if self.has_dx else args[0]
        layer.ensure_built(self.x)
        self.parameters = {name: p for name, p in layer.named_parameters().items() if p.trainable}
        for name, parameter in self.parameters.items():
            if parameter.value.dtype != np.float64:
                raise ValueError(f"f: got parameter {name} in {parameter.value.dtype}, wanted a layer made in float64")
        self.buffers = {name: buffer.copy() for name, buffer in layer.named_buffers().items()}
        self.variables = _leaves({"x": self.x}) if self.has_dx else {}
        self.variables |= {name: parameter.value for name, parameter in self.parameters.items()}

    def value(self):
        y = self.layer.forward(self.x, self.mode)
        self.restore_buffers()
        return y

    def vjp(self):
        y, pullback = self.layer.vjp(self.x, self.mode)
        self.restore_buffers()

        def backward(dy, only=None):
            need_dx = self.has_dx and (only is None or only not in self.parameters)
            dx, gradients = pullback(dy, need_dx)
            found = {name: gradients[p] for name, p in self.parameters.items() if p in gradients}
            return _leaves({"x": dx}) | found

        return y, backward

    def restore_buffers(self):
        """Undo what a pass did to running statistics, so that all passes compute the same function."""
        for name, buffer in self.layer.named_buffers().items():
            buffer[...] = self.buffers[name]


class _Differences:
    """Central differences of sum(dy * f) in one array, which is changed in place and put back."""

    def __init__(self, value, variable, dy, eps):
        self.value = value
        self.variable = variable
        self.dy = dy
        self.eps = eps

    def entry(self, i):
        step = np.zeros_like(self.variable)
        step.flat[i] = self.eps
        return self.along(step)

    def along(self, step):
        start = self.variable.copy()
        self.variable[...] = start + step
        above = _map(np.array, self.value())
        self.variable[...] = start - step
        below = _map(np.array, self.value())
        self.variable[...] = start
        change = _map(lambda up, down, dy: np.sum((up - down) * dy), above, below, self.dy)
        return float(sum(_leaves({"": change}).values())) / (2 * self.eps)


def _check_entries(subject, name, gradient, differences, tolerances, max_entries, rng):
    """Raise AssertionError at the worst of an array's entries if it is wrong."""
    size, shape = gradient.size, gradient.shape
    entries = np.arange(size) if size <= max_entries else rng.choice(size, max_entries, replace=False)
    numeric = np.array([differences.entry(i) for i in entries])
    analytic = gradient.reshape(-1)[entries]
    excess = _excess(analytic, numeric, *tolerances)
    if np.any(excess > 0):
        worst = int(np.argmax(excess))
        at = tuple(int(i) for i in np.unravel_index(entries[worst], shape))
        raise AssertionError(
            f"{subject}: gradient of {name} at {at}: analytic {analytic[worst]:.6g}, numeric {numeric[worst]:.6g},"
            f" {np.count_nonzero(excess > 0)} of {len(entries)} entries wrong"
        )
    if size > max_entries:
        direction = rng.standard_normal(shape)
        analytic, numeric = float(np.sum(gradient * direction)), differences.along(differences.eps * direction)
        if _excess(analytic, numeric, *tolerances) > 0:
            raise AssertionError(
                f"{subject}: gradient of {name} along a random direction: analytic {analytic:.6g},"
                f" numeric {numeric:.6g}"
            )


def _excess(analytic, numeric, rtol, atol):
    """By how much the error is over its tolerance; inf where a value is not finite."""
    excess = np.abs(analytic - numeric) - (atol + rtol * np.abs(numeric))
    return np.where(np.isfinite(excess), excess, np.inf)


def _check_gradients_fit(gradients, subject):
    """Raise AssertionError unless there is a gradient of each variable's shape."""
    for name, variable in subject.variables.items():
        gradient = gradients.get(name)
        got = None if gradient is None else (gradient.shape, str(gradient.dtype))
        if got != (variable.shape, str(variable.dtype)):
            raise AssertionError(
                f"{subject.name}: gradient of {name}: got {got}, wanted {variable.shape}, {variable.dtype}"
            )


def _check_close(got, wanted, what, reference):
    """Raise AssertionError unless two nested results agree but for rounding."""
    got, wanted = _leaves({"": got}), _leaves({"": wanted})
    if got.keys() != wanted.keys():
        raise AssertionError(f"{what}: got parts {sorted(got)}, {reference} has {sorted(wanted)}")
    for key, array in wanted.items():
        rounding = 1e-10 * np.max(np.abs(array), initial=1.0)
        if got[key].shape != array.shape or not np.allclose(got[key], array, rtol=0, atol=rounding, equal_nan=True):
            raise AssertionError(f"{what}: got {got[key]}, {reference} is {array}")


def _choose(wrt, variables):
    """The names of the variables to check."""
    if wrt is None:
        return list(variables)
    wrt = [wrt] if isinstance(wrt, str | bool) else list(wrt)
    if len(wrt) == len(variables) and all(isinstance(wanted, bool) for wanted in wrt):
        return [name for name, wanted in zip(variables, wrt, strict=True) if wanted]
    unknown = [name for name in wrt if name not in variables]
    if unknown:
        raise ValueError(f"wrt: got {unknown}, wanted names from {list(variables)}, or {len(variables)} bools")
    return wrt


def _cotangent(part, rng):
    """A random dL/dy for one result; zero for integers, which have no derivative."""
    part = np.asarray(part)
    return rng.standard_normal(part.shape) if part.dtype.kind == "f" else np.zeros_like(part)


def _map(function, *trees):
    """Apply a function to the leaves of equally nested tuples (or lists)."""
    if isinstance(trees[0], tuple | list):
        return type(trees[0])(_map(function, *parts) for parts in zip(*trees, strict=True))
    return function(*trees)


def _leaves(named):
    """All arrays of a dict of nested tuples, the nested ones under names such as state[0]; None is left out."""
    found = {}
    for name, value in named.items():
        if isinstance(value, tuple | list):
            found |= _leaves({f"{name}[{i}]": part for i, part in enumerate(value)})
        elif isinstance(value, dict):
            found |= _leaves({f"{name}.{key}" if name else key: part for key, part in value.items()})
        elif value is not None:
            found[name] = np.asarray(value)
    return found


def _has_floats(value):
    if isinstance(value, tuple | list):
        return any(_has_floats(part) for part in value)
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _float64(value):
    """A float64 copy of an array, or of every array in nested tuples."""
    if isinstance(value, tuple | list) and _has_floats(value):
        return type(value)(_float64(part) for part in value)
    return np.array(value, np.float64)
