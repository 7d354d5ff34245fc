"""The register tile: the one inner loop under dense layers, convolutions and recurrent gates.

Two intrinsics emit LLVM vector code for the host's lanes. Both keep a tile of ROWS x (vectors * lanes) sums in
registers and do one fused multiply-add per register and step:

- `multiply_rows`: out[i, j] = start[j] + sum_s sum_c a[s, i][c] weight[s * run + c, j]. Each row i of each segment s is
  an address of `run` consecutive values: a pixel under a convolution tap, a sample of a dense layer, or zeros.
- `multiply_columns`: out[i, j] += sum_k a[k][offset_i] b[k][j]: the transposed product, for gradients to weights.

Shapes and addresses are the caller's; nothing is checked here. Addresses are integers (bytes), from `address`.
"""

import os
import platform

import numpy as np
from llvmlite import binding, ir

from neurojit.core.jit import cgutils, intrinsic, types

# Bytes in a vector register and rows of the tile that its register file holds beside two vectors of weights.
_INSTRUCTION_SETS = {"avx512": (64, 8), "avx2": (32, 6), "neon": (16, 8), "plain": (0, 4)}


def _host():
    """The widest instruction set of this machine that the tile has a shape for."""
    features = binding.get_host_cpu_features()
    if features.get("avx512f") and features.get("avx512vl"):
        return "avx512"
    if features.get("avx2") and features.get("fma"):
        return "avx2"
    if platform.machine().lower() in ("aarch64", "arm64"):
        return "neon"
    return "plain"


def _instruction_set():
    """The host's instruction set, or the narrower one that the environment variable NEUROJIT_SIMD asks for."""
    asked = os.environ.get("NEUROJIT_SIMD") or _host()
    if asked not in _INSTRUCTION_SETS:
        raise ValueError(f"NEUROJIT_SIMD: got {asked!r}, wanted one of {sorted(_INSTRUCTION_SETS)}")
    return asked


INSTRUCTION_SET = _instruction_set()
_REGISTER_BYTES, ROWS = _INSTRUCTION_SETS[INSTRUCTION_SET]
VECTORS = 2


