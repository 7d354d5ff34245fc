"""Threads for calls of serial kernels, which let go of the interpreter while they run.

A `prange` loop makes all threads do the same thing; here they may do different ones, such as to run a reservoir on
while its last states are learnt from. Whoever waits for a result makes other calls meanwhile, so that there is one
worker less than `thread_count`: with one thread, calls are made when their results are asked for.
"""

import collections
import concurrent.futures
import functools
import os
import threading

from neurojit.core.device import thread_count

_waiting: collections.deque["_Call"] = collections.deque()  # calls that nobody makes yet, in the order they came


@functools.cache
def _pool(count):
    return concurrent.futures.ThreadPoolExecutor(count, thread_name_prefix="neurojit")


def _forget():
    """A forked child has the pools, but none of their threads, and no use for its parent's calls."""
    _pool.cache_clear()
    _waiting.clear()


os.register_at_fork(after_in_child=_forget)


class _Call:
    """A call that is made once, by a worker or by who waits for one."""

    def __init__(self, function, arguments):
        self._call = functools.partial(function, *arguments)
        self._done = threading.Event()
        self._value = self._error = None

    def make(self):
        try:
            self._value = self._call()
        except BaseException as error:  # raised where the result is asked for
            self._error = error
            if not isinstance(error, Exception):
                raise  # to end the program is no matter of the call alone
        finally:
            self._call = None
            self._done.set()

    def result(self):
        """Its value, once it has been made; till then this thread makes what waits."""
        while not self._done.is_set():
            if not _make_next():
                self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value


def _make_next():
    """Make the call that has waited longest; whether there was one."""
    try:
        call = _waiting.popleft()
    except IndexError:
        return False
    call.make()
    return True


def submit(function, *arguments):
    """Have a worker call a function; ``.result()`` of what is returned waits for its value.

    Examples
    --------
    >>> from neurojit.core import workers
    >>> workers.submit(max, 3, 5).result()
    5
    """
    call = _Call(function, arguments)
    _waiting.append(call)
    if thread_count() > 1:
        _pool(thread_count() - 1).submit(_make_next)
    return call


def run_all(function, items):
    """[function(item) for item in items], on this thread and on workers that are free.

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

    calls = [submit(work) for _ in range(min(thread_count(), len(items)) - 1)]
    work()
    for call in calls:
        call.result()
    return results
