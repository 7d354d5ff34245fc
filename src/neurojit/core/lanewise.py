"""The lanewise tile: the inner loop of depthwise convolutions and of those with a few channels in each group.

Where the register tile of simd.py multiplies one input with a whole row of weights, here every lane of a register is an
output channel and reads the inputs of its own group, which lie beside it in the same register: `width` channels, in
and out, that are shuffled within the register. A width of 1, depthwise, needs no shuffle.

- `multiply_lanes`: out[i, j] = start[j] + sum_s sum_c a[s, i][j - j % width + c] w[s, c, j]
- `sum_lanes`: dw[s, c, j] += sum_i a[s, i][j - j % width + c] b[i, j], for gradients to weights

Both take one panel of channels and ROWS positions, with addresses as in simd.py. `multiply_lanes_along` and
`sum_lanes_along` do the same where the positions, and `taps` segments at a time, are neighbours in a row: what one tap
sees at a position the next one saw at the position before, and is read once for all.

The width and the number of taps are known when a kernel is compiled: they are the lengths of tuples, `group` and
`window`.
"""

from llvmlite import ir

from neurojit.core.emitter import Emitter
from neurojit.core.host import ROWS, VECTORS
from neurojit.core.jit import intrinsic, types

__all__ = [
    "multiply_lanes",
    "multiply_lanes_along",
    "multiply_lanes_narrow",
    "sum_lanes",
    "sum_lanes_along",
    "sum_lanes_narrow",
]


class _LaneEmitter(Emitter):
    """Writes the LLVM code of one lanewise tile, `width` channels to a group."""

    def __init__(self, builder, dtype, vectors, width, columns=None):
        super().__init__(builder, dtype, vectors)
        self.width = width
        self.limits = None if columns is None else self.masks(columns)

    def spread(self, row):
        """For every input c of a group: in every lane, that of its own group."""
        return [self._spread(row, c) for c in range(self.width)]

    def _spread(self, row, c):
        if self.width == 1:
            return row
        lanes = [lane - lane % self.width + c for lane in range(self.lanes)]
        order = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), lanes)
        undefined = ir.Constant(self.vector, ir.Undefined)
        return [self.builder.shuffle_vector(vector, undefined, order) for vector in row]

    def rows_of(self, at):
        """Addresses of the rows of weights of one segment, an input each; they are as wide as the full tile."""
        row_bytes = VECTORS * self.lanes * self.bytes
        return [self.add(at, self.constant(c * row_bytes)) for c in range(self.width)]

    def multiply(self, a, b, sums):
        """sums + a b, a vector at a time."""
        return [self.builder.call(self.multiply_add, parts) for parts in zip(a, b, sums, strict=True)]

    def nth(self, table, s, times=1):
        """Entry s * times of a table."""
        return self.entry(self.add(table, self.builder.mul(s, self.constant(8 * times))))

    def runs(self, s, table, step, move):
        """Addresses of the ROWS runs of segment s."""
        at = self.add(table, self.builder.mul(self.builder.mul(s, step), self.constant(8)))
        return [self.add(self.table_entry(at, i), move) for i in range(ROWS)]

    def columns_seen(self, first, pixel, taps):
        """The registers of all neighbours that `taps` taps see from ROWS positions, with who sees them: (i, tap)."""
        at = first
        for column in range(ROWS + taps - 1):
            seen_by = [(column - tap, tap) for tap in range(taps) if 0 <= column - tap < ROWS]
            yield self.spread(self.load(at)), seen_by
            at = self.add(at, pixel)


def _multiply_lanes(vectors, *, masked):
    @intrinsic
    def multiply_lanes(
        typing_context, like, group, table, step, moves, segments, offset, weight, places, outs, columns, start
    ):
        """out[i, j] = start[j] + sum over segments s and c < width of a[s, i][j - j % width + c] w[s, c, j].

        like, group : array of the element type, and tuple as long as a group is wide.
        table, step, moves, segments : as in `simd.multiply_rows`.
        offset : bytes from the runs in the table to this panel's channels, and from the output rows as well.
        weight, places : address of this panel's weights, rows as wide as the tile; and address of a distance from there
            in bytes for each segment.
        outs, columns : address of ROWS addresses of output rows, and how many channels of them to read and write; the
            full tile does all of its width.
        start : address of a full row to start from.
        """

        def codegen(context, builder, signature, arguments):
            _, _, table, step, moves, segments, offset, weight, places, outs, columns, start = arguments
            e = _LaneEmitter(builder, like.dtype, vectors, group.count, columns if masked else None)

            def multiply(s, tile):
                weights = [e.load(at) for at in e.rows_of(e.add(weight, e.nth(places, s)))]
                new = []
                for at, sums in zip(e.runs(s, table, step, e.add(e.nth(moves, s), offset)), tile, strict=True):
                    for a, w in zip(e.spread(e.load(at, e.limits)), weights, strict=True):
                        sums = e.multiply(a, w, sums)
                    new.append(sums)
                return new

            tile = e.loop(segments, [e.load(start)] * ROWS, multiply, "segment")
            for i, row in enumerate(tile):
                e.store(row, e.add(e.table_entry(outs, i), offset), e.limits)
            return context.get_dummy_value()

        return types.void(like, group, *[types.intp] * 10), codegen

    return multiply_lanes


