"""Writes LLVM vector code: what the tiles, block maps, runs, sparse and pair products are made of.

Addresses are integers (bytes), tables of addresses are arrays of 64-bit integers.
"""

from llvmlite import ir

from neurojit.core.host import lanes
from neurojit.core.jit import cgutils, types

LINE_BYTES = 64  # of the cache
UNROLL = 4  # steps of an innermost loop that are written out


class Emitter:
    """Writes LLVM code on rows of `vectors` vector registers of one element type."""

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

    def loop(self, count, tile, step, name, first=None):
        """tile = step(k, tile) for k in range(first, count), with the tile in registers."""
        before = self.builder.block
        head, body, end = self.block(f"{name}.head"), self.block(f"{name}.body"), self.block(f"{name}.end")
        self.builder.branch(head)
        self.builder.position_at_end(head)
        k = self.builder.phi(self.int)
        k.add_incoming(self.constant(0) if first is None else first, before)
        phis = self.tile_phi(tile, before)
        self.builder.cbranch(self.builder.icmp_signed("<", k, count), body, end)
        self.builder.position_at_end(body)
        new = step(k, phis)
        last = self.builder.block
        k.add_incoming(self.builder.add(k, self.constant(1)), last)
        self.tile_incoming(phis, new, last)
        self.builder.branch(head)
        self.builder.position_at_end(end)
        return phis

    def unrolled_loop(self, count, tile, step, name, before=None):
        """As `loop`, several steps at a time, each time after `before(k)`: addresses then move on only once for all."""

        def steps(k, tile):
            if before is not None:
                before(k)
            for u in range(UNROLL):
                tile = step(self.add(self.builder.mul(k, self.constant(UNROLL)), self.constant(u)), tile)
            return tile

        whole = self.builder.sdiv(count, self.constant(UNROLL))
        tile = self.loop(whole, tile, steps, name)
        return self.loop(count, tile, step, f"{name}.rest", first=self.builder.mul(whole, self.constant(UNROLL)))

    def along(self, count, body):
        """body(first, masks) for every vector of `count` numbers; masks are None but for a last one not whole."""
        lanes = self.constant(self.lanes)
        whole = self.builder.sdiv(count, lanes)
        self.loop(whole, [], lambda k, _: body(self.builder.mul(k, lanes), None) or [], "whole")
        done = self.builder.mul(whole, lanes)
        rest = self.builder.sub(count, done)
        is_left = self.builder.zext(self.builder.icmp_signed(">", rest, self.constant(0)), self.int)
        self.loop(is_left, [], lambda _k, _: body(done, self.masks(rest)) or [], "rest")

    def opaque(self, value):
        """The same integer, of whose making LLVM knows nothing: it then keeps it in one register through a loop.

        Left to itself, its loop strength reduction takes sums apart and spends registers on their common parts.
        """
        identity = ir.FunctionType(self.int, [self.int])
        return self.builder.asm(identity, "", "=r,0", [value], side_effect=False)

    def entry(self, at):
        """The integer at an address."""
        return self.builder.load(self.builder.inttoptr(at, self.int.as_pointer()))

    def table_entry(self, table, i):
        """Entry i of a table of integers."""
        return self.entry(self.add(table, self.constant(8 * i)))

    def prefetch(self, at, write=False, near=True):
        """Ask for the cache line at an address, to be read or written soon (`near`), or a little later."""
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        ask = cgutils.get_or_insert_function(self.builder.module, function, "llvm.prefetch.p0")
        keep, data = ir.Constant(word, 3 if near else 2), ir.Constant(word, 1)  # in all caches, or from the second on
        self.builder.call(ask, [self.builder.inttoptr(at, byte), ir.Constant(word, int(write)), keep, data])

    def prefetch_row(self, at):
        """Ask for the lines of a row of vectors, to write to them."""
        for offset in range(0, self.vectors * self.lanes * self.bytes, LINE_BYTES):
            self.prefetch(self.add(at, self.constant(offset)), write=True)
