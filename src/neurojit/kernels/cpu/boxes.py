"""Boxes of windows: how few-channel convolutions are cut into tasks, and a copy of what the windows of a box see.

A box is some rows and columns of windows of one plane of outputs. What they see is copied, with the zeros past the
borders, into a band of the kernel's planes: it stays in the cache, and every window looks from its corner by the same
offsets. Shapes: source (n, d, h, w, c), band (planes, height, width, c); grid (D, H, W) and the other triples go by
axis; box (rows, columns).
"""

from neurojit.core.jit import inner_kernel
from neurojit.core.runs import copy
from neurojit.core.simd import address
from neurojit.kernels.cpu.chunks import ceil_divide


@inner_kernel
def box_count(images, grid, box):
    """How many boxes it takes."""
    return images * grid[0] * ceil_divide(grid[1], box[0]) * ceil_divide(grid[2], box[1])


@inner_kernel
def place(index, grid, box):
    """Image, plane, first row and first column of the box with this index."""
    index, x = divmod(index, ceil_divide(grid[2], box[1]))
    index, y = divmod(index, ceil_divide(grid[1], box[0]))
    n, z = divmod(index, grid[0])
    return n, z, y * box[0], x * box[1]


@inner_kernel
def read_box(source, corner, step, dilation, before, band):
    """Copy what the windows of the box at `corner` (n, z, y, x) see; `before` counts the zeros before each axis."""
    planes, height, width, c = band.shape
    _, d, h, w, _ = source.shape
    n, z, y, x = corner
    left = x * step[2] - before[2]
    skip = min(max(0, -left), width)
    count = max(0, min(width, w - left) - skip)
    for k in range(planes):
        plane = z * step[0] + k * dilation[0] - before[0]
        for r in range(height):
            row = y * step[1] + r - before[1]
            seen = count if 0 <= plane < d and 0 <= row < h else 0
            band[k, r, :skip] = 0
            if seen > 0:
                first = (((n * d + plane) * h + row) * w + left + skip) * c
                copy(source, address(source, first), address(band, ((k * height + r) * width + skip) * c), seen * c)
            band[k, r, skip + seen :] = 0


@inner_kernel
def tabulate_box(band, corner, grid, step, box, corners, positions):
    """Addresses in the band of the windows' corners, and their places among all windows; returns how many there are."""
    _, _, width, c = band.shape
    n, z, y, x = corner
    rows, columns = min(box[0], grid[1] - y), min(box[1], grid[2] - x)
    for i in range(rows):
        at = address(band, i * step[1] * width * c)
        first = ((n * grid[0] + z) * grid[1] + y + i) * grid[2] + x
        for j in range(columns):
            corners[i * columns + j] = at + j * step[2] * c * band.itemsize
            positions[i * columns + j] = first + j
    return rows * columns