def lanes(dtype):
    """Numbers of `dtype` in one vector register; 1 where the machine has no vectors the tile knows."""
    return max(_REGISTER_BYTES // np.dtype(dtype).itemsize, 1)


def describe():
    """One line on the instruction set and tile in use.

    Examples
    --------
    >>> from neurojit.core import simd
    >>> "float32" in simd.describe()
    True
    """
    tile = f"{ROWS} x {VECTORS * lanes(np.float32)}"
    return f"{INSTRUCTION_SET}: {lanes(np.float32)} float32 or {lanes(np.float64)} float64 lanes, tile {tile}"


@intrinsic
def address(typing_context, array, index):
    """The address in bytes of element `index` of a C-contiguous array."""

    def codegen(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.ptrtoint(builder.gep(data, [arguments[1]]), ir.IntType(64))

    return types.int64(array, types.intp), codegen


@intrinsic
def keep(typing_context, array):
    """Mention an array once more: numba frees it after its last mention, though its address be still in use."""

    def codegen(context, builder, signature, arguments):
        return context.get_dummy_value()

    return types.void(array), codegen


@intrinsic
def lane_count(typing_context, array):
    """`lanes` of an array's element type, known when a kernel is compiled."""
    count = lanes(array.dtype.name)

    def codegen(context, builder, signature, arguments):
        return ir.Constant(ir.IntType(64), count)

    return types.int64(array), codegen


class _Emitter:
    """Writes the LLVM code of one tile: `vectors` registers wide, ROWS high."""

    def __init__(self, builder, dtype, vectors):
        self.builder = builder
        self.lanes = lanes(dtype.name)
        self.vectors = vectors
        self.scalar = ir.FloatType() if dtype == types.float32 else ir.DoubleType()
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.int = ir.IntType(64)
        self.bytes = dtype.bitwidth // 8
        suffix = f"v{self.lanes}f{dtype.bitwidth}"
        module = builder.module
        mask = ir.VectorType(ir.IntType(1), self.lanes)
        pointer = self.vector.as_pointer()
        declare = cgutils.get_or_insert_function
        self.multiply_add = declare(module, ir.FunctionType(self.vector, [self.vector] * 3), f"llvm.fmuladd.{suffix}")
        self.masked_load = declare(
            module,
            ir.FunctionType(self.vector, [pointer, ir.IntType(32), mask, self.vector]),
            f"llvm.masked.load.{suffix}.p0",
        )
        self.masked_store = declare(
            module,
            ir.FunctionType(ir.VoidType(), [self.vector, pointer, ir.IntType(32), mask]),
            f"llvm.masked.store.{suffix}.p0",
        )

    def constant(self, value):
        return ir.Constant(self.int, value)

    def block(self, name):
        return self.builder.append_basic_block(name)

    def splat(self, value):
        """A vector with `value` in every lane."""
        undefined = ir.Constant(ir.VectorType(value.type, self.lanes), ir.Undefined)
        one = self.builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(
            one, undefined, ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        )

    def scale(self, index):
        """An element count as bytes."""
        return self.builder.mul(index, self.constant(self.bytes))

    def add(self, *terms):
        total = terms[0]
        for term in terms[1:]:
            total = self.builder.add(total, term)
        return total

    def element(self, at):
        """The number at an address."""
        return self.builder.load(self.builder.inttoptr(at, self.scalar.as_pointer()))

    def masks(self, columns):
        """For each vector of a row, which lanes stand for one of `columns` columns."""
        lane = ir.Constant(ir.VectorType(self.int, self.lanes), list(range(self.lanes)))
        limits = [self.splat(self.builder.sub(columns, self.constant(j * self.lanes))) for j in range(self.vectors)]
        return [self.builder.icmp_signed("<", lane, limit) for limit in limits]

    def _vector_pointer(self, at, j):
        at = self.builder.add(at, self.constant(j * self.lanes * self.bytes))
        return self.builder.inttoptr(at, self.vector.as_pointer())

    def load(self, at, masks=None):
        """A row of vectors from an address; lanes off the mask are zero and not read."""
        if masks is None:
            return [self.builder.load(self._vector_pointer(at, j), align=self.bytes) for j in range(self.vectors)]
        align, zero = ir.Constant(ir.IntType(32), self.bytes), ir.Constant(self.vector, [0.0] * self.lanes)
        return [
            self.builder.call(self.masked_load, [self._vector_pointer(at, j), align, masks[j], zero])
            for j in range(self.vectors)
        ]

    def store(self, row, at, masks=None):
        """Write a row of vectors to an address; lanes off the mask are left alone."""
        align = ir.Constant(ir.IntType(32), self.bytes)
        for j, value in enumerate(row):
            pointer = self._vector_pointer(at, j)
            if masks is None:
                self.builder.store(value, pointer, align=self.bytes)
            else:
                self.builder.call(self.masked_store, [value, pointer, align, masks[j]])

    def fused(self, addresses, row, tile):
        """tile[i, j] + (the number at addresses[i]) * row[j]; a load stands beside its use, to live in one register."""
        new = []
        for at, sums in zip(addresses, tile, strict=True):
            splat = self.splat(self.element(at))
            new.append([self.builder.call(self.multiply_add, [splat, v, s]) for v, s in zip(row, sums, strict=True)])
        return new

    def tile_phi(self, tile, block):
        """Registers that hold `tile` when control comes from `block`."""
        phis = [[self.builder.phi(self.vector) for _ in row] for row in tile]
        self.tile_incoming(phis, tile, block)
        return phis

    @staticmethod
    def tile_incoming(phis, tile, block):
        for phi_row, row in zip(phis, tile, strict=True):
            for phi, value in zip(phi_row, row, strict=True):
                phi.add_incoming(value, block)

    def loop(self, count, tile, step, name):
        """tile = step(k, tile) for k in range(count), with the tile in registers; count is at least 1."""
        before, body, end = self.builder.block, self.block(name), self.block(f"{name}.end")
        self.builder.branch(body)
        self.builder.position_at_end(body)
        k = self.builder.phi(self.int)
        k.add_incoming(self.constant(0), before)
        phis = self.tile_phi(tile, before)
        new = step(k, phis)
        last = self.builder.block
        following = self.builder.add(k, self.constant(1))
        k.add_incoming(following, last)
        self.tile_incoming(phis, new, last)
        self.builder.cbranch(self.builder.icmp_signed("<", following, count), body, end)
        self.builder.position_at_end(end)
        return new

    def entry(self, at):
        """The integer at an address."""
        return self.builder.load(self.builder.inttoptr(at, self.int.as_pointer()))

    def table_entry(self, table, i):
        """Entry i of a table of integers."""
        return self.entry(self.add(table, self.constant(8 * i)))

    def prefetch(self, at):
        """Ask for the cache line at an address, soon to be read."""
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        ask = cgutils.get_or_insert_function(self.builder.module, function, "llvm.prefetch.p0")
        read, keep, data = (ir.Constant(word, value) for value in (0, 3, 1))
        self.builder.call(ask, [self.builder.inttoptr(at, byte), read, keep, data])

    def prefetch_ahead(self, table, delta, c):
        """In step c of a run, fetch for one row in turn the line that holds its value c."""
        row = self.builder.mul(self.builder.urem(c, self.constant(ROWS)), self.constant(8))
        self.prefetch(self.add(self.entry(self.add(table, row)), delta, self.scale(c)))


def _multiply_rows(vectors):
    @intrinsic
    def multiply_rows(
        typing_context,
        like,
        table,
        step,
        moves,
        segments,
        run,
        weight,
        places,
        stride,
        outs,
        columns,
        start,
        ahead,
        ahead_move,
    ):
        """out[i, j] = start[j] + sum over segments s and c < run of a[s, i][c] w[s][c stride + j].

        Run a[s, i] lies at address table[s * step + i] + moves[s], rows w[s] at weight + places[s]. With step = ROWS
        the table holds every address, with step = 0 a corner for each row, from which the segments are all as far.

        like : array of the element type.
        table, step : address of a table of addresses, ROWS to a row, and entries from one segment to the next.
        moves : address of a distance in bytes for each segment.
        segments, run : how many segments, at least one, and values in each, at least one.
        weight, places, stride : address of the weights, address of each segment's distance from there in bytes, and
            elements from one row of weights to the next.
        outs, columns : address of ROWS addresses of output rows, and how many columns of them to write.
        start : address of a full row to start from.
        ahead, ahead_move : address of ROWS addresses, and a distance from them in bytes, of runs to fetch into the
            cache meanwhile, a line in each step.
        """

        def codegen(context, builder, signature, arguments):
            _, table, step, moves, segments, run, weight, places, stride, outs, columns, start, *next_rows = arguments
            ahead, ahead_move = next_rows
            e = _Emitter(builder, like.dtype, vectors)
            out_rows = [e.table_entry(outs, i) for i in range(ROWS)]
            masks = e.masks(columns)
            stride = e.scale(stride)

            def segment(s, tile):
                at = e.add(table, builder.mul(builder.mul(s, step), e.constant(8)))
                nth = builder.mul(s, e.constant(8))
                move, weights = e.entry(e.add(moves, nth)), e.add(weight, e.entry(e.add(places, nth)))
                rows = [e.add(e.table_entry(at, i), move) for i in range(ROWS)]

                def multiply(c, tile):
                    e.prefetch_ahead(ahead, ahead_move, c)
                    weight_row = e.load(e.add(weights, builder.mul(c, stride)))
                    return e.fused((e.add(row, e.scale(c)) for row in rows), weight_row, tile)

                return e.loop(run, tile, multiply, "run")

            tile = e.loop(segments, [e.load(start)] * ROWS, segment, "segment")
            for row, at in zip(tile, out_rows, strict=True):
                e.store(row, at, masks)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 13), codegen

    return multiply_rows


def _multiply_columns(vectors):
    @intrinsic
    def multiply_columns(typing_context, like, table, offsets, rows, count, outs, columns):
        """out[i, j] += sum over k < count of a[k][offset_i] b[k][j].

        like : array of the element type.
        table : address of `count` addresses, one for each k.
        offsets : address of ROWS offsets in bytes.
        rows : address of `count` addresses, of rows of b, which are as wide as the tile.
        outs, columns : address of ROWS addresses of output rows, and how many columns of them to write.
        """

        def codegen(context, builder, signature, arguments):
            _, table, offsets, rows, count, outs, columns = arguments
            e = _Emitter(builder, like.dtype, vectors)
            out_rows = [e.table_entry(outs, i) for i in range(ROWS)]
            shifts = [e.table_entry(offsets, i) for i in range(ROWS)]
            masks = e.masks(columns)

            def step(k, tile):
                nth = builder.mul(k, e.constant(8))
                base, b_row = e.entry(e.add(table, nth)), e.load(e.entry(e.add(rows, nth)))
                return e.fused((e.add(base, shift) for shift in shifts), b_row, tile)

            zero = ir.Constant(e.vector, [0.0] * e.lanes)
            tile = e.loop(count, [[zero] * vectors] * ROWS, step, "product")
            for row, at in zip(tile, out_rows, strict=True):
                held = e.load(at, masks)
                e.store([builder.fadd(h, v) for h, v in zip(held, row, strict=True)], at, masks)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 6), codegen

    return multiply_columns


# A full tile is two vectors wide; one vector serves matrices too narrow to fill two.
multiply_rows = _multiply_rows(VECTORS)
multiply_rows_narrow = _multiply_rows(1)
multiply_columns = _multiply_columns(VECTORS)
multiply_columns_narrow = _multiply_columns(1)
