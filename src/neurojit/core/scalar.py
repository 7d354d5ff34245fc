"""Machine instructions on single numbers that Python has no operator for."""

from llvmlite import ir

from neurojit.core.jit import cgutils, intrinsic

__all__ = ["multiply_add"]


@intrinsic
def multiply_add(typing_context, a, b, c):
    """a b + c for three floats of one type, rounded once where the machine has an instruction for it."""

    def codegen(context, builder, signature, arguments):
        kind = arguments[0].type
        name = f"llvm.fmuladd.f{signature.return_type.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
        return builder.call(function, arguments)

    return a(a, b, c), codegen
