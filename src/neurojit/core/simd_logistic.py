"""The logistic loss and its slope for a run of numbers, a vector register at a time."""

from llvmlite import ir

from neurojit.core.emitter import Emitter
from neurojit.core.jit import cgutils, intrinsic, types

FACTORS = 100  # numbers up to 2 whose product is no float's overflow

_LEAST = -87.0  # exp of less is no normal number
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
# exp(r) = 1 + r + r^2 p(r) for |r| <= ln(2) / 2, to 2 units in the last place (Moshier, Cephes, expf).
_POLYNOMIAL = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)


def _call(e, name, *arguments):
    """Call LLVM's function of vectors `name` on some registers."""
    kind = ir.FunctionType(e.vector, [e.vector] * len(arguments))
    function = cgutils.get_or_insert_function(e.builder.module, kind, f"llvm.{name}.v{e.lanes}f{8 * e.bytes}")
    return e.builder.call(function, arguments)


def _constants(e, *values):
    return [ir.Constant(e.vector, [value] * e.lanes) for value in values]


def _exp(e, x):
    """exp(x) for registers x <= 0."""
    if e.bytes == 8:
        return _call(e, "exp", x)
    least, log2_e, high, low, one = _constants(e, _LEAST, _LOG2_E, -_LN2_HIGH, -_LN2_LOW, 1.0)
    x = e.builder.select(e.builder.fcmp_ordered("<", x, least), least, x)  # a NaN stays one
    n = _call(e, "rint", e.builder.fmul(x, log2_e))
    r = _call(e, "fmuladd", n, low, _call(e, "fmuladd", n, high, x))
    p, *rest = _constants(e, *_POLYNOMIAL)
    for coefficient in rest:
        p = _call(e, "fmuladd", p, r, coefficient)
    p = e.builder.fadd(_call(e, "fmuladd", e.builder.fmul(p, r), r, r), one)
    integers = ir.VectorType(ir.IntType(32), e.lanes)
    bias, place = (ir.Constant(integers, [value] * e.lanes) for value in (127, 23))
    exponent = e.builder.shl(e.builder.add(e.builder.fptosi(n, integers), bias), place)
    return e.builder.fmul(p, e.builder.bitcast(exponent, e.vector))


@intrinsic
def logistic_slopes(typing_context, like, x, signs, count, rate, sums):
    """Losses -log sigmoid(s x), summed up; x becomes -rate times their slope, rate s sigmoid(-s x). 0 where s = 0.

    With t = -s x and u = exp(-|t|), sigmoid(t) is 1 / (1 + u) or u / (1 + u), and the loss max(t, 0) + log(1 + u). The
    logarithm is left to the caller, who takes it of a product.

    like : array of the element type.
    x, signs, count : addresses of numbers and of their signs s: 1, -1 or 0; how many, at least one. Read, and in x
        written, up to a whole register.
    rate : of the element type.
    sums : address of two registers: the max(t, 0) are added to the first one, the second is multiplied by the 1 + u.
    """

    def codegen(context, builder, signature, arguments):
        _, x, signs, count, rate, sums = arguments
        e = Emitter(builder, like.dtype, 1)
        zero, one = _constants(e, 0.0, 1.0)
        rates = e.splat(rate)
        register = e.constant(e.lanes * e.bytes)

        def step(j, state):
            ((above, product),) = state
            offset = builder.mul(j, register)
            place = e.add(x, offset)
            (mask,) = e.masks(builder.sub(count, builder.mul(j, e.constant(e.lanes))))
            s = builder.select(mask, e.load(e.add(signs, offset))[0], zero)
            t = builder.fneg(builder.fmul(s, e.load(place)[0]))
            u = _exp(e, builder.fneg(_call(e, "fabs", t)))
            both = builder.fadd(one, u)
            is_above = builder.fcmp_ordered(">", t, zero)
            share = builder.fdiv(builder.select(is_above, one, u), both)
            e.store([builder.fmul(builder.fmul(rates, s), share)], place)
            above = builder.fadd(above, builder.select(is_above, t, zero))
            return [[above, builder.fmul(product, _call(e, "fmuladd", builder.fmul(s, s), u, one))]]

        registers = builder.udiv(e.add(count, e.constant(e.lanes - 1)), e.constant(e.lanes))
        second = e.add(sums, register)
        ((above, product),) = e.loop(registers, [[e.load(sums)[0], e.load(second)[0]]], step, "slopes")
        e.store([above], sums)
        e.store([product], second)
        return context.get_dummy_value()

    return types.void(like, types.intp, types.intp, types.intp, like.dtype, types.intp), codegen
