"""Runs of numbers copied and added in whole vectors, from address to address: `copy` and `accumulate`."""

from neurojit.core.emitter import Emitter
from neurojit.core.jit import intrinsic, types

__all__ = ["accumulate", "copy"]


def _along(adds):
    @intrinsic
    def along(typing_context, like, source, target, count):
        """Copy (or add) `count` numbers from the address `source` to the address `target`; they do not overlap."""

        def codegen(context, builder, signature, arguments):
            _, source, target, count = arguments
            e = Emitter(builder, like.dtype, 1)

            def move(at, masks):
                values = e.load(e.add(source, at), masks)
                if adds:
                    held = e.load(e.add(target, at), masks)
                    values = [builder.fadd(h, v) for h, v in zip(held, values, strict=True)]
                e.store(values, e.add(target, at), masks)
                return []

            lanes = e.constant(e.lanes)
            whole = builder.sdiv(count, lanes)
            e.loop(whole, [], lambda k, _: move(e.scale(builder.mul(k, lanes)), None), "whole")
            done = builder.mul(whole, lanes)
            rest = builder.sub(count, done)
            any_left = builder.zext(builder.icmp_signed(">", rest, e.constant(0)), e.int)
            e.loop(any_left, [], lambda k, _: move(e.scale(done), e.masks(rest)), "rest")
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 3), codegen

    return along


copy, accumulate = _along(adds=False), _along(adds=True)
