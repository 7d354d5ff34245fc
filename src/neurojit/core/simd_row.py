"""One row times a matrix: the register tile for batches too small to fill one.

`multiply_row` keeps four panels of sums, two vectors each, in registers, `multiply_row_narrow` a single vector. For
every column they do the additions of `simd.multiply_rows` in its order, so that results have the same bits either way.
"""

from neurojit.core.emitter import Emitter
from neurojit.core.host import VECTORS
from neurojit.core.jit import intrinsic, types

PANELS = 4  # of the full row: as many sums as hide how long an addition takes


def _multiply_row(panels, vectors, *, masked):
    @intrinsic
    def multiply_row(typing_context, like, row, run, weight, panel, stride, start, out, columns):
        """out[j] = start[j] + sum over k < run of row[k] weight[k, j].

        like : array of the element type.
        row, run : address of `run` values, at least one.
        weight, panel, stride : address of the weights, bytes from one panel of columns to the next, and elements from
            one row of weights to the next.
        start, out, columns : addresses of the row to start from and of the output, and how many columns of them the
            narrow product reads and writes; the full one does all of its panels.
        """

        def codegen(context, builder, signature, arguments):
            _, row, run, weight, panel, stride, start, out, columns = arguments
            e = Emitter(builder, like.dtype, vectors)
            masks = e.masks(columns) if masked else None
            stride = e.scale(stride)
            row = e.opaque(row)
            places = [e.opaque(e.add(weight, builder.mul(panel, e.constant(p)))) for p in range(panels)]
            width = vectors * e.lanes * e.bytes

            def step(k, sums):
                splat, down = e.splat(e.element(e.add(row, e.scale(k)))), builder.mul(k, stride)
                return [
                    [
                        builder.call(e.multiply_add, [splat, w, held])
                        for w, held in zip(e.load(e.add(place, down), masks), of_panel, strict=True)
                    ]
                    for place, of_panel in zip(places, sums, strict=True)
                ]

            sums = [e.load(e.add(start, e.constant(p * width)), masks) for p in range(panels)]
            for p, of_panel in enumerate(e.unrolled_loop(run, sums, step, "product")):
                e.store(of_panel, e.add(out, e.constant(p * width)), masks)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 8), codegen

    return multiply_row


multiply_row = _multiply_row(PANELS, VECTORS, masked=False)
multiply_row_narrow = _multiply_row(1, 1, masked=True)
