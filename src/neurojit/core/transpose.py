"""Rows of a matrix as columns, through registers."""

from llvmlite import ir

from neurojit.core.emitter import Emitter
from neurojit.core.jit import intrinsic, types


def _transposed(builder, rows):
    """The square of vectors `rows`, transposed: its quarters, then theirs, and so on."""
    size = len(rows)
    rows = list(rows)
    half = size // 2
    while half:
        for i in range(size):
            if i & half:
                continue
            first, second = rows[i], rows[i + half]
            low = [j if not j & half else size + j - half for j in range(size)]
            high = [j + half if not j & half else size + j for j in range(size)]
            rows[i], rows[i + half] = (
                builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(ir.IntType(32), size), order))
                for order in (low, high)
            )
        half //= 2
    return rows


@intrinsic
def transpose(typing_context, like, source, count, columns, target, stride):
    """target[j * stride + i] = source[i * columns + j] for i < count and j < columns.

    like : array of the element type.
    source, count, columns : address of a matrix, its rows and columns; these are a multiple of the lanes. Rows that
        fill up the last square of lanes are read.
    target, stride : address of the result, and elements from one of its rows to the next.
    """

    def codegen(context, builder, signature, arguments):
        _, source, count, columns, target, stride = arguments
        e = Emitter(builder, like.dtype, 1)
        lanes, row, stride = e.constant(e.lanes), e.scale(columns), e.scale(stride)

        def square(i, masks):
            at = e.add(source, builder.mul(i, row))

            def part(j, _):
                first = e.scale(builder.mul(j, lanes))
                rows = [e.load(e.add(at, first, builder.mul(e.constant(r), row)))[0] for r in range(e.lanes)]
                into = e.add(target, e.scale(i), builder.mul(builder.mul(j, lanes), stride))
                for c, column in enumerate(_transposed(builder, rows)):
                    e.store([column], e.add(into, builder.mul(e.constant(c), stride)), masks)
                return []

            e.loop(builder.sdiv(columns, lanes), [], part, "part")

        e.along(count, square)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 5), codegen
