"""The binary tile: products of numbers that are +1 or -1, 64 to a word, by exclusive or and counting of bits.

A bit is 1 where the number is negative. Two numbers multiply to -1 where their bits differ, so the product of two
vectors of `size` signs is size - 2 popcount(a ^ b).
"""

from llvmlite import ir

from neurojit.core.emitter import Emitter
from neurojit.core.host import ROWS, VECTORS, lanes
from neurojit.core.jit import cgutils, intrinsic, types

__all__ = ["BINARY_COLUMNS", "count_differences", "sign_word"]

# Filters side by side in the tile: a word of each in a lane.
BINARY_COLUMNS = VECTORS * lanes("int64")


@intrinsic
def sign_word(typing_context, array, index):
    """The signs of 64 numbers from element `index` of a C-contiguous array on; the first is the lowest bit."""

    def codegen(context, builder, signature, arguments):
        kind = ir.FloatType() if array.dtype == types.float32 else ir.DoubleType()
        wide = ir.VectorType(kind, 64)
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), wide.as_pointer())
        negative = builder.fcmp_ordered(
            "<", builder.load(pointer, align=array.dtype.bitwidth // 8), ir.Constant(wide, [0.0] * 64)
        )
        return builder.bitcast(negative, ir.IntType(64))

    return types.uint64(array, types.intp), codegen


@intrinsic
def count_differences(typing_context, out, table, step, moves, segments, run, weight, places, into):
    """counts[i, j] = sum over segments s and words k < run of popcount(a[s, i][k] ^ w[s][k, j]).

    out : array of the element type the counts are written in.
    table, step, moves, segments, run : as in `simd.multiply_rows`, for words of 64 bits.
    weight, places : address of the filters' words, rows of BINARY_COLUMNS, and address of a distance from there in
        bytes for each segment.
    into : address of ROWS rows of BINARY_COLUMNS counts.
    """

    def codegen(context, builder, signature, arguments):
        _, table, step, moves, segments, run, weight, places, into = arguments
        e = _BitEmitter(builder)

        def segment(s, tile):
            at = e.add(table, builder.mul(builder.mul(s, step), e.constant(8)))
            nth = builder.mul(s, e.constant(8))
            move, words = e.entry(e.add(moves, nth)), e.add(weight, e.entry(e.add(places, nth)))
            rows = [e.add(e.table_entry(at, i), move) for i in range(ROWS)]

            def count(k, tile):
                filters = e.load(e.add(words, builder.mul(k, e.constant(8 * BINARY_COLUMNS))))
                new = []
                for row, sums in zip(rows, tile, strict=True):
                    seen = e.splat(e.entry(e.add(row, builder.mul(k, e.constant(8)))))
                    new.append(
                        [
                            builder.add(total, e.ones(builder.xor(seen, f)))
                            for f, total in zip(filters, sums, strict=True)
                        ]
                    )
                return new

            return e.loop(run, tile, count, "words")

        zero = ir.Constant(e.vector, [0] * e.lanes)
        tile = e.loop(segments, [[zero] * VECTORS] * ROWS, segment, "segment")
        kind = ir.FloatType() if out.dtype == types.float32 else ir.DoubleType()
        for i, row in enumerate(tile):
            for j, counts in enumerate(row):
                at = e.add(into, e.constant((i * VECTORS + j) * e.lanes * out.dtype.bitwidth // 8))
                numbers = builder.sitofp(counts, ir.VectorType(kind, e.lanes))
                pointer = builder.inttoptr(at, numbers.type.as_pointer())
                builder.store(numbers, pointer, align=out.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(out, *[types.intp] * 8), codegen


class _BitEmitter(Emitter):
    """Writes LLVM code for vectors of 64-bit words."""

    def __init__(self, builder):
        super().__init__(builder, types.float64, VECTORS)  # lanes as wide as a word
        self.vector = ir.VectorType(self.int, self.lanes)
        name = f"llvm.ctpop.v{self.lanes}i64"
        self.population = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(self.vector, [self.vector]), name
        )

    def ones(self, words):
        """How many bits of each word are 1."""
        return self.builder.call(self.population, [words])
