"""BLAS on one thread, while threads of ours do the work.

A thread of OpenBLAS's waits for more work by asking again and again for some hundredths of a second: beside other
threads it takes a core from them, even when its own work is long done.
"""

import contextlib
import functools
import os
import threading

_lock = threading.Lock()
_inside = 0
_limit = None


def _after_fork_in_child():
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_after_fork_in_child)


@functools.cache
def _controller():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextlib.contextmanager
def one_blas_thread():
    """Let BLAS compute on the thread that calls it, inside a ``with`` block.

    The number of its threads belongs to the process: it is set as the first of several blocks is entered, and what it
    was is restored as the last one is left.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.core.blas import one_blas_thread
    >>> with one_blas_thread():
    ...     np.ones((2, 2)) @ np.ones(2)
    array([2., 2.])
    """
    global _inside, _limit
    with _lock:
        if _inside == 0:
            _limit = _controller().limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limit.restore_original_limits()
