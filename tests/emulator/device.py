"""What kernels know as `cuda`, `math`, `load4` and the like, in the emulator."""

import sys
import types

import numpy as np

from tests.emulator.memory import Watched, poisoned
from tests.emulator.scheduler import WARP, Barrier, Dim3, current, triple

FULL = 0xFFFFFFFF


def _place(depth=2):
    """Which instruction of the kernel is being executed."""
    frame = sys._getframe(depth)
    return frame.f_code, frame.f_lineno, frame.f_lasti


def _raw(array):
    return array.array if isinstance(array, Watched) else array


def _atomic(combine):
    def operation(self, array, index, value):
        array = _raw(array)
        old = array[index]
        array[index] = combine(old, value)
        return old

    return operation


class _Atomics:
    """Operations no other thread can interrupt; races are what they are for, so nobody watches."""

    add = _atomic(lambda old, value: old + value)
    max = _atomic(max)
    min = _atomic(min)
    exch = _atomic(lambda old, value: value)


class Cuda:
    """`numba.cuda` as a kernel sees it."""

    warpsize = WARP

    def __init__(self, launch, watches):
        self.gridDim, self.blockDim = Dim3(*triple(launch.grid)), Dim3(*triple(launch.block))
        self.watches = watches
        self.atomic = _Atomics()
        self.shared = types.SimpleNamespace(array=self._shared)
        self.local = types.SimpleNamespace(array=poisoned)
        self.cg = types.SimpleNamespace(this_grid=lambda: types.SimpleNamespace(sync=self._sync_grid))

    threadIdx = property(lambda self: current().index)  # noqa: N815, numba.cuda's names
    blockIdx = property(lambda self: current().block.index)  # noqa: N815
    laneid = property(lambda self: current().lane)

    def _shared(self, shape, dtype, alignment=None):
        held, place = current().block.shared, _place()
        if place not in held:
            array = poisoned(shape, dtype)
            held[place] = Watched(array, f"shared array of line {place[1]}") if self.watches else array
        return held[place]

    def _sync_grid(self):
        current().wait(Barrier("grid", _place()))

    def grid(self, ndim):
        thread, block, size = current().index, current().block.index, self.blockDim
        places = (block.x * size.x + thread.x, block.y * size.y + thread.y, block.z * size.z + thread.z)
        return places[0] if ndim == 1 else places[:ndim]

    def gridsize(self, ndim):
        sizes = tuple(getattr(self.gridDim, axis) * getattr(self.blockDim, axis) for axis in "xyz")
        return sizes[0] if ndim == 1 else sizes[:ndim]

    @staticmethod
    def popc(word):
        return int(word).bit_count()

    def syncthreads(self):
        current().wait(Barrier("block", _place()))

    def syncthreads_or(self, value):
        return int(any(current().wait(Barrier("block", _place(), value))))

    def syncwarp(self, mask=FULL):
        current().wait(Barrier("warp", _place(), mask=mask))

    def shfl_sync(self, mask, value, lane):
        return current().wait(Barrier("warp", _place(), value, mask, "idx", lane))

    def shfl_up_sync(self, mask, value, delta):
        return current().wait(Barrier("warp", _place(), value, mask, "up", delta))

    def shfl_down_sync(self, mask, value, delta):
        return current().wait(Barrier("warp", _place(), value, mask, "down", delta))

    def shfl_xor_sync(self, mask, value, pattern):
        return current().wait(Barrier("warp", _place(), value, mask, "xor", pattern))

    def ballot_sync(self, mask, predicate):
        return current().wait(Barrier("warp", _place(), bool(predicate), mask, "ballot"))

    def all_sync(self, mask, predicate):
        return current().wait(Barrier("warp", _place(), bool(predicate), mask, "all"))

    def any_sync(self, mask, predicate):
        return current().wait(Barrier("warp", _place(), bool(predicate), mask, "any"))


def load4(array, index):
    """array[index : index + 4], from an address that a 16-byte load can take."""
    return tuple(array[place] for place in _four(array, index))


def store4(array, index, values):
    """array[index : index + 4] = values."""
    for place, value in zip(_four(array, index), values, strict=True):
        array[place] = value


def add4(array, index, values):
    """array[index : index + 4] += values, which no other thread can interrupt: so nobody watches."""
    array = _raw(array)
    for place, value in zip(_four(array, index), values, strict=True):
        array[place] += value


def _four(array, index):
    if int(index) % 4:
        raise IndexError(f"index {index}: wanted a multiple of 4")
    places = range(int(index), int(index) + 4)
    return places if array.ndim == 1 else [tuple(map(int, np.unravel_index(i, array.shape))) for i in places]


def quotient(a, b):
    """a // b, of numbers that 32 bits can hold."""
    if not (0 <= a < 2**31 and 0 < b < 2**31):
        raise OverflowError(f"quotient of {a} and {b}: wanted numbers from 0 to 2**31 - 1, and no zero below")
    return int(a) // int(b)


class Math:
    """`math` with the device's manners: results in the precision of the argument, infinities and NaN for errors."""

    pi = float(np.pi)

    def __getattr__(self, name):
        return getattr(np, name)

    @staticmethod
    def erfc(x):
        from scipy.special import erfc

        return type(x)(erfc(x))
