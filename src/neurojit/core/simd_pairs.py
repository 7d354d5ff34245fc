"""Products between two small sets of long rows: the inner loops of word vectors.

A window of text has some context rows x_a and some target rows y_k, each at an address of its own. Two intrinsics
work on all their pairs at once, with rows read a vector register at a time:

- `pair_dots`: out[a, k] = x_a . y_k
- `pair_updates`: z_a += sum_k g[a, k] y_k and y_k += sum_a g[a, k] x_a, the first sum with the y_k of before

and four more on rows without products: `copy_rows`, `mean_row`, `blend_row` and `add_row`. Targets come in groups of
TARGETS. Shapes and addresses are the caller's; nothing is checked here. Rows are `vectors` whole registers long
(`lanes` numbers each), zero beyond their end.
"""

from llvmlite import ir

from neurojit.core.emitter import Emitter
from neurojit.core.jit import intrinsic, types

TARGETS = 6  # of a group: with their sums they leave room in 16 registers
CONTEXTS = 2  # whose dot products are computed together


def _even_and_odd(e, x, y):
    """The sums of neighbouring lanes of x, then those of y."""
    evens, odds = ([ir.Constant(ir.IntType(32), i) for i in range(first, 2 * e.lanes, 2)] for first in (0, 1))
    mask = ir.VectorType(ir.IntType(32), e.lanes)
    halves = (e.builder.shuffle_vector(x, y, ir.Constant(mask, order)) for order in (evens, odds))
    return e.builder.fadd(*halves)


def _sums(e, registers):
    """One register whose lane i is the sum over all lanes of registers[i]; at most `lanes` registers."""
    zero = ir.Constant(e.vector, [0.0] * e.lanes)
    registers = registers + [zero] * (e.lanes - len(registers))
    while len(registers) > 1:
        pairs = zip(registers[::2], registers[1::2], strict=True)
        registers = [zero if x is zero and y is zero else _even_and_odd(e, x, y) for x, y in pairs]
    return registers[0]


def _row_vector(e, row, j):
    """Vector j of the row at an address."""
    return e.add(row, e.builder.mul(j, e.constant(e.lanes * e.bytes)))


@intrinsic
def pair_dots(typing_context, like, xs, x_count, ys, vectors, out):
    """out[a, k] = x_a . y_k for a < x_count and k < TARGETS.

    like : array of the element type.
    xs, x_count : address of a table of addresses, one for each context; how many, at least one.
    ys : address of a table of TARGETS addresses.
    vectors : registers in a row.
    out : address of x_count rows of TARGETS numbers, and room for a register more.
    """

    def codegen(context, builder, signature, arguments):
        _, xs, x_count, ys, vectors, out = arguments
        e = Emitter(builder, like.dtype, 1)
        zero = ir.Constant(e.vector, [0.0] * e.lanes)
        y_rows = [e.table_entry(ys, k) for k in range(TARGETS)]

        def dots(first, count):
            """Those of some contexts from the `first` on, together."""
            table = e.add(xs, builder.mul(first, e.constant(8)))
            x_rows = [e.table_entry(table, a) for a in range(count)]

            def step(j, sums):
                y = [e.load(_row_vector(e, row, j))[0] for row in y_rows]
                x = [e.load(_row_vector(e, row, j))[0] for row in x_rows]
                return [
                    [builder.call(e.multiply_add, [x[a], y[k], sums[a][k]]) for k in range(TARGETS)]
                    for a in range(count)
                ]

            sums = e.loop(vectors, [[zero] * TARGETS for _ in range(count)], step, "dots")
            flat = [register for row in sums for register in row]
            place = e.add(out, e.scale(builder.mul(first, e.constant(TARGETS))))
            for i in range(0, len(flat), e.lanes):
                e.store([_sums(e, flat[i : i + e.lanes])], e.add(place, e.constant(i * e.bytes)))

        def tile(t, nothing):
            dots(builder.mul(t, e.constant(CONTEXTS)), CONTEXTS)
            return nothing

        def rest(a, nothing):
            dots(a, 1)
            return nothing

        tiles = builder.udiv(x_count, e.constant(CONTEXTS))
        e.loop(tiles, [], tile, "tile")
        e.loop(x_count, [], rest, "rest", first=builder.mul(tiles, e.constant(CONTEXTS)))
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 5), codegen


