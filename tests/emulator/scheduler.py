"""Threads of a grid, run one after another on one CPU thread: each until it reaches a barrier.

A thread is a greenlet. At a barrier it hands its request to the scheduler, which lets it go on when everybody who has
to be there is there, and complains when that can never be. Blocks run one after another, or side by side where the
kernel synchronizes the grid.
"""

import dataclasses
import itertools
import random
import types

import greenlet

WARP = 32


class EmulatedError(RuntimeError):
    """A kernel did what hardware would not forgive."""


class DivergentBarrier(EmulatedError):  # noqa: N818, named for what happened
    """Threads that should meet at one barrier wait at different ones, or have gone."""


class Race(EmulatedError):  # noqa: N818
    """Two threads use one place in memory, one of them writes, and no barrier says in which order."""


@dataclasses.dataclass
class Dim3:
    x: int
    y: int = 1
    z: int = 1


@dataclasses.dataclass(frozen=True)
class Barrier:
    """A request to wait: `kind` is block, warp or grid; `place` where in the code; the rest is for warps' exchanges."""

    kind: str
    place: tuple
    value: object = None
    mask: int = 0xFFFFFFFF
    exchange: str = "sync"
    operand: int = 0


class Block:
    def __init__(self, index):
        self.index = index
        self.shared = {}
        self.epoch = 0  # barriers of the block and of the grid passed
        self.grid_epoch = 0
        self.threads = []


class Thread(greenlet.greenlet):
    """One thread, with its place in the grid and how many barriers it has passed."""

    def __init__(self, call, parent, block, index, number):
        super().__init__(call, parent)
        self.block, self.index, self.number = block, index, number
        self.warp, self.lane = divmod(number, WARP)
        self.warp_epoch = 0
        self.barrier = self.answer = None

    def wait(self, barrier):
        """Called in the thread: hand the request to the scheduler; returns its answer."""
        return self.parent.switch(barrier)


def current():
    """The thread that is running."""
    return greenlet.getcurrent()


def triple(size):
    size = tuple(size) if isinstance(size, tuple | list) else (size,)
    return size + (1,) * (3 - len(size))


def run_grid(call, launch, *, order="forward", seed=0, side_by_side=False):
    """Run ``call()`` in every thread of the launch.

    Parameters
    ----------
    order : {"forward", "reverse", "random"}
        In which order blocks are taken, and threads between two barriers.
    side_by_side : bool
        Whether all blocks run at once, as synchronizing the grid needs.
    """
    shuffle = random.Random(seed)
    places = [Dim3(x, y, z) for z, y, x in itertools.product(*map(range, reversed(triple(launch.grid))))]
    _arrange(places, order, shuffle)
    for group in [places] if side_by_side else ([place] for place in places):
        _run_blocks(call, [Block(place) for place in group], triple(launch.block), order, shuffle)


def _arrange(items, order, shuffle):
    if order == "reverse":
        items.reverse()
    elif order == "random":
        shuffle.shuffle(items)


def _run_blocks(call, blocks, size, order, shuffle):
    here = greenlet.getcurrent()
    for block in blocks:
        places = itertools.product(*map(range, reversed(size)))
        block.threads = [Thread(call, here, block, Dim3(x, y, z), n) for n, (z, y, x) in enumerate(places)]
    ready = [thread for block in blocks for thread in block.threads]
    while ready:
        _arrange(ready, order, shuffle)
        for thread in ready:
            thread.barrier = _resume(thread)
        ready = _released(blocks)


def _resume(thread):
    try:
        return thread.switch() if thread.barrier is None else thread.switch(thread.answer)
    except EmulatedError:
        raise
    except Exception as error:
        place = f"thread {thread.index} of block {thread.block.index}"
        raise type(error)(f"{place}: {error}") from error


def _released(blocks):
    """The threads that may go on; an error where some wait for what will never come."""
    ready = []
    for block in blocks:
        ready += _released_block(block) or _released_warps(block)
    waiting = [thread for block in blocks for thread in block.threads if not thread.dead]
    if ready or not waiting:
        return ready
    if all(not t.dead and t.barrier.kind == "grid" for block in blocks for t in block.threads):
        for block in blocks:
            block.epoch += 1
            block.grid_epoch += 1
        return waiting
    raise DivergentBarrier(_complaint(blocks, waiting))


def _released_block(block):
    """All threads of a block, if all are at one barrier of the block."""
    threads = block.threads
    if any(t.dead or t.barrier.kind != "block" for t in threads):
        return []
    if len({t.barrier.place for t in threads}) > 1:
        return []
    values = [t.barrier.value for t in threads]
    for thread in threads:
        thread.answer = values
    block.epoch += 1
    return threads[:]


def _released_warps(block):
    """Threads of warps where everybody named in the mask has come to the same exchange."""
    released = []
    groups = {}
    for thread in block.threads:
        if not thread.dead and thread.barrier.kind == "warp":
            barrier = thread.barrier
            key = thread.warp, barrier.place, int(barrier.mask), barrier.exchange
            groups.setdefault(key, []).append(thread)
    for (warp, _, mask, _), present in groups.items():
        wanted = [t for t in block.threads if t.warp == warp and mask >> t.lane & 1]
        if len(present) == len(wanted):
            _exchange(present)
            released += present
    return released


def _exchange(threads):
    """Answer each thread of a warp with what the exchange gives it."""
    values = {thread.lane: thread.barrier.value for thread in threads}
    for thread in threads:
        kind, operand, lane = thread.barrier.exchange, int(thread.barrier.operand), thread.lane
        source = {"idx": operand % WARP, "up": lane - operand, "down": lane + operand, "xor": lane ^ operand}.get(kind)
        thread.warp_epoch += 1
        if source is not None:
            thread.answer = values.get(source, thread.barrier.value)
        else:
            thread.answer = _VOTES[kind](values)


_VOTES = {
    "sync": lambda values: None,
    "ballot": lambda values: sum(1 << lane for lane, value in values.items() if value),
    "all": lambda values: all(values.values()),
    "any": lambda values: any(values.values()),
}


def _complaint(blocks, waiting):
    gone = sum(thread.dead for block in blocks for thread in block.threads)
    kinds = sorted({f"{t.barrier.kind} at line {t.barrier.place[1]}" for t in waiting})
    return f"{len(waiting)} threads wait ({', '.join(kinds)}), {gone} have gone"


def uses_grid_sync(function):
    """Whether a kernel, or a function inside it, synchronizes the grid."""
    inner = (c for c in function.__code__.co_consts if isinstance(c, types.CodeType))
    return any("this_grid" in code.co_names for code in (function.__code__, *inner))
