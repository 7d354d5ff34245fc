"""Arrays that watch who reads and writes them, and find races."""

import numpy as np

from tests.emulator.scheduler import Race, current


def poisoned(shape, dtype):
    """An array as fresh memory is: of values that show when they are used."""
    array = np.empty(shape, dtype)
    array[...] = np.nan if array.dtype.kind == "f" else np.iinfo(array.dtype).max
    return array


class _Use:
    """That a thread used a place, and which barriers it had passed."""

    __slots__ = ("epoch", "grid_epoch", "thread", "warp_epoch")

    def __init__(self, thread):
        self.thread = thread
        self.epoch, self.grid_epoch = thread.block.epoch, thread.block.grid_epoch
        self.warp_epoch = thread.warp_epoch

    def is_before(self, thread):
        """Whether a barrier stands between this use and what `thread` does now, or it is the same thread."""
        other = self.thread
        if other is thread:
            return True
        if other.block is not thread.block:
            return self.grid_epoch < thread.block.grid_epoch
        if self.epoch < thread.block.epoch:
            return True
        return other.warp == thread.warp and self.warp_epoch < thread.warp_epoch


class Watched:
    """An array of shared or global memory. Uses of one place by two threads need a barrier between, if one writes.

    Between blocks nothing but a barrier of the grid counts.
    """

    def __init__(self, array, name):
        self.array, self.name = array, name
        self.shape, self.size, self.ndim, self.dtype = array.shape, array.size, array.ndim, array.dtype
        self._writes, self._reads = {}, {}

    def __len__(self):
        return len(self.array)

    def _checked(self, index):
        """The index as integers; memory has no negative ones."""
        index = tuple(int(i) for i in index) if isinstance(index, tuple) else int(index)
        parts = index if isinstance(index, tuple) else (index,)
        if len(parts) != self.ndim or not all(0 <= i < n for i, n in zip(parts, self.shape, strict=True)):
            raise IndexError(f"{self.name}[{index}] of shape {self.shape}")
        return index

    def __getitem__(self, index):
        index, thread = self._checked(index), current()
        self._meet(self._writes.get(index), thread, index, "reads", "written")
        self._reads.setdefault(index, {})[thread] = _Use(thread)
        return self.array[index]

    def __setitem__(self, index, value):
        index, thread = self._checked(index), current()
        self._meet(self._writes.get(index), thread, index, "writes", "written")
        for use in self._reads.pop(index, {}).values():
            self._meet(use, thread, index, "writes", "read")
        self._writes[index] = _Use(thread)
        self.array[index] = value

    def _meet(self, use, thread, index, does, was):
        if use is not None and not use.is_before(thread):
            raise Race(
                f"thread {thread.index} of block {thread.block.index} {does} {self.name}[{index}], {was} by thread"
                f" {use.thread.index} of block {use.thread.block.index} with no barrier between"
            )
