"""The emulator finds what hardware would not forgive, and lets pass what it would."""

import numpy as np
import pytest

from neurojit.core.cuda import (
    CudaKernel,
    DeviceArray,
    Float,
    Floats,
    Int,
    Launch,
    cuda,
    device_empty,
    device_function,
    load4,
    store4,
    to_device,
    use_target,
)

pytest.importorskip("greenlet", reason="the emulator of kernels needs greenlet")
from tests.emulator.scheduler import DivergentBarrier, Race
from tests.emulator.target import Emulator

ORDERS = ("forward", "reverse", "random")
FULL = 0xFFFFFFFF


def kernel_of(function, launch):
    return CudaKernel(function, lambda *arguments: launch, registers=64, threads=1024, wide_loads=0)


def run(function, launch, *arguments, order="forward"):
    """What a kernel leaves in its last argument."""
    with use_target(Emulator(order)):
        given = [to_device(a) if isinstance(a, np.ndarray) else a for a in arguments]
        kernel_of(function, launch)(*given)
        return given[-1].numpy()


def reversed_in_block(x: Floats, y: Floats):
    tile = cuda.shared.array(64, x.dtype)
    t = cuda.threadIdx.x
    tile[t] = x[cuda.grid(1)]
    cuda.syncthreads()
    y[cuda.grid(1)] = tile[63 - t]


def without_a_barrier(x: Floats, y: Floats):
    tile = cuda.shared.array(64, x.dtype)
    t = cuda.threadIdx.x
    tile[t] = x[cuda.grid(1)]
    y[cuda.grid(1)] = tile[63 - t]


def overwritten_too_early(x: Floats, y: Floats):
    tile = cuda.shared.array(64, x.dtype)
    t = cuda.threadIdx.x
    for start in range(0, x.size, 64):
        tile[t] = x[start + t]
        cuda.syncthreads()
        y[start + t] = tile[63 - t]


def within_a_warp(x: Floats, y: Floats):
    tile = cuda.shared.array(64, x.dtype)
    t = cuda.threadIdx.x
    tile[t] = x[cuda.grid(1)]
    cuda.syncwarp()
    y[cuda.grid(1)] = tile[t ^ 31]


def across_warps_after_a_warp_barrier(x: Floats, y: Floats):
    tile = cuda.shared.array(64, x.dtype)
    t = cuda.threadIdx.x
    tile[t] = x[cuda.grid(1)]
    cuda.syncwarp()
    y[cuda.grid(1)] = tile[63 - t]


def barrier_for_some(x: Floats, y: Floats):
    t = cuda.threadIdx.x
    if t < 40:
        cuda.syncthreads()
    y[cuda.grid(1)] = x[cuda.grid(1)]


def two_barriers(x: Floats, y: Floats):
    if cuda.threadIdx.x < 40:
        cuda.syncthreads()
    else:
        cuda.syncthreads()
    y[cuda.grid(1)] = x[cuda.grid(1)]


def shuffle_for_some(x: Floats, y: Floats):
    v = x[cuda.grid(1)]
    if cuda.laneid < 7:
        v = cuda.shfl_xor_sync(FULL, v, 1)
    y[cuda.grid(1)] = v


def all_write_one_place(x: Floats, y: Floats):
    y[0] = x[cuda.grid(1)]


def lost_updates(x: Floats, y: Floats):
    y[0] += x[cuda.grid(1)]


def blocks_read_each_other(x: Floats, y: Floats):
    i = cuda.grid(1)
    y[i] = x[i]
    cuda.syncthreads()
    x[i] = y[x.size - 1 - i]


def past_the_end(x: Floats, y: Floats):
    y[cuda.grid(1)] = x[cuda.grid(1) + 1]


def before_the_start(x: Floats, y: Floats):
    y[cuda.grid(1)] = x[cuda.grid(1) - 1]


def unaligned(x: Floats, y: Floats):
    store4(y, 4 * cuda.grid(1), load4(x, 4 * cuda.grid(1) + 1))


TWO_BLOCKS = Launch(2, 64)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("kernel", "error"),
    [
        (without_a_barrier, Race),
        (overwritten_too_early, Race),
        (across_warps_after_a_warp_barrier, Race),
        (all_write_one_place, Race),
        (lost_updates, Race),
        (blocks_read_each_other, Race),
        (barrier_for_some, DivergentBarrier),
        (two_barriers, DivergentBarrier),
        (shuffle_for_some, DivergentBarrier),
        (past_the_end, IndexError),
        (before_the_start, IndexError),
    ],
    ids=lambda value: value.__name__,
)
def test_finds_what_is_wrong(kernel, error, order):
    launch = Launch(1, 64) if kernel is overwritten_too_early else TWO_BLOCKS
    with pytest.raises(error):
        run(kernel, launch, np.ones(128, np.float32), np.zeros(128, np.float32), order=order)


def test_finds_an_unaligned_wide_load():
    with pytest.raises(IndexError, match="multiple of 4"):
        run(unaligned, Launch(1, 4), np.ones(32, np.float32), np.zeros(16, np.float32))


