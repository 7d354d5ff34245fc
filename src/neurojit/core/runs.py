"""Runs of numbers copied and added in whole vectors, from address to address: `copy`, `accumulate`, `copy_rows`."""

from llvmlite import ir

from neurojit.core.emitter import Emitter
from neurojit.core.host import ROWS
from neurojit.core.jit import intrinsic, types

__all__ = ["accumulate", "copy", "copy_rows"]


def _along(adds):
    @intrinsic
    def along(typing_context, like, source, target, count):
        """Copy (or add) `count` numbers from the address `source` to the address `target`; they do not overlap."""

        def codegen(context, builder, signature, arguments):
            _, source, target, count = arguments
            e = Emitter(builder, like.dtype, 1)

            def move(first, masks):
                at = e.scale(first)
                values = e.load(e.add(source, at), masks)
                if adds:
                    held = e.load(e.add(target, at), masks)
                    values = [builder.fadd(h, v) for h, v in zip(held, values, strict=True)]
                e.store(values, e.add(target, at), masks)

            e.along(count, move)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 3), codegen

    return along


copy, accumulate = _along(adds=False), _along(adds=True)


@intrinsic
def copy_rows(typing_context, like, source, target):
    """Copy as many numbers as a tile has rows from the address `source` to the address `target`."""

    def codegen(context, builder, signature, arguments):
        _, source, target = arguments
        e = Emitter(builder, like.dtype, 1)
        pointer = ir.VectorType(e.scalar, ROWS).as_pointer()
        values = builder.load(builder.inttoptr(source, pointer), align=e.bytes)
        builder.store(values, builder.inttoptr(target, pointer), align=e.bytes)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 2), codegen