@intrinsic
def multiply_lanes_along(
    typing_context, like, group, window, first, pixel, moves, rows, offset, weight, places, outs, start
):
    """`multiply_lanes` for `rows` rows of as many taps as `window` is long, at ROWS positions that follow one another.

    first, pixel : address of what the corner of the first window sees, and bytes from one position to the next.
    The others are those of `multiply_lanes`, with entries for every tap.
    """
    taps = window.count

    def codegen(context, builder, signature, arguments):
        _, _, _, first, pixel, moves, rows, offset, weight, places, outs, start = arguments
        e = _LaneEmitter(builder, like.dtype, VECTORS, group.count)
        tap_bytes = group.count * VECTORS * e.lanes * e.bytes

        def multiply(s, tile):
            place = e.add(weight, e.nth(places, s, taps))
            weights = [[e.load(at) for at in e.rows_of(e.add(place, e.constant(t * tap_bytes)))] for t in range(taps)]
            tile = list(tile)
            seen_from = e.add(first, offset, e.nth(moves, s, taps))
            for inputs, seen_by in e.columns_seen(seen_from, pixel, taps):
                for i, tap in seen_by:
                    for a, w in zip(inputs, weights[tap], strict=True):
                        tile[i] = e.multiply(a, w, tile[i])
            return tile

        tile = e.loop(rows, [e.load(start)] * ROWS, multiply, "row")
        for i, row in enumerate(tile):
            e.store(row, e.add(e.table_entry(outs, i), offset))
        return context.get_dummy_value()

    return types.void(like, group, window, *[types.intp] * 9), codegen


def _sum_lanes(vectors, *, masked):
    @intrinsic
    def sum_lanes(typing_context, like, group, table, step, moves, segments, offset, rows, dweight, places, columns):
        """dw[s, c, j] += sum over i < ROWS of a[s, i][j - j % width + c] b[i, j].

        rows : address of ROWS addresses of rows of b.
        dweight, places : address of this panel's sums, laid out as the weights of `multiply_lanes` are.
        The others are those of `multiply_lanes`.
        """

        def codegen(context, builder, signature, arguments):
            _, _, table, step, moves, segments, offset, rows, dweight, places, columns = arguments
            e = _LaneEmitter(builder, like.dtype, vectors, group.count, columns if masked else None)
            b_rows = [e.load(e.add(e.table_entry(rows, i), offset), e.limits) for i in range(ROWS)]

            def add_products(s, tile):
                sums_at = e.rows_of(e.add(dweight, e.nth(places, s)))
                sums = [e.load(at) for at in sums_at]
                for at, b in zip(e.runs(s, table, step, e.add(e.nth(moves, s), offset)), b_rows, strict=True):
                    inputs = e.spread(e.load(at, e.limits))
                    sums = [e.multiply(a, b, row) for a, row in zip(inputs, sums, strict=True)]
                for row, at in zip(sums, sums_at, strict=True):
                    e.store(row, at)
                return tile

            e.loop(segments, [], add_products, "segment")
            return context.get_dummy_value()

        return types.void(like, group, *[types.intp] * 9), codegen

    return sum_lanes


@intrinsic
def sum_lanes_along(typing_context, like, group, window, first, pixel, moves, rows, offset, douts, dweight, places):
    """`sum_lanes` for `rows` rows of as many taps as `window` is long, at ROWS positions that follow one another.

    douts : address of ROWS addresses of rows of b.
    The others are those of `multiply_lanes_along`.
    """
    taps = window.count

    def codegen(context, builder, signature, arguments):
        _, _, _, first, pixel, moves, rows, offset, douts, dweight, places = arguments
        e = _LaneEmitter(builder, like.dtype, VECTORS, group.count)
        tap_bytes = group.count * VECTORS * e.lanes * e.bytes
        b_rows = [e.load(e.add(e.table_entry(douts, i), offset)) for i in range(ROWS)]

        def add_products(s, tile):
            place = e.add(dweight, e.nth(places, s, taps))
            sums_at = [e.rows_of(e.add(place, e.constant(t * tap_bytes))) for t in range(taps)]
            sums = [[e.load(at) for at in tap] for tap in sums_at]
            seen_from = e.add(first, offset, e.nth(moves, s, taps))
            for inputs, seen_by in e.columns_seen(seen_from, pixel, taps):
                for i, tap in seen_by:
                    sums[tap] = [e.multiply(a, b_rows[i], row) for a, row in zip(inputs, sums[tap], strict=True)]
            for tap_sums, tap_at in zip(sums, sums_at, strict=True):
                for row, at in zip(tap_sums, tap_at, strict=True):
                    e.store(row, at)
            return tile

        e.loop(rows, [], add_products, "row")
        return context.get_dummy_value()

    return types.void(like, group, window, *[types.intp] * 8), codegen


# A full tile is two vectors wide; one vector, of which some lanes may be off, serves the channels that are left.
multiply_lanes = _multiply_lanes(VECTORS, masked=False)
multiply_lanes_narrow = _multiply_lanes(1, masked=True)
sum_lanes = _sum_lanes(VECTORS, masked=False)
sum_lanes_narrow = _sum_lanes(1, masked=True)
