"""The states of many series, a piece of time at a time, so that memory does not grow with their length.

Long series run one by one and many short ones side by side, on all threads, and on to their next piece while the last
one is looked at; how they are grouped depends on their lengths alone, and pieces come in a fixed order, so that sums
over them have the same bits for any number of threads.
"""

import collections
import dataclasses

import numpy as np

from neurojit.core.memory import empty
from neurojit.core.sparse import SERIES
from neurojit.core.workers import submit

_LEAST_SHARE = 4  # a group less than a fourth full goes faster one by one
_TASKS = 8  # series or groups that run in turn, piece by piece
_PIECE_BYTES = 1 << 22  # of states: what two caches hold; threads are called once a piece
_LEAST_ROWS = 256  # in a piece, whatever their size
_LEAST_STEPS = 1024  # in a piece of a single series, so that there is work for others while it runs on


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
    >>> rows = np.empty((4, 2))
    >>> drive.write(0, 0, rows)
    >>> rows
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
        """Values of a step: the inputs, and the outputs that are fed back."""
        return self.series[0].shape[1] + (0 if self.outputs is None else self.outputs[0].shape[1])

    def write(self, s, first, rows):
        """Write what series s gets from step `first` on into rows, zeros past its end."""
        u = self.series[s][first : first + len(rows)]
        width, steps = u.shape[1], len(u)
        rows[:steps, :width] = u
        rows[steps:] = 0.0
        if self.outputs is not None:
            y = self.outputs[s][max(first - 1, 0) : first + steps - 1]
            rows[: steps - len(y), width:] = 0.0 if self.before is None else self.before
            rows[steps - len(y) : steps, width:] = y


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


def harvest(reservoir, drive, state, *, noise=0.0, key=None, first=0, take=None):
    """Yield the states of all series in pieces, or what is taken of them.

    Parameters
    ----------
    reservoir : Reservoir
    drive : Drive
    state : numpy.ndarray, shape (n_series, size)
        Where each series starts; at the end it holds where each has ended.
    noise, key, first
        As for `Reservoir.run`; series s draws from ``key.child(s)``.
    take : callable or None, default=None
        What to make of a piece, on the thread that ran it; None is the piece itself.

    Yields
    ------
    Piece or what `take` returns
        A piece's arrays are used again for its next but one.

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
    tasks = _tasks(lengths, SERIES)
    run = _Runner(reservoir, drive, state, lengths, noise, key, first, take)
    for start in range(0, len(tasks), _TASKS):
        yield from _in_turn(run, tasks[start : start + _TASKS])


def _tasks(lengths, width):
    """The series of each task: groups of nearly one length, or single ones."""
    order = np.argsort(-lengths, kind="stable")
    groups = [order[i : i + width] for i in range(0, len(order), width)]
    return [
        task for group in groups for task in ([group] if _LEAST_SHARE * len(group) >= width else group.reshape(-1, 1))
    ]


def _in_turn(run, tasks):
    """The first pieces of all tasks, then their next ones, and so on; each is begun as the one before it is yielded."""
    pending = collections.deque()
    for task in tasks:
        rooms = run.rooms(task)
        pending.append((task, rooms, submit(run, task, 0, rooms[0])))
    while pending:
        task, rooms, begun = pending.popleft()
        end, taken = begun.result()
        rooms = rooms[::-1]
        if end < run.lengths[task].max():
            pending.append((task, rooms, submit(run, task, end, rooms[0])))
        yield taken


class _Runner:
    """Runs a task on by a piece."""

    def __init__(self, reservoir, drive, state, lengths, noise, key, first, take):
        self.reservoir, self.drive, self.state, self.lengths = reservoir, drive, state, lengths
        self.noise, self.key, self.first, self.take = noise, key, first, take

    def rooms(self, task):
        """Room for the states of two pieces of a task: while one is looked at, the next one comes."""
        size = self.reservoir.size
        least = _LEAST_STEPS if len(task) == 1 else _LEAST_ROWS
        rows = max(_PIECE_BYTES // (size * self.reservoir.dtype.itemsize), least)
        steps = int(min(-(-rows // len(task)), self.lengths[task].max()))
        return [empty((len(task), steps, size), self.reservoir.dtype) for _ in range(2)]

    def __call__(self, task, begin, room):
        """Run a piece of a task from step `begin` on, its states in `room`; where it ends, and what is taken of it."""
        reservoir = self.reservoir
        left = np.clip(self.lengths[task] - begin, 0, room.shape[1])
        steps = int(left.max())
        u = np.empty((len(task), steps, self.drive.width), reservoir.dtype)
        for rows, s in zip(u, task, strict=True):
            self.drive.write(s, begin, rows)
        out = room.reshape(-1)[: len(task) * steps * reservoir.size].reshape(len(task), steps, reservoir.size)
        options = {"noise": self.noise, "first": self.first + begin}
        keys = None if self.key is None else [self.key.child(s) for s in task]
        if len(task) == 1:
            reservoir.run(u[0], self.state[task[0]], key=keys and keys[0], out=out[0], **options)
        else:
            reservoir.run_batch(u, self.state[task], keys=keys, out=out, **options)
        alive = left > 0
        self.state[task[alive]] = out[alive, left[alive] - 1]
        piece = Piece(task, begin, left, u, out)
        return begin + steps, piece if self.take is None else self.take(piece)
