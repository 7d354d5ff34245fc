"""Threads: how many, one parallel launch at a time, and none in a forked child that would hang or abort."""

import contextlib
import numbers
import os
import threading
from collections.abc import Iterator

import numba
from numba.core.compiler_lock import global_compiler_lock

# Two Python threads inside numba's parallel region abort the process on its workqueue layer, so launches queue here.
_launch_lock = threading.RLock()
_launched = False
_forked_after_launch = False


def _after_fork_in_child():
    global _launch_lock, _forked_after_launch
    _launch_lock = threading.RLock()  # another thread of the parent may have held it
    _forked_after_launch = _launched


os.register_at_fork(after_in_child=_after_fork_in_child)

# A child forked while another thread compiles would wait for that thread, which it has not, at its own first
# compilation: a fork waits till the compiler is free.
os.register_at_fork(
    before=global_compiler_lock.acquire,
    after_in_parent=global_compiler_lock.release,
    after_in_child=global_compiler_lock.release,
)


def _threads_survive_fork():
    """Whether the threading layer can start again in a forked child: GNU OpenMP kills such a process."""
    try:
        return numba.threading_layer() != "omp"
    except ValueError:  # the parent's launch never came as far as starting threads
        return True


@contextlib.contextmanager
def launch() -> Iterator[bool]:
    """Hold the process-wide launch lock; yields False where the kernel has to run on the calling thread alone."""
    global _launched
    with _launch_lock:
        if _forked_after_launch and not _threads_survive_fork():
            yield False
        else:
            _launched = True
            yield True


@contextlib.contextmanager
def threads(n_threads: int | None = None) -> Iterator[None]:
    """Run kernels on `n_threads` threads inside a ``with`` block and restore the number after it.

    Parameters
    ----------
    n_threads : int or None, default=None
        Threads to use; None keeps the current number. More than the machine offers is an error.

    Yields
    ------
    None

    Raises
    ------
    TypeError
        If `n_threads` is not an integer.
    ValueError
        If `n_threads` is not between 1 and the number numba was started with.

    Examples
    --------
    >>> from neurojit.core.device import thread_count, threads
    >>> with threads(1):
    ...     thread_count()
    1
    """
    if n_threads is None:
        yield
        return
    check_thread_count(n_threads)
    before = numba.get_num_threads()
    if n_threads == before:
        yield
        return
    numba.set_num_threads(int(n_threads))
    try:
        yield
    finally:
        numba.set_num_threads(before)


def check_thread_count(n_threads: int) -> None:
    """Raise TypeError or ValueError unless `n_threads` is a number of threads this process can run."""
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    wanted = f"wanted an integer from 1 to {most} (set NUMBA_NUM_THREADS for more)"
    if isinstance(n_threads, bool) or not isinstance(n_threads, numbers.Integral):
        raise TypeError(f"n_threads: got {n_threads!r}, {wanted}")
    if not 1 <= n_threads <= most:
        raise ValueError(f"n_threads: got {n_threads!r}, {wanted}")


def thread_count() -> int:
    """The number of threads the next kernel launch will use."""
    return numba.get_num_threads()


def describe():
    """One line on the threads and the threading layer numba computes on.

    Examples
    --------
    >>> from neurojit.core import device
    >>> "layer" in device.describe()
    True
    """
    count = thread_count()  # asking starts the layer, so that it has a name
    return f"{count} of {numba.config.NUMBA_NUM_THREADS}, layer {numba.threading_layer()}"
