"""Arrays on the device: copies, views, and memory that is used again."""

import gc
import types

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.core.cuda import (
    DeviceArray,
    DeviceMemoryError,
    device_empty,
    dlpack,
    to_device,
    to_host,
    use_stream,
    use_target,
)
from neurojit.core.cuda.array import release_memory

pytest.importorskip("greenlet", reason="the emulator of kernels needs greenlet")
from tests.emulator.target import Emulator


@pytest.fixture
def device():
    with use_target(Emulator(capacity=1 << 20)) as emulator:
        yield emulator


@pytest.mark.parametrize("x", [np.arange(6.0).reshape(2, 3), np.zeros((0, 4), np.float32), np.float32(3), [1, 2]])
def test_there_and_back(device, x):
    on_device = to_device(x)
    x = np.asarray(x)
    assert (on_device.shape, on_device.dtype, on_device.ndim, on_device.size) == (x.shape, x.dtype, x.ndim, x.size)
    np.testing.assert_array_equal(on_device.numpy(), x)
    np.testing.assert_array_equal(to_host(on_device), x)
    assert to_device(on_device) is on_device
    assert to_host(x) is x


def test_layouts_are_made_contiguous(device):
    x = np.arange(24.0).reshape(4, 6)
    for form in (x[:, ::2], x.T, x[::-1]):
        np.testing.assert_array_equal(to_device(form).numpy(), form)


def test_reshape_is_a_view_and_copy_is_not(device):
    x = to_device(np.arange(6.0))
    view, copy = x.reshape(2, -1), x.copy()
    x.assign(np.zeros(6))
    assert (view.numpy() == 0).all()
    np.testing.assert_array_equal(copy.numpy(), np.arange(6.0))
    with pytest.raises(ValueError, match="wanted lengths for 6 numbers"):
        x.reshape(4, 2)
    with pytest.raises(ValueError, match=r"values: got shape \(5,\), wanted \(6,\)"):
        x.assign(np.zeros(5))
    x.assign(copy)
    np.testing.assert_array_equal(x.numpy(), np.arange(6.0))


def test_numpy_is_not_fed_unseen(device):
    with pytest.raises(TypeError, match="call its numpy"):
        np.asarray(to_device(np.ones(2)))
    with pytest.raises(TypeError):
        np.ones(2) + to_device(np.ones(2))


def test_memory_is_used_again(device):
    x = device_empty(1000, np.float32)
    block = x.owner.block
    view = x.reshape(10, 100)
    del x
    gc.collect()
    assert device_empty(1000, np.float32).owner.block is not block, "a view holds the memory"
    del view
    gc.collect()
    used = device.used
    assert device_empty(990, np.float32).owner.block is block
    assert device.used == used


def test_no_room(device):
    big = [device_empty(1 << 17, np.float32)]
    with pytest.raises(DeviceMemoryError, match=r"no room for 1\.0 MiB: 0\.5 MiB of 1\.0 MiB are free"):
        device_empty(1 << 18, np.float32)
    big.clear()
    gc.collect()
    assert device.used == 1 << 19, "the block waits"
    device_empty(1 << 18, np.float32)  # what waits makes room
    gc.collect()
    release_memory()
    assert device.used == 0


class Foreign:
    """An array of another library, on the host in truth."""

    def __init__(self, array, **changes):
        self.array = array
        self.__cuda_array_interface__ = {**array.__array_interface__, "strides": array.strides, **changes}


def test_other_libraries_arrays_are_adopted(device):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    adopted = to_device(Foreign(x))
    assert adopted.shape == (2, 3)
    x[0, 0] = 7
    assert adopted.numpy()[0, 0] == 7, "no copy"
    assert to_device(Foreign(x, strides=None)).dtype == np.float32
    with pytest.raises(ValueError, match="wanted a C-contiguous array"):
        to_device(Foreign(x.T))


class Packed:
    """An array that speaks DLPack alone, on the host in truth."""

    def __init__(self, array):
        self.array, self.streams = array, []

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, *, stream=None):
        self.streams.append(stream)
        return self.array.__dlpack__()

    def __array_namespace__(self):
        return types.SimpleNamespace(from_dlpack=lambda result: Packed(np.from_dlpack(result)))


def aligned(shape):
    whole = np.zeros(64, np.float32)
    first = -whole.ctypes.data % 16 // 4
    return whole[first : first + np.prod(shape)].reshape(shape)


def test_arrays_by_dlpack(device):
    x = aligned((2, 3))
    packed = Packed(x)
    with use_stream(77):
        adopted = to_device(packed)
    assert packed.streams == [77]
    assert (adopted.shape, adopted.dtype) == ((2, 3), np.float32)
    x[0, 0] = 7
    assert adopted.numpy()[0, 0] == 7, "no copy"
    result = F.relu(Packed(x - 1))
    assert isinstance(result, Packed)
    np.testing.assert_array_equal(result.array, np.maximum(x - 1, 0))
    with pytest.raises(ValueError, match="wanted a C-contiguous array"):
        to_device(Packed(aligned((2, 3)).T))
    with pytest.raises(TypeError, match="got DLPack's type 5 of 64 bits"):
        to_device(Packed(np.ones(4, np.complex64)))


def test_given_away_by_dlpack(device):
    x = to_device(np.arange(6.0).reshape(2, 3))
    view = np.from_dlpack(x)
    x.assign(np.ones((2, 3)))
    np.testing.assert_array_equal(view, 1)
    held = len(dlpack._exported)
    del view, x
    gc.collect()
    assert len(dlpack._exported) == held - 1
    unused = to_device(np.ones(3)).__dlpack__()
    assert len(dlpack._exported) == held
    del unused
    gc.collect()
    assert len(dlpack._exported) == held - 1


def test_streams(device):
    class Stream:
        cuda_stream = 5

    with use_stream(Stream()):
        x = to_device(np.ones(3))
        assert x.__cuda_array_interface__["stream"] == 5
        block = x.owner.block
        del x
        with use_stream(0):
            assert device.stream == 1
            assert device_empty(3, np.float64).owner.block is not block, "the other stream may still use it"
        assert device_empty(3, np.float64).owner.block is block
    assert device.stream == 1
    with pytest.raises(TypeError, match="stream: got 'mine', wanted the address of a CUDA stream"), use_stream("mine"):
        pass


def test_an_unaligned_array_is_copied(device):
    whole = np.zeros(16, np.float32)
    first = next(i for i in range(4) if (whole.ctypes.data + 4 * i) % 16 == 0)
    aligned, unaligned = whole[first : first + 8], whole[first + 1 : first + 9]
    views = to_device(Foreign(aligned)), to_device(Foreign(unaligned))
    whole[:] = 1
    assert (views[0].numpy() == 1).all()
    assert (views[1].numpy() == 0).all()


def test_interface_for_other_libraries(device):
    x = to_device(np.ones((2, 3), np.float32)).reshape(3, 2)
    interface = x.__cuda_array_interface__
    assert interface["shape"] == (3, 2)
    assert interface["typestr"] == "<f4"
    assert isinstance(to_device(x), DeviceArray)
