"""How passes over arrays are cut into tasks: by size alone, so that results do not depend on the number of threads."""

from neurojit.core.jit import kernel

# Elements of one task: a few of these arrays fit into a core's second-level cache, and a task takes some microseconds.
CHUNK = 1 << 14


@kernel
def ceil_divide(a, b):
    """a / b, rounded up."""
    return -(-a // b)


@kernel
def chunk_count(size):
    """Number of chunks in `size` elements."""
    return (size + CHUNK - 1) // CHUNK


@kernel
def chunk_rows(columns):
    """How many rows of `columns` elements make up about one chunk."""
    return max(1, CHUNK // max(1, columns))
