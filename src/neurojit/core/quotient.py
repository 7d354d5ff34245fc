"""Quotients of SIMD vectors (core/vector.py) that may be wrong in the last bit, in half the time of a division."""

from llvmlite import ir

from neurojit.core import simd
from neurojit.core.jit import cgutils, intrinsic

_WORD = ir.IntType(32)
_ESTIMATED = 16  # lanes of a register of AVX-512's, which has good estimates of reciprocals


@intrinsic
def quotient(typing_context, a, b):
    """a / b within a unit in the last place, for b that is neither tiny nor huge.

    Registers of float32 are divided by way of AVX-512's estimate of 1 / b, made exact by two corrections: a division
    takes twice as long.
    """
    estimates = a.dtype.bitwidth == 32 and simd.lanes("float32") == _ESTIMATED

    def codegen(context, builder, signature, arguments):
        if not estimates:
            return builder.fdiv(*arguments)
        parts = zip(*(_registers(builder, v, a.count) for v in arguments), strict=True)
        return _joined(builder, [_estimated_quotient(builder, *pair) for pair in parts])

    return a(a, b), codegen


def _registers(builder, value, count):
    """The vectors of one register each that a vector is made of."""
    starts = range(0, count, _ESTIMATED)
    places = (ir.Constant(ir.VectorType(_WORD, _ESTIMATED), list(range(i, i + _ESTIMATED))) for i in starts)
    return [builder.shuffle_vector(value, value, at) for at in places]


def _joined(builder, parts):
    """One vector of a power of two of vectors."""
    while len(parts) > 1:
        count = 2 * parts[0].type.count
        every = ir.Constant(ir.VectorType(_WORD, count), list(range(count)))
        parts = [builder.shuffle_vector(low, high, every) for low, high in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _estimated_quotient(builder, a, b):
    def fused(*values):
        function_type = ir.FunctionType(a.type, [a.type] * 3)
        name = f"llvm.fma.v{_ESTIMATED}f32"
        return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), values)

    mask = ir.IntType(_ESTIMATED)
    function_type = ir.FunctionType(a.type, [a.type, a.type, mask])
    estimate = cgutils.get_or_insert_function(builder.module, function_type, "llvm.x86.avx512.rcp14.ps.512")
    guess = builder.call(estimate, [b, ir.Constant(a.type, [0.0] * _ESTIMATED), ir.Constant(mask, -1)])
    opposite, one = builder.fneg(b), ir.Constant(a.type, [1.0] * _ESTIMATED)
    guess = fused(guess, fused(opposite, guess, one), guess)
    found = builder.fmul(a, guess)
    return fused(fused(opposite, found, a), guess, found)
