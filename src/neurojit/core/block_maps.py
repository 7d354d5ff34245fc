"""Linear maps of small square blocks, x -> T x T^T, for many channels at once: the transforms of Winograd's algorithms.

`block_map` writes one as straight vector code: a block of vectors is loaded, its columns and then its rows are mapped
in registers, and the result is stored. The matrix is known when the code is written, so that zeros cost nothing.
"""

import numpy as np
from llvmlite import ir

from neurojit.core.emitter import Emitter
from neurojit.core.jit import intrinsic, types

__all__ = ["block_map"]


class _Mapper(Emitter):
    """Writes products of constant matrices and columns of vectors."""

    def splatted(self, value):
        return ir.Constant(self.vector, [float(value)] * self.lanes)

    def weighted_sum(self, weights, values):
        """Sum of weight * value; those of weight 1 come first and need no multiplication."""
        terms = [(w, v) for w, v in zip(weights, values, strict=True) if w]
        terms.sort(key=lambda term: (term[0] != 1, term[0] != -1))
        total = None
        for weight, value in terms:
            if total is None:
                total = value if weight == 1 else self.builder.fmul(value, self.splatted(weight))
            elif weight == 1:
                total = self.builder.fadd(total, value)
            elif weight == -1:
                total = self.builder.fsub(total, value)
            else:
                total = self.builder.call(self.multiply_add, [value, self.splatted(weight), total])
        return total

    def mapped(self, matrices, values):
        """The product of the matrices, the last one outermost, and a column of vectors."""
        for matrix in matrices:
            values = [self.weighted_sum(row, values) for row in matrix]
        return values

    def square(self, matrices, block):
        """T x T^T for a block of vectors given as a list of rows."""
        columns = [self.mapped(matrices, column) for column in zip(*block, strict=True)]
        return [self.mapped(matrices, row) for row in zip(*columns, strict=True)]


def block_map(*matrices):
    """An intrinsic that maps blocks by T = matrices[-1] @ ... @ matrices[0].

    Parameters
    ----------
    *matrices : array-like, shape (rows, columns)
        The factors of T, the first to be applied first: a clever factorization saves additions.

    Returns
    -------
    intrinsic
        ``apply(like, sources, channels, targets, bias)``. `sources` and `targets` are addresses of tables of
        addresses, one for each element of the block in row-major order, and `bias` is the address of a row that is
        added to every element of the result. Element (i, j) of the block and channel c lies c numbers behind
        ``sources[i * columns + j]``. All addresses in bytes; `like` is an array of the element type.
    """
    matrices = [np.asarray(m, np.float64).tolist() for m in matrices]
    size_in, size_out = len(matrices[0][0]), len(matrices[-1])

    @intrinsic
    def apply(typing_context, like, sources, channels, targets, bias):
        def codegen(context, builder, signature, arguments):
            _, sources, channels, targets, bias = arguments
            e = _Mapper(builder, like.dtype, 1)

            def at_channels(c, masks):
                def at(table, i, j, size):
                    return e.add(e.table_entry(table, i * size + j), e.scale(c))

                block = [[e.load(at(sources, i, j, size_in), masks)[0] for j in range(size_in)] for i in range(size_in)]
                (added,) = e.load(e.add(bias, e.scale(c)), masks)
                for i, row in enumerate(e.square(matrices, block)):
                    for j, value in enumerate(row):
                        e.store([builder.fadd(value, added)], at(targets, i, j, size_out), masks)

            e.along(channels, at_channels)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 4), codegen

    return apply
