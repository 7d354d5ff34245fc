"""The register tile: the one inner loop under dense layers, convolutions and recurrent gates.

Four intrinsics emit LLVM vector code for the host's lanes. All keep a tile of rows x (vectors * lanes) sums in
registers and do one fused multiply-add per register and step:

- `multiply_rows`: out[i, j] = start[i, j] + sum_s sum_c a[s, i][c] weight[s * run + c, j]. Each row i of each segment s
  is an address of `run` consecutive values: a pixel under a convolution tap, a sample of a dense layer, or zeros.
- `multiply_scattered`: out[i, j] = start[i, j] + sum_k a[i][offset_k] weight[k, j], of values that lie anywhere.
- `multiply_columns`: out[i, j] += sum_k a[k][offset_i] b[k][j]: the transposed product, for gradients to weights.
- `multiply_packed`: the same of a and b that lie one row behind the other.

Shapes and addresses are the caller's; nothing is checked here. Addresses are integers (bytes), from `address`.
"""

import numpy as np
from llvmlite import ir

from neurojit.core.emitter import LINE_BYTES, UNROLL, Emitter
from neurojit.core.host import INSTRUCTION_SET, ROWS, VECTORS, WIDE_ROWS, WIDE_VECTORS, lanes
from neurojit.core.jit import intrinsic, types


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
def fetch(typing_context, array, index):
    """Ask for the cache line that holds element `index` of a C-contiguous array, soon to be read."""

    def codegen(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        at = builder.ptrtoint(builder.gep(data, [arguments[1]]), ir.IntType(64))
        Emitter(builder, array.dtype, 1).prefetch(at)
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def keep(typing_context, array):
    """Mention an array once more: numba frees it after its last mention, though its address be still in use."""

    def codegen(context, builder, signature, arguments):
        return context.get_dummy_value()

    return types.void(array), codegen


def known_count(count):
    """A function of kernels that gives ``count(name of an array's element type)``, known when they are compiled."""

    @intrinsic
    def counted(typing_context, array):
        value = count(array.dtype.name)

        def codegen(context, builder, signature, arguments):
            return ir.Constant(ir.IntType(64), value)

        return types.int64(array), codegen

    return counted


lane_count = known_count(lanes)


def _multiply_rows(tile_rows, vectors):
    @intrinsic
    def multiply_rows(
        typing_context,
        like,
        table,
        step,
        moves,
        segments,
        skip,
        run,
        weight,
        places,
        stride,
        starts,
        outs,
        columns,
        ahead,
    ):
        """out[i, j] = start[i, j] + sum over segments s and c < run of a[s, i][c] w[s][c stride + j].

        Run a[s, i] lies at address table[s * step + i] + moves[s] + skip, rows w[s] at weight + places[s]. With step =
        rows the table holds every address, with step = 0 a corner for each row, from which the segments are all as far.

        like : array of the element type.
        table, step : address of a table of addresses, a row of the tile each, and entries from one segment to the next.
        moves, skip : address of a distance in bytes for each segment, and a distance common to all of them.
        segments, run : how many segments, at least one, and values in each, at least one.
        weight, places, stride : address of the weights, address of each segment's distance from there in bytes, and
            elements from one row of weights to the next.
        starts : address of the addresses of the rows to start from.
        outs, columns : address of the addresses of output rows, and how many columns of them to read and write.
        ahead : address from which on the next tile will read; its lines are fetched into the cache meanwhile.
        """

        def codegen(context, builder, signature, arguments):
            _, table, step, moves, segments, skip, run, weight, places, stride, starts, outs, columns, ahead = arguments
            e = Emitter(builder, like.dtype, vectors)
            masks = e.masks(columns)
            stride = e.scale(stride)

            def segment(s, tile):
                at = e.add(table, builder.mul(builder.mul(s, step), e.constant(8)))
                nth = builder.mul(s, e.constant(8))
                move, weights = (
                    e.add(e.entry(e.add(moves, nth)), skip),
                    e.opaque(e.add(weight, e.entry(e.add(places, nth)))),
                )
                rows = [e.opaque(e.add(e.table_entry(at, i), move)) for i in range(tile_rows)]

                def multiply(c, tile):
                    weight_row = e.load(e.add(weights, builder.mul(c, stride)))
                    return e.fused((e.add(row, e.scale(c)) for row in rows), weight_row, tile)

                # The rows of the next tile mostly lie one behind the other: its lines are those that follow its first.
                line = e.constant(tile_rows * e.bytes * UNROLL)

                def fetch(k):
                    for at in range(0, tile_rows * e.bytes * UNROLL, LINE_BYTES):
                        e.prefetch(e.add(ahead, builder.mul(k, line), e.constant(at)))

                return e.unrolled_loop(run, tile, multiply, "run", fetch)

            for i in range(tile_rows):  # the sums will be written when the lines have come
                e.prefetch_row(e.table_entry(outs, i))
            tile = [e.load(e.table_entry(starts, i), masks) for i in range(tile_rows)]
            tile = e.loop(segments, tile, segment, "segment")
            for i, row in enumerate(tile):
                e.store(row, e.table_entry(outs, i), masks)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 13), codegen

    return multiply_rows


