"""Arrays on the device: copies, views, and memory that is used again."""

import gc

import numpy as np
import pytest

from neurojit.core.cuda import DeviceArray, DeviceMemoryError, device_empty, to_device, to_host, use_target
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
