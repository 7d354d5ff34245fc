"""The gate that compiled kernels have to pass stops those that it should."""

import dataclasses
import math

import pytest

from neurojit.core.cuda import CudaKernel, Floats, Int, Launch, cuda, load4, store4
from neurojit.kernels.cuda import walks
from tests.cuda import gate

pytestmark = pytest.mark.skipif(gate.unavailable() is not None, reason=str(gate.unavailable()))


def complaints(function, *, architecture="sm_80", precision="float32", **promises):
    promises = {"registers": 64, "threads": 256, "wide_loads": 0} | promises
    kernel = CudaKernel(function, lambda *_: Launch(1, 1), **promises)
    return gate.complaints(kernel, precision, architecture)


def plain(x: Floats, y: Floats):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = math.exp(x[i])


def indexed_local_array(x: Floats, y: Floats):
    counts = cuda.local.array(32, x.dtype)
    for k in range(32):
        counts[k] = x.dtype.type(0)
    for k in range(x.size):
        counts[int(x[k]) & 31] += x.dtype.type(1)
    y[cuda.grid(1)] = counts[cuda.threadIdx.x & 31]


def double_constant(x: Floats, y: Floats):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = 0.3 * x[i]


def many_sums(x: Floats, n: Int, y: Floats):
    sums = cuda.local.array(64, x.dtype)
    for k in range(64):
        sums[k] = x.dtype.type(0)
    for j in range(n):
        for k in range(64):
            sums[k] += x[j * 64 + k] * x[j]
    for k in range(64):
        y[k] = sums[k]


def large_shared_array(x: Floats, y: Floats):
    tile = cuda.shared.array(13000, x.dtype)
    t = cuda.threadIdx.x
    tile[t * 40] = x[t]
    cuda.syncthreads()
    y[t] = tile[(255 - t) * 40]


def copies_fours(x: Floats, y: Floats):
    i = 4 * cuda.grid(1)
    if i < x.size:
        store4(y, i, load4(x, i))


def copies_four_times(x: Floats, y: Floats):
    i = 4 * cuda.grid(1)
    if i < x.size:
        for k in range(4):
            y[i + k] = x[i + k]


@pytest.mark.parametrize("architecture", gate.ARCHITECTURES)
def test_lets_pass_what_is_right(architecture):
    assert complaints(plain, architecture=architecture) == []
    assert complaints(plain, architecture=architecture, precision="float64") == []
    assert complaints(copies_fours, architecture=architecture, wide_loads=1) == []


@pytest.mark.parametrize(
    ("function", "promises", "complaint"),
    [
        (indexed_local_array, {}, "bytes of stack"),
        (double_constant, {}, "float64 instructions"),
        (many_sums, {}, "registers, promised 64"),
        (large_shared_array, {}, "shared"),
        (copies_four_times, {"wide_loads": 1}, "0 16-byte loads, promised 1"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_catches_a_breach(function, promises, complaint):
    found = complaints(function, **promises)
    assert len(found) == 1
    assert complaint in found[0]


def test_float64_is_no_breach_in_a_float64_kernel():
    assert complaints(double_constant, precision="float64") == []


def test_blocks_that_have_no_room_at_once_are_seen():
    for resident, complaint in ((8, "bytes of shared memory for 8 blocks"), (0, "0 blocks resident, wanted some")):
        kernel = dataclasses.replace(walks.rnn_forward, resident=resident)
        assert any(complaint in found for found in gate.complaints(kernel, "float32", "sm_80"))
