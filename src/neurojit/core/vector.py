"""SIMD vectors as values in kernels: load, compute, store, many lanes at a time.

LLVM makes vector code of plain loops by itself, but each entry into such a loop costs tests whether arrays overlap, a
remainder, and results that go to memory and back. Where an inner loop is as short as the channels of one pixel, that is
most of the time, and finding it out is most of the time to compile. A kernel that works on vectors says what it wants.

`wide` (some registers) and `narrow` (one) make a vector of zeros of an array's element type; the other functions take
the number of lanes from a vector they are given. `load` and `store` move the first `count` lanes alone, so that the
last channels of a pixel need no other code; where LLVM sees that `count` is all of them, nothing is masked. Vectors of
one kind are added, subtracted and multiplied with the usual operators. Indices are not checked.
"""

import operator

from llvmlite import ir
from numba.core import typing
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import models, register_model

from neurojit.core import emitter, simd
from neurojit.core.jit import cgutils, intrinsic, types

__all__ = [
    "Vector",
    "at_least",
    "lanes",
    "larger",
    "load",
    "magnitude",
    "multiply_add",
    "narrow",
    "pair",
    "positions",
    "power_of_two",
    "rolled",
    "splat",
    "store",
    "total",
    "where_equal",
    "where_negative",
    "whole_registers",
    "wide",
    "with_sign",
]

_REGISTERS = 4  # in a wide vector
_LEAST_LANES = 4  # where the machine has no vectors that are known, LLVM makes what it can of these
_WORD = ir.IntType(32)


class Vector(types.Type):
    """The type of a vector of `count` numbers of an element type."""

    def __init__(self, dtype, count):
        self.dtype, self.count = dtype, count
        super().__init__(name=f"vector({count} x {dtype})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    """A vector is one value of LLVM's."""

    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.VectorType(manager[kind.dtype].get_value_type(), kind.count))


# -- making vectors ---------------------------------------------------------------------------------------------------


def _constant(context, kind, value):
    """A vector with the same known number in every lane."""
    return ir.Constant(context.get_value_type(kind), [value] * kind.count)


def _zeros(registers):
    @intrinsic
    def zeros(typing_context, array):
        """A vector of zeros of an array's element type."""
        kind = Vector(array.dtype, registers * max(simd.lanes(array.dtype.name), _LEAST_LANES))

        def codegen(context, builder, signature, arguments):
            return _constant(context, kind, 0)

        return kind(array), codegen

    return zeros


wide = _zeros(_REGISTERS)
pair = _zeros(2)  # the steps of one register's long sums and those of the other's overlap
narrow = _zeros(1)


@intrinsic
def lanes(typing_context, vector):
    """How many numbers a vector holds."""

    def codegen(context, builder, signature, arguments):
        return ir.Constant(ir.IntType(64), vector.count)

    return types.int64(vector), codegen


@intrinsic
def splat(typing_context, value, like):
    """A number in every lane of a vector like `like`."""

    def codegen(context, builder, signature, arguments):
        return emitter.splat(builder, context.cast(builder, arguments[0], value, like.dtype), like.count)

    return like(value, like), codegen


@intrinsic
def positions(typing_context, value, like):
    """An int32 in every lane of a vector that has as many as `like`."""
    kind = Vector(types.int32, like.count)

    def codegen(context, builder, signature, arguments):
        return emitter.splat(builder, context.cast(builder, arguments[0], value, types.int32), kind.count)

    return kind(value, like), codegen


# -- memory -----------------------------------------------------------------------------------------------------------


def _pointer(context, builder, array_type, array, index, kind):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), context.get_value_type(kind).as_pointer())


def _mask(builder, kind, count):
    """Which lanes are among the first `count`."""
    lane = ir.Constant(ir.VectorType(_WORD, kind.count), list(range(kind.count)))
    return builder.icmp_signed("<", lane, emitter.splat(builder, builder.trunc(count, _WORD), kind.count))


def _masked(builder, what, kind, function_type):
    """LLVM's masked load or store for a kind of vector."""
    letter = "f" if isinstance(kind.dtype, types.Float) else "i"
    name = f"llvm.masked.{what}.v{kind.count}{letter}{kind.dtype.bitwidth}.p0"
    return cgutils.get_or_insert_function(builder.module, function_type, name)


def _alignment(kind):
    return ir.Constant(_WORD, kind.dtype.bitwidth // 8)


@intrinsic
def load(typing_context, array, index, count, like):
    """array[index : index + count] in the first lanes of as many as `like` has; the others are 0 and not read."""
    kind = Vector(array.dtype, like.count)

    def codegen(context, builder, signature, arguments):
        pointer = _pointer(context, builder, array, arguments[0], arguments[1], kind)
        mask, vector = _mask(builder, kind, arguments[2]), context.get_value_type(kind)
        function_type = ir.FunctionType(vector, [pointer.type, _WORD, mask.type, vector])
        function = _masked(builder, "load", kind, function_type)
        return builder.call(function, [pointer, _alignment(kind), mask, _constant(context, kind, 0)])

    return kind(array, types.int64, types.int64, like), codegen


@intrinsic
def store(typing_context, array, index, count, vector):
    """array[index : index + count] = the first lanes of a vector."""

    def codegen(context, builder, signature, arguments):
        pointer = _pointer(context, builder, array, arguments[0], arguments[1], vector)
        mask, value = _mask(builder, vector, arguments[2]), arguments[3]
        function_type = ir.FunctionType(ir.VoidType(), [value.type, pointer.type, _WORD, mask.type])
        builder.call(_masked(builder, "store", vector, function_type), [value, pointer, _alignment(vector), mask])
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64, vector), codegen


# -- arithmetic -------------------------------------------------------------------------------------------------------


