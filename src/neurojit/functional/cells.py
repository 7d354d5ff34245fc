"""A convolution of images whose window is a whole number of strides long, as one of stride 1.

An image is seen as cells of stride x stride pixels, a cell being one pixel of stride^2 times the channels (space to
depth). A window of k x k pixels is then one of k/stride x k/stride cells, and steps from cell to cell, so that
Winograd's algorithms for stride 1 apply.
"""

from neurojit.core.memory import empty
from neurojit.kernels.cpu.cells import gather_cells


def gathered(x, geometry, cells):
    """The cells of x (n, *geometry.size, c) that windows see, (n, *cells.size, cells.c_in)."""
    out = empty((len(x), *cells.size, cells.c_in), x.dtype)
    before = tuple(pair[0] for pair in geometry.padding[1:])
    gather_cells(x.reshape(len(x), *x.shape[2:]), before, geometry.stride[1:], out.reshape(len(x), *out.shape[2:]))
    return out


def weights_over_cells(weight, geometry, cells):
    """Weights (1, kh, kw, c_in, c_out) as (1, kh / stride, kw / stride, stride^2 c_in, c_out)."""
    (_, down, across), (_, sy, sx) = cells.window, geometry.stride
    by_cell = weight.reshape(down, sy, across, sx, *weight.shape[-2:]).transpose(0, 2, 1, 3, 4, 5)
    return by_cell.reshape(1, down, across, cells.c_in, weight.shape[-1])


def weights_of_cells(weight, geometry, cells):
    """The inverse of `weights_over_cells`, shape (kh, kw, c_in, c_out)."""
    (_, down, across), (_, sy, sx) = cells.window, geometry.stride
    by_cell = weight.reshape(down, across, sy, sx, geometry.c_in, -1).transpose(0, 2, 1, 3, 4, 5)
    return by_cell.reshape(down * sy, across * sx, geometry.c_in, -1)