@intrinsic
def pair_updates(typing_context, like, xs, zs, x_count, ys, g, vectors):
    """z_a += sum_k g[a, k] y_k and y_k += sum_a g[a, k] x_a for a < x_count and k < TARGETS.

    No y is an x or a z. A row may stand several times among the z, not among the y.

    like : array of the element type.
    xs, zs, x_count : addresses of two tables of addresses; how many, at least one.
    ys : address of a table of TARGETS addresses.
    g : address of x_count rows of TARGETS numbers.
    vectors : registers in a row.
    """

    def codegen(context, builder, signature, arguments):
        _, xs, zs, x_count, ys, g, vectors = arguments
        e = Emitter(builder, like.dtype, 1)
        y_rows = [e.table_entry(ys, k) for k in range(TARGETS)]

        def column(j, nothing):
            places = [_row_vector(e, row, j) for row in y_rows]
            old = [e.load(place)[0] for place in places]

            def one(a, sums):
                nth = builder.mul(a, e.constant(8))
                x = e.load(_row_vector(e, e.entry(e.add(xs, nth)), j))[0]
                z_place = _row_vector(e, e.entry(e.add(zs, nth)), j)
                z = e.load(z_place)[0]
                row = e.add(g, e.scale(builder.mul(a, e.constant(TARGETS))))
                new = []
                for k in range(TARGETS):
                    factor = e.splat(e.element(e.add(row, e.constant(k * e.bytes))))
                    z = builder.call(e.multiply_add, [factor, old[k], z])
                    new.append(builder.call(e.multiply_add, [factor, x, sums[0][k]]))
                e.store([z], z_place)
                return [new]

            (sums,) = e.loop(x_count, [old], one, "context")
            for place, value in zip(places, sums, strict=True):
                e.store([value], place)
            return nothing

        e.loop(vectors, [], column, "column")
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 6), codegen


@intrinsic
def copy_rows(typing_context, like, xs, zs, count, vectors):
    """z_a = x_a for a < count, at least one; the rows lie at the addresses in two tables."""

    def codegen(context, builder, signature, arguments):
        _, xs, zs, count, vectors = arguments
        e = Emitter(builder, like.dtype, 1)

        def one(a, nothing):
            nth = builder.mul(a, e.constant(8))
            x, z = e.entry(e.add(xs, nth)), e.entry(e.add(zs, nth))

            def column(j, nothing):
                e.store(e.load(_row_vector(e, x, j)), _row_vector(e, z, j))
                return nothing

            return e.loop(vectors, nothing, column, "column")

        e.loop(count, [], one, "row")
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 4), codegen


@intrinsic
def mean_row(typing_context, like, xs, count, z, vectors):
    """z = mean of x_a over a < count, at least one; z is an address."""

    def codegen(context, builder, signature, arguments):
        _, xs, count, z, vectors = arguments
        e = Emitter(builder, like.dtype, 1)
        zero = ir.Constant(e.vector, [0.0] * e.lanes)
        size = builder.sitofp(count, e.scalar)
        share = e.splat(builder.fdiv(ir.Constant(e.scalar, 1.0), size))

        def column(j, nothing):
            def one(a, sums):
                x = e.entry(e.add(xs, builder.mul(a, e.constant(8))))
                return [[builder.fadd(sums[0][0], e.load(_row_vector(e, x, j))[0])]]

            ((total,),) = e.loop(count, [[zero]], one, "row")
            e.store([builder.fmul(total, share)], _row_vector(e, z, j))
            return nothing

        e.loop(vectors, [], column, "column")
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 4), codegen


@intrinsic
def blend_row(typing_context, like, z, rest, xs, count, share, vectors):
    """z = rest z + share (sum of x_a over a < count, at least one); z is an address, rest and share numbers."""

    def codegen(context, builder, signature, arguments):
        _, z, rest, xs, count, share, vectors = arguments
        e = Emitter(builder, like.dtype, 1)
        rest, share = e.splat(rest), e.splat(share)

        def column(j, nothing):
            place = _row_vector(e, z, j)

            def one(a, sums):
                x = e.entry(e.add(xs, builder.mul(a, e.constant(8))))
                return [[builder.call(e.multiply_add, [share, e.load(_row_vector(e, x, j))[0], sums[0][0]])]]

            ((total,),) = e.loop(count, [[builder.fmul(rest, e.load(place)[0])]], one, "row")
            e.store([total], place)
            return nothing

        e.loop(vectors, [], column, "column")
        return context.get_dummy_value()

    number = like.dtype
    return types.void(like, types.intp, number, types.intp, types.intp, number, types.intp), codegen


@intrinsic
def add_row(typing_context, like, x, zs, count, vectors):
    """z_a += x for a < count, at least one; x is an address. A row may stand several times among the z."""

    def codegen(context, builder, signature, arguments):
        _, x, zs, count, vectors = arguments
        e = Emitter(builder, like.dtype, 1)

        def column(j, nothing):
            step = e.load(_row_vector(e, x, j))[0]

            def one(a, nothing):
                place = _row_vector(e, e.entry(e.add(zs, builder.mul(a, e.constant(8)))), j)
                e.store([builder.fadd(e.load(place)[0], step)], place)
                return nothing

            return e.loop(count, nothing, one, "row")

        e.loop(vectors, [], column, "column")
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 4), codegen


@intrinsic
def fetch_row(typing_context, like, row, vectors):
    """Ask for the cache lines of a row at an address, soon to be read: row of `vectors` registers."""

    def codegen(context, builder, signature, arguments):
        _, row, vectors = arguments
        e = Emitter(builder, like.dtype, 1)

        def step(j, nothing):
            e.prefetch(_row_vector(e, row, j))
            return nothing

        e.loop(vectors, [], step, "fetch")
        return context.get_dummy_value()

    return types.void(like, types.intp, types.intp), codegen