def _multiply_scattered(vectors):
    @intrinsic
    def multiply_scattered(typing_context, like, rows, offsets, count, weight, stride, starts, outs, columns):
        """out[i, j] = start[i, j] + sum over k < count of a[i][offset_k] weight[k stride + j].

        like : array of the element type.
        rows : address of ROWS addresses, of the rows a[i].
        offsets, count : address of `count` offsets in bytes, from a row to its values.
        weight, stride : address of the weights, and elements from one row of them to the next.
        starts : address of ROWS addresses of the rows to start from.
        outs, columns : address of ROWS addresses of output rows, and how many columns of them to read and write.
        """

        def codegen(context, builder, signature, arguments):
            _, rows, offsets, count, weight, stride, starts, outs, columns = arguments
            e = Emitter(builder, like.dtype, vectors)
            masks = e.masks(columns)
            bases = [e.opaque(e.table_entry(rows, i)) for i in range(ROWS)]
            weight, stride = e.opaque(weight), e.scale(stride)

            def step(k, tile):
                offset = e.entry(e.add(offsets, builder.mul(k, e.constant(8))))
                weight_row = e.load(e.add(weight, builder.mul(k, stride)))
                return e.fused((e.add(base, offset) for base in bases), weight_row, tile)

            for i in range(ROWS):
                e.prefetch_row(e.table_entry(outs, i))
            tile = [e.load(e.table_entry(starts, i), masks) for i in range(ROWS)]
            for i, row in enumerate(e.unrolled_loop(count, tile, step, "tap")):
                e.store(row, e.table_entry(outs, i), masks)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 8), codegen

    return multiply_scattered


def _multiply_columns(tile_rows, vectors):
    @intrinsic
    def multiply_columns(typing_context, like, table, offsets, rows, skip, count, outs, columns, ahead):
        """out[i, j] += sum over k < count of a[k][offset_i] b[k][j].

        like : array of the element type.
        table : address of `count` addresses, one for each k.
        offsets : address of an offset in bytes for each row of the tile.
        rows, skip : address of `count` addresses, and bytes from each to a row of b, which is as wide as the tile.
        outs, columns : address of the addresses of output rows, and how many columns of them to write.
        ahead : address from which on memory is fetched into the second-level cache meanwhile, a line for each k.
        """

        def codegen(context, builder, signature, arguments):
            _, table, offsets, rows, skip, count, outs, columns, ahead = arguments
            e = Emitter(builder, like.dtype, vectors)
            out_rows = [e.table_entry(outs, i) for i in range(tile_rows)]
            shifts = [e.opaque(e.table_entry(offsets, i)) for i in range(tile_rows)]
            masks, skip = e.masks(columns), e.opaque(skip)

            def step(k, tile):
                e.prefetch(e.add(ahead, builder.mul(k, e.constant(LINE_BYTES))), near=False)
                nth = builder.mul(k, e.constant(8))
                base, b_row = e.entry(e.add(table, nth)), e.load(e.add(e.entry(e.add(rows, nth)), skip))
                return e.fused((e.add(base, shift) for shift in shifts), b_row, tile)

            for at in out_rows:  # what the sums are added to will be there when they are done
                e.prefetch_row(at)
            _add_tile(e, e.loop(count, _zero_tile(e, tile_rows), step, "product"), out_rows, masks)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 8), codegen

    return multiply_columns


def _multiply_packed(vectors):
    @intrinsic
    def multiply_packed(typing_context, like, a, b, count, out, stride, columns):
        """out[i, j] += sum over k < count of a[k, i] b[k, j].

        like : array of the element type.
        a, b : addresses of `count` rows, one behind the other: of a, ROWS wide, and of b, as wide as a full tile.
        out, stride : address of the first of ROWS rows of the output, and bytes from one to the next.
        columns : how many columns of the output to read and write.
        """

        def codegen(context, builder, signature, arguments):
            _, a, b, count, out, stride, columns = arguments
            e = Emitter(builder, like.dtype, vectors)
            out_rows = [e.add(out, builder.mul(stride, e.constant(i))) for i in range(ROWS)]
            a, b, masks = e.opaque(a), e.opaque(b), e.masks(columns)

            def step(k, tile):
                row = e.add(a, builder.mul(k, e.constant(ROWS * e.bytes)))
                b_row = e.load(e.add(b, builder.mul(k, e.constant(VECTORS * e.lanes * e.bytes))))
                return e.fused((e.add(row, e.constant(i * e.bytes)) for i in range(ROWS)), b_row, tile)

            for at in out_rows:
                e.prefetch_row(at)
            _add_tile(e, e.unrolled_loop(count, _zero_tile(e, ROWS), step, "product"), out_rows, masks)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 6), codegen

    return multiply_packed


def _zero_tile(e, rows):
    zero = ir.Constant(e.vector, [0.0] * e.lanes)
    return [[zero] * e.vectors for _ in range(rows)]


def _add_tile(e, tile, addresses, masks):
    """Add the rows of a tile to what lies at their addresses."""
    for row, at in zip(tile, addresses, strict=True):
        held = e.load(at, masks)
        e.store([e.builder.fadd(h, v) for h, v in zip(held, row, strict=True)], at, masks)


# Most tiles are two vectors wide; one vector serves matrices too narrow to fill two, the wide tile those of many rows
# and columns: it reads fewer values for each multiplication.
multiply_rows_wide = _multiply_rows(WIDE_ROWS, WIDE_VECTORS)
multiply_rows = _multiply_rows(ROWS, VECTORS)
multiply_rows_narrow = _multiply_rows(ROWS, 1)
multiply_scattered = _multiply_scattered(VECTORS)
multiply_scattered_narrow = _multiply_scattered(1)
multiply_columns_wide = _multiply_columns(WIDE_ROWS, WIDE_VECTORS)
multiply_columns = _multiply_columns(ROWS, VECTORS)
multiply_columns_narrow = _multiply_columns(ROWS, 1)
multiply_packed = _multiply_packed(VECTORS)
multiply_packed_narrow = _multiply_packed(1)
