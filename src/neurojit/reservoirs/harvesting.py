"""The states of many series, a piece of time at a time, so that memory does not grow with their length.

Long series run one by one and many short ones side by side, on all threads; how they are grouped depends on their
lengths alone, and pieces come in a fixed order, so that sums over them have the same bits for any number of threads.
"""

import concurrent.futures
import dataclasses

import numpy as np

from neurojit.core.device import thread_count
from neurojit.core.memory import empty
from neurojit.core.sparse import series

_LEAST_SHARE = 4  # a group less than a fourth full goes faster one by one
_TASKS = 8  # series or groups that run in turn, piece by piece
_PIECE_BYTES = 1 << 24  # of states
_LEAST_STEPS = 16


class Drive:
    """What is fed into a reservoir: series, and outputs known beforehand that are fed back a step later.

    Parameters
    ----------
    series : list of numpy.ndarray, shape (n_steps, n_inputs)
    outputs : list of numpy.ndarray, shape (n_steps, n_outputs) or None, default=None
        Outputs to be fed back.
    before : numpy.ndarray, shape (n_outputs,) or None, default=None
        The output before the first step of each series; None is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import Drive
    >>> drive = Drive([np.ones((3, 1))], outputs=[np.array([[7.0], [8.0], [9.0]])])
    >>> drive.piece(0, 0, 4, np.float64)
    array([[1., 0.],
           [1., 7.],
           [1., 8.],
           [0., 0.]])
    """

    def __init__(self, series, outputs=None, before=None):
        self.series, self.outputs, self.before = series, outputs, before

    def __len__(self):
        return len(self.series)

    @property
    def width(self):
        return self.series[0].shape[1] + (0 if self.outputs is None else self.outputs[0].shape[1])

    def piece(self, s, first, steps, dtype):
        """Rows `first` to `first + steps` of series s, zeros past its end."""
        rows = np.zeros((steps, self.width), dtype)
        u = self.series[s][first : first + steps]
        rows[: len(u), : u.shape[1]] = u
        if self.outputs is not None:
            y = self.outputs[s][max(first - 1, 0) : first + len(u) - 1]
            rows[len(u) - len(y) : len(u), u.shape[1] :] = y
            if first == 0 and self.before is not None and len(u):
                rows[0, u.shape[1] :] = self.before
        return rows


@dataclasses.dataclass(frozen=True)
class Piece:
    """A stretch of time of some series.

    Parameters
    ----------
    series : numpy.ndarray of int, shape (n,)
        Which series.
    first : int
        Number of the first step.
    lengths : numpy.ndarray of int, shape (n,)
        How many of the steps each series still has.
    inputs : numpy.ndarray, shape (n, n_steps, n_inputs)
    states : numpy.ndarray, shape (n, n_steps, size)

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import Drive, harvest, make_reservoir
    >>> reservoir = make_reservoir(1, n_units=20, random_state=0)
    >>> pieces = harvest(reservoir, Drive([np.ones((30, 1))]), np.zeros((1, 20)))
    >>> [(piece.first, piece.states.shape, list(piece.rows(washout=10))) for piece in pieces]
    [(0, (1, 30, 20), [(0, 0, slice(10, 30, None))])]
    """

    series: np.ndarray
    first: int
    lengths: np.ndarray
    inputs: np.ndarray
    states: np.ndarray

    def rows(self, washout=0):
        """For each series that has some: its place in the piece, its number, and the steps after the washout."""
        for i, s in enumerate(self.series.tolist()):
            start = max(washout - self.first, 0)
            if start < self.lengths[i]:
                yield i, s, slice(start, int(self.lengths[i]))


def harvest(reservoir, drive, state, *, noise=0.0, key=None, first=0):
    """Yield the states of all series in pieces.

    Parameters
    ----------
    reservoir : Reservoir
    drive : Drive
    state : numpy.ndarray, shape (n_series, size)
        Where each series starts; at the end it holds where each has ended.
    noise, key, first
        As for `Reservoir.run`; series s draws from ``key.child(s)``.

    Yields
    ------
    Piece
        Its arrays are used again for the next one.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.reservoirs import Drive, harvest, make_reservoir
    >>> reservoir = make_reservoir(1, n_units=50, random_state=0)
    >>> series, state = [np.ones((40, 1)), np.ones((60, 1))], np.zeros((2, 50))
    >>> sum(len(piece.states) for piece in harvest(reservoir, Drive(series), state))
    2
    """
    lengths = np.array([len(u) for u in drive.series])
    tasks = _tasks(lengths, series(reservoir.dtype))
    with concurrent.futures.ThreadPoolExecutor(max(1, min(thread_count(), len(tasks)))) as pool:
        run = pool.map if len(tasks) > 1 and thread_count() > 1 else map
        for start in range(0, len(tasks), _TASKS):
            yield from _wave(reservoir, drive, state, lengths, tasks[start : start + _TASKS], run, noise, key, first)


def _tasks(lengths, width):
    """The series of each task: groups of nearly one length, or single ones."""
    order = np.argsort(-lengths, kind="stable")
    groups = [order[i : i + width] for i in range(0, len(order), width)]
    return [
        task for group in groups for task in ([group] if _LEAST_SHARE * len(group) >= width else group.reshape(-1, 1))
    ]


def _wave(reservoir, drive, state, lengths, tasks, run, noise, key, first):
    """The pieces of a few tasks, all of one stretch of time before those of the next."""
    in_flight = sum(len(task) for task in tasks)
    steps = max(_LEAST_STEPS, _PIECE_BYTES // (in_flight * reservoir.size * reservoir.dtype.itemsize))
    room = empty((in_flight, int(min(steps, lengths[tasks[0]].max())), reservoir.size), reservoir.dtype)

    def advance(job):
        task, begin, out, u = job
        if len(task) == 1:
            noise_key = None if key is None else key.child(task[0])
            reservoir.run(u[0], state[task[0]], noise=noise, key=noise_key, first=first + begin, out=out[0])
        else:
            keys = None if key is None else [key.child(s) for s in task]
            reservoir.run_batch(u, state[task], noise=noise, keys=keys, first=first + begin, out=out)

    for begin in range(0, int(lengths[tasks[0]].max()), steps):
        jobs, used = [], 0
        for task in tasks:
            left = np.clip(lengths[task] - begin, 0, steps)
            if left.max() > 0:
                u = np.stack([drive.piece(s, begin, int(left.max()), reservoir.dtype) for s in task])
                out = room[used : used + len(task)].reshape(-1)[: u.shape[0] * u.shape[1] * reservoir.size]
                jobs.append((task, begin, out.reshape(*u.shape[:2], reservoir.size), u))
                used += len(task)
        list(run(advance, jobs))
        for task, _, out, u in jobs:
            left = np.clip(lengths[task] - begin, 0, u.shape[1])
            alive = left > 0
            state[task[alive]] = out[alive, left[alive] - 1]
            yield Piece(task, begin, left, u, out)