def _define(operation, instruction):
    """Let an operator of Python's on two vectors of floats of one kind be an instruction of LLVM's."""

    @infer_global(operation)
    class _Rule(AbstractTemplate):
        def generic(self, args, kws):
            fits = len(args) == 2 and isinstance(args[0], Vector) and args[0] == args[1]
            return typing.signature(args[0], *args) if fits else None

    @lower_builtin(operation, Vector, Vector)
    def _lower(context, builder, signature, arguments):
        return getattr(builder, instruction)(*arguments)


_define(operator.add, "fadd")
_define(operator.sub, "fsub")
_define(operator.mul, "fmul")
_define(operator.truediv, "fdiv")


def _call(builder, name, kind, arguments):
    """Call LLVM's function of that name for a kind of vector."""
    values = [argument.type for argument in arguments]
    full_name = f"llvm.{name}.v{kind.count}f{kind.dtype.bitwidth}"
    return builder.call(
        cgutils.get_or_insert_function(builder.module, ir.FunctionType(values[0], values), full_name), arguments
    )


@intrinsic
def multiply_add(typing_context, a, b, c):
    """a b + c, rounded once where the machine has an instruction for it."""

    def codegen(context, builder, signature, arguments):
        return _call(builder, "fmuladd", a, arguments)

    return a(a, b, c), codegen


@intrinsic
def magnitude(typing_context, v):
    """|v|."""

    def codegen(context, builder, signature, arguments):
        return _call(builder, "fabs", v, arguments)

    return v(v), codegen


@intrinsic
def with_sign(typing_context, v, of):
    """|v| with the sign of another vector."""

    def codegen(context, builder, signature, arguments):
        return _call(builder, "copysign", v, arguments)

    return v(v, of), codegen


@intrinsic
def at_least(typing_context, v, least):
    """v, or `least` in lanes where v is smaller; a NaN stays one."""

    def codegen(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered("<", *arguments), arguments[1], arguments[0])

    return v(v, least), codegen


@intrinsic
def where_negative(typing_context, v, a, b):
    """a in lanes where v < 0, b in the others."""

    def codegen(context, builder, signature, arguments):
        value, a, b = arguments
        zero = _constant(context, v, 0)
        return builder.select(builder.fcmp_ordered("<", value, zero), a, b)

    return a(v, a, b), codegen


@intrinsic
def power_of_two(typing_context, shifted):
    """2^n for the integer n that the sum n + 1.5 * 2^m has in its low bits, m the bits of a fraction.

    n has to be an exponent of normal numbers.
    """
    width, fraction, bias = (32, 23, 127) if shifted.dtype.bitwidth == 32 else (64, 52, 1023)

    def codegen(context, builder, signature, arguments):
        integer = ir.IntType(width)
        integers = ir.VectorType(integer, shifted.count)
        bits = builder.bitcast(arguments[0], integers)
        bits = builder.add(bits, ir.Constant(integers, [bias] * shifted.count))
        bits = builder.shl(bits, ir.Constant(integers, [fraction] * shifted.count))  # what stands above n falls out
        return builder.bitcast(bits, context.get_value_type(shifted))

    return shifted(shifted), codegen


@intrinsic
def total(typing_context, vector):
    """The sum of all lanes, added up by halves."""

    def codegen(context, builder, signature, arguments):
        value, count = arguments[0], vector.count
        while count > 1:
            count //= 2
            low, high = (
                ir.Constant(ir.VectorType(_WORD, count), list(range(start, start + count))) for start in (0, count)
            )
            value = builder.fadd(builder.shuffle_vector(value, value, low), builder.shuffle_vector(value, value, high))
        return builder.extract_element(value, ir.Constant(_WORD, 0))

    return vector.dtype(vector), codegen


@intrinsic
def larger(typing_context, v, here, best, where):
    """(v, here) in lanes where v > best or v is a NaN, (best, where) in the others."""
    kind = types.Tuple((v, here))

    def codegen(context, builder, signature, arguments):
        v, here, best, where = arguments
        taken = builder.or_(builder.fcmp_ordered(">", v, best), builder.fcmp_unordered("uno", v, v))
        chosen = [builder.select(taken, v, best), builder.select(taken, here, where)]
        return context.make_tuple(builder, kind, chosen)

    return kind(v, here, best, where), codegen


@intrinsic
def where_equal(typing_context, a, b, v):
    """v in lanes where the integers a and b are equal, 0 in the others."""

    def codegen(context, builder, signature, arguments):
        a, b, value = arguments
        return builder.select(builder.icmp_signed("==", a, b), value, _constant(context, v, 0))

    return v(a, b, v), codegen


# -- loops ------------------------------------------------------------------------------------------------------------


@intrinsic
def rolled(typing_context):
    """Keep LLVM from copying the loop this stands in, by unrolling or for the outcomes of a test.

    What vectors do in one round is enough; copies only take time to compile.
    """

    def codegen(context, builder, signature, arguments):
        call = builder.call(ir.InlineAsm(ir.FunctionType(ir.VoidType(), []), "", "", side_effect=True), [])
        call.attributes.add("convergent")  # such a call may not be moved under another condition
        call.attributes.add("nounwind")
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def whole_registers(typing_context):
    """Have the vector code that LLVM makes of loops in this function by itself take the registers this module takes.

    On some processors LLVM takes half of them, lest the clock slow down, as it did on the first with such wide ones.
    """

    def codegen(context, builder, signature, arguments):
        if simd.lanes("float32") > 1:
            attribute = f'"prefer-vector-width"="{32 * simd.lanes("float32")}"'
            set.add(builder.function.attributes, attribute)  # `add` of its own knows attributes without a value alone
        return context.get_dummy_value()

    return types.void(), codegen
