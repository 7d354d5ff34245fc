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


@kernel
def backwards(task, tasks, threads):
    """The task to do as number `task`, so that each thread goes through its share of them from the end.

    What a thread read last in the pass before is then still in its cache. Threads have shares of neighbouring tasks;
    were they others, only speed would change.
    """
    share = ceil_divide(tasks, threads)
    first = task // share * share
    return first + min(tasks, first + share) - 1 - task
