"""The shape every differentiable function has: `op(...)` gives the value, `op.vjp(...)` the value and its pullback.

The name and meaning are JAX's: for y = f(x), the pullback takes dL/dy to dL/dx, a vector-Jacobian product.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import on_device
from neurojit.functional import devices

P = ParamSpec("P")
Y = TypeVar("Y")


def op(*differentiable: str, tokens: str | None = None) -> "Callable[[Callable[P, Y]], Op[P, Y]]":
    """Make an operation of an array function; its pullback is declared after it.

    Parameters
    ----------
    *differentiable : str
        The arguments that have gradients, in the order of the signature.
    tokens : str or None, default=None
        One of them that may be integers instead, which have none: on the host even where the others are on the device.

    Returns
    -------
    callable
        A decorator, which turns the function into an `Op`.

    Raises
    ------
    TypeError
        If these are not arguments of the function, in its order.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.functional import op
    >>> @op("x", "slope")
    ... def scale(x, slope):
    ...     return x * slope
    >>> @scale.define_vjp
    ... def _(x, slope):
    ...     def pullback(dy, wrt):  # wrt: one bool for each differentiable argument
    ...         dx = dy * slope if wrt[0] else None
    ...         dslope = dy * x if wrt[1] else None
    ...         return dx, dslope
    ...
    ...     return x * slope, pullback
    >>> y, backward = scale.vjp(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    >>> backward(np.ones(2))
    (array([3., 4.]), array([1., 2.]))
    """
    return lambda function: Op(function, differentiable, tokens)


class Op(Generic[P, Y]):
    """A differentiable array function.

    Calling it gives the value and keeps nothing. `vjp` takes the same arguments and gives the value and
    ``backward(dy, wrt=None)``, which returns the gradients of the arrays that were given, in the order of the
    signature; a single one comes bare. The decorator `op` makes one.

    Parameters
    ----------
    function : callable
        Computes the value.
    differentiable : tuple of str
        The arguments that have gradients, in the order of the signature.
    tokens : str or None, default=None
        One of them that may be integers instead.

    Raises
    ------
    TypeError
        If these are not arguments of the function, in its order.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.relu.differentiable
    ('x',)
    >>> y, backward = F.relu.vjp(np.array([-1.0, 2.0]))
    >>> y, backward(np.ones(2))
    (array([0., 2.]), array([0., 1.]))
    """

    __name__: str
    _algorithm: Callable[..., str] | None = None
    _stream: Callable[..., Any] | None = None

    def __init__(self, function: Callable[P, Y], differentiable: tuple[str, ...], tokens: str | None = None) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self.differentiable = differentiable
        self.tokens = tokens
        self.signature = inspect.signature(function)
        names = list(self.signature.parameters)
        if [name for name in names if name in differentiable] != list(differentiable):
            raise TypeError(f"{function.__name__}: {differentiable} are not arguments in the order of {names}")
        self._places = [names.index(name) for name in differentiable]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Y:
        if devices.is_host_call(args, kwargs):
            return self._function(*args, **kwargs)
        call = devices.DeviceCall(self, args, kwargs)
        return call.returned(self._function(*call.args, **call.kwargs))

    def __repr__(self) -> str:
        return f"<neurojit.functional.{self.__name__}{self.signature}>"

    def __reduce__(self) -> str:
        return self.__name__  # pickled and copied by name, as functions are

    def define_vjp(self, function: Callable[..., Any]) -> "Op[P, Y]":
        """Declare the function that computes the value and a pullback over all differentiable arguments."""
        self._vjp = function
        return self

    def define_algorithm(self, function: Callable[..., str]) -> "Op[P, Y]":
        """Declare the function that says which way the value would be computed."""
        self._algorithm = function
        return self

    def define_stream(self, function: Callable[..., Any]) -> "Op[P, Y]":
        """Declare the function that makes a stream of the operation's next steps, from all arguments but the first."""
        self._stream = function
        return self

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        """The operation as a function of one step of its first argument after another; it takes all the others.

        Returns
        -------
        RecurrentStream

        Raises
        ------
        TypeError
            If the operation does not go step by step.
        """
        if self._stream is None:
            raise TypeError(f"{self.__name__} does not go step by step")
        if not devices.is_host_call(args, kwargs):
            raise NotImplementedError(f"{self.__name__}.stream: got arrays on the device, wanted them on the host")
        return self._stream(*args, **kwargs)

    def algorithm(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """How a call with these arguments would compute its value, in words; nothing is computed.

        Returns
        -------
        str

        Raises
        ------
        TypeError
            If there is but one way.
        """
        if self._algorithm is None:
            raise TypeError(f"{self.__name__} has one algorithm only")
        return self._algorithm(*args, **kwargs)

    def vjp(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Y, Callable[..., Any]]:
        """The value and its pullback.

        Returns
        -------
        y : numpy.ndarray or tuple
            What calling the function returns.
        backward : callable
            ``backward(dy, wrt=None)``: `dy` has the shape (and nesting) of `y`; `wrt` is one bool for each gradient,
            and where it is False no work is done and None stands in the gradient's place.
        """
        given = [
            (args[place] if place < len(args) else kwargs.get(name)) is not None
            for name, place in zip(self.differentiable, self._places, strict=True)
        ]
        if not devices.is_host_call(args, kwargs):
            call = devices.DeviceCall(self, args, kwargs)
            y, backward = self._with_pullback(call.args, call.kwargs, given)
            return call.returned(y), lambda dy, wrt=None: call.returned(backward(devices.taken(dy), wrt))
        return self._with_pullback(args, kwargs, given)

    def _with_pullback(self, args, kwargs, given):
        """`vjp` of arrays that are all of the house's own kinds; `given` says which differentiable ones are there."""
        y, pullback = self._vjp(*args, **kwargs)

        def backward(dy, wrt=None):
            wanted = _spread(wrt, given, self.__name__)
            gradients = pullback(_canonical_like(dy, y, "dy"), wanted)
            gradients = tuple(g for g, is_given in zip(gradients, given, strict=True) if is_given)
            return gradients[0] if len(gradients) == 1 else gradients

        return y, backward


def _spread(wrt, given, name):
    """One bool for each differentiable argument, from one for each array given."""
    if wrt is None:
        return tuple(given)
    if isinstance(wrt, bool):
        wrt = (wrt,)
    if len(wrt) != sum(given):
        raise ValueError(f"wrt: got {len(wrt)} values {wrt!r}, wanted {sum(given)}, one for each array given to {name}")
    asked = iter(wrt)
    return tuple(bool(next(asked)) if is_given else False for is_given in given)


def _canonical_like(dy, y, name):
    """`dy` checked against `y`: the same nesting, shapes and precision."""
    if not isinstance(y, tuple):
        if on_device(y) != on_device(dy):
            raise TypeError(f"{name}: got {type(dy).__name__}, wanted {type(y).__name__} like the result")
        y = y if on_device(y) else np.asarray(y)
        return canonical(dy, name, dtype=y.dtype, shape=y.shape)
    if not isinstance(dy, tuple) or len(dy) != len(y):
        raise ValueError(
            f"{name}: got {type(dy).__name__}, wanted a tuple of {len(y)} gradients, nested like the results"
        )
    return tuple(
        _canonical_like(part, whole, f"{name}[{i}]") for i, (part, whole) in enumerate(zip(dy, y, strict=True))
    )
