"""Python threads for calls of serial kernels, which let go of the interpreter while they run.

A `prange` loop makes all threads do the same thing; here they may do different ones, such as to run a reservoir on
while its last states are learnt from. There are as many workers as `thread_count`; with one, calls are made on the
thread that asks for their results.
"""

import concurrent.futures
import functools
import os

from neurojit.core.device import thread_count


@functools.cache
def _pool(count):
    return concurrent.futures.ThreadPoolExecutor(count, thread_name_prefix="neurojit")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has the pools, but none of their threads


class _Later:
    """A call that is made when its result is asked for."""

    def __init__(self, function, arguments):
        self._call = functools.partial(function, *arguments)

    def result(self):
        return self._call()


def submit(function, *arguments):
    """Have a worker call a function; ``.result()`` of what is returned waits for its value.

    With one thread nothing is called before the result is asked for, which must be done once.

    Examples
    --------
    >>> from neurojit.core import workers
    >>> workers.submit(max, 3, 5).result()
    5
    """
    count = thread_count()
    return _Later(function, arguments) if count == 1 else _pool(count).submit(function, *arguments)


def run_all(function, items):
    """[function(item) for item in items], on all workers.

    Examples
    --------
    >>> from neurojit.core import workers
    >>> workers.run_all(abs, [-1, 2])
    [1, 2]
    """
    items = list(items)
    results = [None] * len(items)
    left = iter(range(len(items)))

    def work():
        for i in left:  # each is taken once: threads hold the interpreter while they take one
            results[i] = function(items[i])

    for call in [submit(work) for _ in range(min(thread_count(), len(items)))]:
        call.result()
    return results
