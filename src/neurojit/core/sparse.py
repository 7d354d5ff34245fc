"""Sparse matrix times vector, a block of rows at a time with the sums in vector registers.

Row i of the matrix has numbers weight[k, i], k < count. In a block of rows, k runs outside and the rows lie side by
side in lanes, so no sum waits for another and weights are read in the order they are stored:

- `add_gathered`: out[i] += sum_k weight[k, i] x[index[k, i]]: any sparse matrix.
- `add_shifted`: out[i] += sum_k weight[k, i] x[i + shift[k]]: rows that read along shifted copies of x; no gather.
- `add_rows`: a few rows of a sparse matrix against several vectors side by side.

Addresses are integers (bytes), from `neurojit.core.simd.address`; nothing is checked here.
"""

from llvmlite import ir

from neurojit.core.emitter import Emitter
from neurojit.core.host import lanes
from neurojit.core.jit import cgutils, intrinsic, types
from neurojit.core.simd import known_count

VECTORS = 4  # registers of sums: enough to hide the latency of a multiply-add


def block(dtype):
    """Rows in a block for a float type.

    Examples
    --------
    >>> from neurojit.core import sparse
    >>> sparse.block("float32") >= sparse.block("float64") >= 4
    True
    """
    return VECTORS * lanes(dtype)


block_rows = known_count(block)


class _Blocks(Emitter):
    """Emits one block: sums from `out`, a step for each of `count` slots, sums back to `out`."""

    def __init__(self, builder, dtype):
        super().__init__(builder, dtype, VECTORS)

    def multiply(self, weight, count, out, read):
        """out += weight[k] * read(k) summed over k < count, count at least 1."""
        builder = self.builder
        size = self.constant(VECTORS * self.lanes * self.bytes)

        def step(k, tile):
            row = self.load(self.add(weight, builder.mul(k, size)))
            factors = read(k)
            sums = tile[0]
            return [[builder.call(self.multiply_add, [w, x, s]) for w, x, s in zip(row, factors, sums, strict=True)]]

        self.store(self.loop(count, [self.load(out)], step, "slot")[0], out)

    def gather(self, x, index, bits):
        """x at the `bits` wide unsigned integers stored at the address `index`, a block of them."""
        builder = self.builder
        narrow = ir.VectorType(ir.IntType(bits), self.lanes)
        wide = ir.VectorType(ir.IntType(32), self.lanes)
        pointers = ir.VectorType(self.scalar.as_pointer(), self.lanes)
        mask = ir.VectorType(ir.IntType(1), self.lanes)
        kind = ir.FunctionType(self.vector, [pointers, ir.IntType(32), mask, self.vector])
        name = f"llvm.masked.gather.v{self.lanes}f{8 * self.bytes}.v{self.lanes}p0"
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        base = builder.inttoptr(x, self.scalar.as_pointer())
        align, all_lanes = ir.Constant(ir.IntType(32), self.bytes), ir.Constant(mask, [1] * self.lanes)
        found = []
        for j in range(VECTORS):
            at = builder.add(index, self.constant(j * self.lanes * bits // 8))
            lanes_index = builder.load(builder.inttoptr(at, narrow.as_pointer()), align=bits // 8)
            if bits < 32:
                lanes_index = builder.zext(lanes_index, wide)
            places = builder.gep(base, [lanes_index], source_etype=self.scalar)
            places.type = pointers
            zero = ir.Constant(self.vector, [0.0] * self.lanes)
            found.append(builder.call(function, [places, align, all_lanes, zero]))
        return found


@intrinsic
def add_gathered(typing_context, like, like_index, weight, index, count, x, out):
    """out[i] += sum over k < count of weight[k][i] x[index[k][i]] for the rows i of a block.

    like, like_index : arrays of the element type and of the index type (uint16 or int32).
    weight, index : addresses of `count` runs of a block each; count is at least 1.
    x, out : addresses of the vector and of the block's sums.
    """
    bits = like_index.dtype.bitwidth

    def codegen(context, builder, signature, arguments):
        _, _, weight, index, count, x, out = arguments
        e = _Blocks(builder, like.dtype)
        size = e.constant(VECTORS * e.lanes * bits // 8)
        e.multiply(weight, count, out, lambda k: e.gather(x, e.add(index, builder.mul(k, size)), bits))
        return context.get_dummy_value()

    return types.void(like, like_index, *[types.intp] * 5), codegen


@intrinsic
def add_shifted(typing_context, like, weight, shift, count, x, out):
    """out[i] += sum over k < count of weight[k][i] x[i + shift[k]] for the rows i of a block.

    like : array of the element type.
    weight : address of `count` runs of a block each; count is at least 1.
    shift : address of `count` int64.
    x, out : addresses of x[first row] and of the block's sums.
    """

    def codegen(context, builder, signature, arguments):
        _, weight, shift, count, x, out = arguments
        e = _Blocks(builder, like.dtype)

        def read(k):
            moved = e.entry(e.add(shift, builder.mul(k, e.constant(8))))
            return e.load(e.add(x, e.scale(moved)))

        e.multiply(weight, count, out, read)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 5), codegen


ROWS_AT_ONCE = 4  # sums that grow beside each other in `add_rows`
# Vectors side by side that `add_rows` multiplies: for float64 two registers, which share the loads of weight and index.
SERIES = max(lanes("float32"), 4)


@intrinsic
def add_rows(typing_context, like, like_index, weight, index, rows, count, x, out):
    """out[rows[r], :] += sum over k < count of weight[k, r] x[index[k, r], :] for r < ROWS_AT_ONCE.

    like, like_index : arrays of the element type and of the index type (uint16 or int32).
    weight, index : addresses of `count` runs of ROWS_AT_ONCE each; count is at least 1.
    rows : address of ROWS_AT_ONCE int32.
    x, out : addresses of the vectors and of the sums, SERIES side by side.
    """
    bits = like_index.dtype.bitwidth

    def codegen(context, builder, signature, arguments):
        _, _, weight, index, rows, count, x, out = arguments
        e = Emitter(builder, like.dtype, SERIES // lanes(like.dtype.name))
        row_bytes = e.constant(SERIES * e.bytes)

        def integers(address, bits):
            """ROWS_AT_ONCE integers, by one load: loads are what there are most of."""
            together = ir.IntType(ROWS_AT_ONCE * bits)
            held = builder.load(builder.inttoptr(address, together.as_pointer()), align=bits // 8)
            parts = [builder.lshr(held, ir.Constant(together, r * bits)) for r in range(ROWS_AT_ONCE)]
            return [builder.zext(builder.trunc(part, ir.IntType(bits)), e.int) for part in parts]

        def step(k, tile):
            first = builder.mul(k, e.constant(ROWS_AT_ONCE))
            units = integers(e.add(index, builder.mul(first, e.constant(bits // 8))), bits)
            new = []
            for r, (unit, sums) in enumerate(zip(units, tile, strict=True)):
                factor = e.splat(e.element(e.add(weight, e.scale(first), e.constant(r * e.bytes))))
                row = e.load(e.add(x, builder.mul(unit, row_bytes)))
                new.append([builder.call(e.multiply_add, [factor, v, s]) for v, s in zip(row, sums, strict=True)])
            return new

        outs = [e.add(out, builder.mul(row, row_bytes)) for row in integers(rows, 32)]
        tile = e.loop(count, [e.load(at) for at in outs], step, "slot")
        for sums, at in zip(tile, outs, strict=True):
            e.store(sums, at)
        return context.get_dummy_value()

    return types.void(like, like_index, *[types.intp] * 6), codegen
