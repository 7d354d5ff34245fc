"""What a CUDA kernel is written in.

A kernel is a plain Python function. The names below stand in it for the device's own, and annotations say of what type
its arguments are. Before it is compiled, or run by the emulator of the tests, `rebuilt` makes a copy of it in which
other things stand in the names' place.
"""

import dataclasses
import dis
import types
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np


class Name:
    """Stands in a kernel for something that only a device has."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name

    def __getattr__(self, attribute):
        raise AttributeError(f"{self.name}.{attribute} is known to compiled or emulated kernels only")


cuda: Any = Name("cuda")  # numba.cuda
load4: Any = Name("load4")  # load4(array, i): array[i : i + 4] as a tuple, one 16-byte load a precision of 4 bytes
store4: Any = Name("store4")  # store4(array, i, values): array[i : i + 4] = values; i is a multiple of 4 in both
add4: Any = Name("add4")  # add4(array, i, values): array[i : i + 4] += values, each by itself atomic; i a multiple of 4
quotient: Any = Name("quotient")  # quotient(a, b): a // b in 32 bits, for 0 <= a < 2**31 and 0 < b < 2**31


class DeviceFunction:
    """A function that kernels call."""

    def __init__(self, function):
        self.function = function
        self.__doc__ = function.__doc__

    def __repr__(self):
        return f"<device function {self.function.__name__}>"


def device_function(function):
    """Make a function callable from kernels."""
    return DeviceFunction(function)


# -- types of arguments -----------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Array:
    """A C-contiguous array argument; `dtype` None is the precision of the call."""

    ndim: int
    dtype: str | None = None

    def signature(self, precision):
        axes = ", ".join([":"] * (self.ndim - 1) + ["::1"])
        return f"{self.dtype or precision}[{axes}]"


@dataclasses.dataclass(frozen=True)
class Scalar:
    """A number; `dtype` None is the precision of the call."""

    dtype: str | None = None

    def signature(self, precision):
        return self.dtype or precision

    def convert(self, value, precision):
        return np.dtype(self.dtype or precision).type(value)


@dataclasses.dataclass(frozen=True)
class Numbers:
    """`count` integers."""

    count: int

    def signature(self, precision):
        return f"UniTuple(int32, {self.count})"

    def convert(self, value, precision):
        return tuple(np.int32(v) for v in value)


@dataclasses.dataclass(frozen=True)
class Reals:
    """`count` numbers in the precision of the call."""

    count: int

    def signature(self, precision):
        return f"UniTuple({precision}, {self.count})"

    def convert(self, value, precision):
        return tuple(np.dtype(precision).type(v) for v in value)


class Complement:
    """A number b, as the pair (b, 1 - b), each rounded once: near 1 the difference would lose its digits."""

    def signature(self, precision):
        return f"UniTuple({precision}, 2)"

    def convert(self, value, precision):
        kind = np.dtype(precision).type
        return kind(value), kind(1.0 - value)


if TYPE_CHECKING:  # annotations of kernels are data, which mean nothing to a type checker
    Floats: TypeAlias = Any
    Matrix: TypeAlias = Any
    Ints: TypeAlias = Any
    Longs: TypeAlias = Any
    Pairs: TypeAlias = Any
    Float: TypeAlias = Any
    Int: TypeAlias = Any
    Long: TypeAlias = Any
    Word: TypeAlias = Any
    Bits: TypeAlias = Any
    Triple: TypeAlias = Any
    Dozen: TypeAlias = Any
    Eight: TypeAlias = Any
    Words: TypeAlias = Any
    Seeds: TypeAlias = Any
    Share: TypeAlias = Any
else:
    Floats, Matrix = Array(1), Array(2)
    Ints, Longs, Pairs = Array(1, "int32"), Array(1, "int64"), Array(2, "int32")
    Float, Int, Long = Scalar(), Scalar("int32"), Scalar("int64")
    Word, Bits = Scalar("uint32"), Scalar("uint64")
    Words, Seeds = Array(1, "uint32"), Array(1, "uint64")
    Triple, Dozen, Eight, Share = Numbers(3), Numbers(12), Reals(8), Complement()


def parameters(function):
    """From the name of each parameter of a kernel to its type.

    Raises
    ------
    TypeError
        If a parameter is not annotated with one of the types above.
    """
    code, annotations = function.__code__, function.__annotations__
    found = {}
    for name in code.co_varnames[: code.co_argcount]:
        kind = annotations.get(name)
        if not isinstance(kind, Array | Scalar | Numbers | Reals | Complement):
            raise TypeError(f"{function.__name__}: {name} has type {kind!r}, wanted one of neurojit.core.cuda's")
        found[name] = kind
    return found


# -- other things in the names' place ---------------------------------------------------------------------------------


def rebuilt(function, replace):
    """A copy of a kernel, or of a function it calls, with ``replace(value)`` for every global and closed-over value."""
    code = function.__code__
    names = _names(code)
    scope = {name: replace(value) for name, value in function.__globals__.items() if name in names}
    scope["__builtins__"] = function.__globals__["__builtins__"]
    scope["__name__"] = function.__module__
    cells = tuple(types.CellType(replace(cell.cell_contents)) for cell in function.__closure__ or ())
    copy = types.FunctionType(code, scope, function.__name__, function.__defaults__, cells)
    copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
    return copy


def _names(code):
    """The global names of a function and of those inside it; attributes of the same name are none."""
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    own = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    return own.union(*(_names(part) for part in inner))
