"""From a number to a place in a batch of images, and back; images have three spatial axes, some of length 1."""

from neurojit.core.cuda import device_function, quotient


@device_function
def place_of(position, grid):
    """Image, depth, height and width of a position, counted along the width first."""
    row = quotient(position, grid[2])
    slab = quotient(row, grid[1])
    image = quotient(slab, grid[0])
    return image, slab - image * grid[0], row - slab * grid[1], position - row * grid[2]


@device_function
def pixel_of(place, origin, spacing, size):
    """The number of the pixel at origin + spacing * place of images of a size."""
    d, h, w = origin[0] + spacing[0] * place[1], origin[1] + spacing[1] * place[2], origin[2] + spacing[2] * place[3]
    return ((place[0] * size[0] + d) * size[1] + h) * size[2] + w


@device_function
def inside(image, d, h, w, size):
    """The number of a pixel, or -1 where it is past the border of its image."""
    if d < 0 or d >= size[0] or h < 0 or h >= size[1] or w < 0 or w >= size[2]:
        return -1
    return ((image * size[0] + d) * size[1] + h) * size[2] + w