@pytest.mark.parametrize("order", ORDERS)
def test_shared_memory_and_barriers(order):
    x = np.arange(128, dtype=np.float32)
    y = run(reversed_in_block, TWO_BLOCKS, x, np.zeros_like(x), order=order)
    np.testing.assert_array_equal(y, x.reshape(2, 64)[:, ::-1].ravel())
    y = run(within_a_warp, TWO_BLOCKS, x, np.zeros_like(x), order=order)
    np.testing.assert_array_equal(y, x.reshape(4, 32)[:, ::-1].ravel())


@device_function
def warp_sum(v):
    delta = 16
    while delta > 0:
        v += cuda.shfl_down_sync(FULL, v, delta)
        delta //= 2
    return v


def warp_exchanges(x: Floats, y: Floats):
    i = cuda.grid(1)
    v = x[i]
    y[i] = warp_sum(v)
    y[x.size + i] = cuda.shfl_up_sync(FULL, v, 1)
    y[2 * x.size + i] = cuda.shfl_sync(FULL, v, 3)
    y[3 * x.size + i] = cuda.ballot_sync(FULL, v > 2)
    y[4 * x.size + i] = cuda.all_sync(FULL, v > 2) + 2 * cuda.any_sync(FULL, v > 2)


@pytest.mark.parametrize("order", ORDERS)
def test_exchanges_within_a_warp(order):
    x = np.arange(32.0)
    y = run(warp_exchanges, Launch(1, 32), x, np.zeros(5 * 32), order=order).reshape(5, 32)
    assert y[0, 0] == x.sum()
    np.testing.assert_array_equal(y[1], np.maximum(x - 1, 0))  # the first lane keeps its own
    assert (y[2] == 3).all()
    assert (y[3] == 2**32 - 8).all()
    assert (y[4] == 2).all()


def neighbours_over_blocks(x: Floats, steps: Int, y: Floats):
    """x and y in turns: each place becomes the sum of itself and its left neighbour."""
    i, grid = cuda.grid(1), cuda.cg.this_grid()
    for step in range(steps):
        if step % 2 == 0:
            y[i] = x[i] + x[i - 1 if i > 0 else x.size - 1]
        else:
            x[i] = y[i] + y[i - 1 if i > 0 else x.size - 1]
        grid.sync()


def no_grid_barrier(x: Floats, steps: Int, y: Floats):
    i, grid = cuda.grid(1), cuda.cg.this_grid()
    for step in range(steps):
        if step % 2 == 0:
            y[i] = x[i] + x[i - 1 if i > 0 else x.size - 1]
        else:
            x[i] = y[i] + y[i - 1 if i > 0 else x.size - 1]
        cuda.syncthreads()
    grid.sync()


@pytest.mark.parametrize("order", ORDERS)
def test_grid_barriers(order):
    x = np.random.default_rng(0).standard_normal(48)
    expected = x
    for _ in range(3):
        expected = expected + np.roll(expected, 1)
    np.testing.assert_allclose(run(neighbours_over_blocks, Launch(3, 16), x, 3, np.zeros(48), order=order), expected)
    with pytest.raises(Race):
        run(no_grid_barrier, Launch(3, 16), x, 3, np.zeros(48), order=order)


def scaled(x: Floats, scale: Float, y: Floats):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = scale * x[i]


def test_arguments_take_the_precision_of_the_call():
    for dtype in (np.float32, np.float64):
        y = run(scaled, Launch(1, 32), np.full(5, 3, dtype), 1 / 3, np.zeros(5, dtype))
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, dtype(3) * dtype(1 / 3))
    with pytest.raises(TypeError, match="wanted 1 axes of float32 on the device"):
        run(scaled, Launch(1, 32), np.ones(5, np.float32), 2.0, np.zeros(5, np.float64))
    with pytest.raises(TypeError, match="got 1 axes of float32"), use_target(Emulator()):
        kernel_of(scaled, Launch(1, 32))(np.ones(5, np.float32), 2.0, device_empty(5, np.float32))


def test_an_empty_grid_is_no_launch():
    with use_target(Emulator()) as emulator:
        empty = device_empty(0, np.float32)
        kernel_of(scaled, Launch((0, 1), 32))(empty, 2.0, empty)
        assert emulator.launched == []


def test_work_that_is_too_much_is_refused():
    with use_target(Emulator()):
        x = device_empty(4, np.float32)
        with pytest.raises(ValueError, match=r"scaled: got work for \(1, 70000\) blocks"):
            kernel_of(scaled, Launch((1, 70000), 32))(x, 2.0, x)
        many = DeviceArray(x.owner, x.native, (2**31,), np.float32)
        with pytest.raises(ValueError, match="x: got 2147483648 elements"):
            kernel_of(scaled, Launch(1, 32))(many, 2.0, x)


def uses_fresh_memory(x: Floats, y: Floats):
    tile = cuda.shared.array(32, x.dtype)
    own = cuda.local.array(2, x.dtype)
    y[cuda.grid(1)] = tile[cuda.threadIdx.x] + own[0]


def test_fresh_memory_shows():
    assert np.isnan(run(uses_fresh_memory, Launch(1, 32), np.ones(32), np.zeros(32))).all()
    with use_target(Emulator()):
        assert np.isnan(device_empty(4, np.float32).numpy()).all()
