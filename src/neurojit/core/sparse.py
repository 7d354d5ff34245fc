"""Sparse matrix times vector, a block of rows at a time with the sums in vector registers.

Row i of the matrix has numbers weight[k, i], k < count. In a block of rows, k runs outside and the rows lie side by
side in lanes, so no sum waits for another and weights are read in the order they are stored:

- `add_gathered`: out[i] += sum_k weight[k, i] x[index[k, i]]: any sparse matrix.
- `add_shifted`: out[i] += sum_k weight[k, i] x[i + shift[k]]: rows that read along shifted copies of x; no gather.
- `add_rows`, `add_rows_shifted`: a few rows of either against several vectors side by side.

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


ROWS_AT_ONCE = 4  # sums that grow beside each other in `add_rows`; a divisor of a block
# Vectors side by side that `add_rows` multiplies: for float64 two registers, which share the loads of weight and index.
SERIES = max(lanes("float32"), 4)


class _Rows(Emitter):
    """Emits ROWS_AT_ONCE rows of the matrix against vectors that lie side by side."""

    def __init__(self, builder, dtype):
        super().__init__(builder, dtype, SERIES // lanes(dtype.name))

    def multiply(self, weight, stride, count, x, out, place):
        """out[r, :] += weight[k * stride + r] * x[place(k, r), :] summed over k < count, count at least 1."""
        builder = self.builder
        row_bytes = self.constant(SERIES * self.bytes)

        def step(k, tile):
            at = self.add(weight, self.scale(builder.mul(k, stride)))
            new = []
            for r, sums in enumerate(tile):
                factor = self.splat(self.element(self.add(at, self.constant(r * self.bytes))))
                row = self.load(self.add(x, builder.mul(place(k, r), row_bytes)))
                new.append([builder.call(self.multiply_add, [factor, v, s]) for v, s in zip(row, sums, strict=True)])
            return new

        rows = [self.add(out, self.constant(r * SERIES * self.bytes)) for r in range(ROWS_AT_ONCE)]
        tile = self.loop(count, [self.load(row) for row in rows], step, "slot")
        for sums, row in zip(tile, rows, strict=True):
            self.store(sums, row)


@intrinsic
def add_rows(typing_context, like, like_index, weight, index, stride, count, x, out):
    """out[r, :] += sum over k < count of weight[k * stride + r] x[index[k * stride + r], :] for r < ROWS_AT_ONCE.

    like, like_index : arrays of the element type and of the index type (uint16 or int32).
    weight, index : addresses of the first row's first number and unit, `stride` elements from one slot to the next.
    x, out : addresses of the first row of x and of the first row of sums.
    """
    bits = like_index.dtype.bitwidth

    def codegen(context, builder, signature, arguments):
        _, _, weight, index, stride, count, x, out = arguments
        e = _Rows(builder, like.dtype)

        def place(k, r):
            nth = e.add(builder.mul(k, stride), e.constant(r))
            at = e.add(index, builder.mul(nth, e.constant(bits // 8)))
            return builder.zext(builder.load(builder.inttoptr(at, ir.IntType(bits).as_pointer())), e.int)

        e.multiply(weight, stride, count, x, out, place)
        return context.get_dummy_value()

    return types.void(like, like_index, *[types.intp] * 6), codegen


@intrinsic
def add_rows_shifted(typing_context, like, weight, shift, stride, count, x, out):
    """out[r, :] += sum over k < count of weight[k * stride + r] x[shift[k] + r, :] for r < ROWS_AT_ONCE.

    The arguments are those of `add_rows`; x is the address of the first row's own place in x.
    """

    def codegen(context, builder, signature, arguments):
        _, weight, shift, stride, count, x, out = arguments
        e = _Rows(builder, like.dtype)

        def place(k, r):
            return e.add(e.entry(e.add(shift, builder.mul(k, e.constant(8)))), e.constant(r))

        e.multiply(weight, stride, count, x, out, place)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 6), codegen
