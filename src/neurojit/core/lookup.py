"""Sparse matrix times vector where many numbers share few units: units are looked up in registers, not gathered.

A gather takes about as long as loading its numbers one by one. Where rows have several numbers among a few neighbouring
units, these units fit in two registers, from which one instruction picks a number for each lane. So the matrix is cut
into panels, a block of rows against a segment of units: each row of a panel has the same few slots, each with a weight
and a code of 5 bits that says which unit of the segment it multiplies; the codes of a row lie in one integer. Only
AVX-512 has the instruction, and float32 alone gains: half as many float64 units fit in a register.

Addresses are integers (bytes), from `neurojit.core.simd.address`; nothing is checked here.
"""

from llvmlite import ir

from neurojit.core.emitter import Emitter
from neurojit.core.host import INSTRUCTION_SET, lanes
from neurojit.core.jit import cgutils, intrinsic, types
from neurojit.core.sparse import VECTORS

CODE_BITS = 5
SEGMENT = 1 << CODE_BITS  # units that two registers hold
MOST_SLOTS = 32 // CODE_BITS


def available(dtype):
    """Whether numbers of this type can be looked up on this machine.

    Examples
    --------
    >>> from neurojit.core import lookup
    >>> lookup.available("float64")
    False
    """
    return INSTRUCTION_SET == "avx512" and 2 * lanes(dtype) == SEGMENT


class _Panels(Emitter):
    """Emits one block of rows against all segments."""

    def __init__(self, builder, dtype):
        super().__init__(builder, dtype, VECTORS)
        self.pair = Emitter(builder, dtype, 2)
        self.integers = ir.VectorType(ir.IntType(32), self.lanes)
        kind = ir.FunctionType(self.vector, [self.vector, self.integers, self.vector])
        self.pick = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.avx512.vpermi2var.ps.512")

    def multiply(self, weight, codes, segments, slots, x, sums):
        """sums + what the panels make of x."""
        builder = self.builder
        row_bytes = self.constant(VECTORS * self.lanes * self.bytes)
        shift = ir.Constant(self.integers, [CODE_BITS] * self.lanes)

        def panel(g, tile):
            low, high = self.pair.load(self.add(x, builder.mul(g, self.constant(SEGMENT * self.bytes))))
            first = builder.mul(g, slots)

            def slot(k, tile):
                sums, left = tile
                row = self.load(self.add(weight, builder.mul(self.add(first, k), row_bytes)))
                new, rest = [], []
                for w, s, code in zip(row, sums, left, strict=True):
                    which = builder.bitcast(code, self.integers)
                    unit = builder.call(self.pick, [low, which, high])
                    new.append(builder.call(self.multiply_add, [w, unit, s]))
                    rest.append(builder.bitcast(builder.lshr(which, shift), self.vector))
                return [new, rest]

            left = self.load(
                self.add(codes, builder.mul(g, row_bytes))
            )  # integers, taken for numbers: loops hold these
            return [self.loop(slots, [tile[0], left], slot, "slot")[0]]

        return self.loop(segments, [sums], panel, "panel")[0]


@intrinsic
def add_looked_up(typing_context, like, weight, codes, segments, slots, x, out):
    """out[i] += sum over segments g and k < slots of weight[g, k, i] x[g * SEGMENT + code k of codes[g, i]].

    like : array of the element type; nothing is done where it is not `available`.
    weight, codes : addresses of the panels of a block of rows, numbers and 32-bit integers.
    segments, slots : how many segments, and slots in each.
    x, out : addresses of the vector and of the block's sums.
    """

    def codegen(context, builder, signature, arguments):
        if available(like.dtype.name):
            _, weight, codes, segments, slots, x, out = arguments
            e = _Panels(builder, like.dtype)
            e.store(e.multiply(weight, codes, segments, slots, x, e.load(out)), out)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 6), codegen
