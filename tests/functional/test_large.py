"""Arrays of 2**31 elements and more: positions past what 32 bits count, in memory that is never filled."""

import os

import numpy as np
import pytest

import neurojit.functional as F

_FAR = 1 << 27  # times 16 channels: 2**31 elements


@pytest.fixture
def signal():
    """(1, 2**27 + 4, 16) float32: zeros that the system makes when they are read, and numbers at the two ends."""
    try:
        x = np.zeros((1, _FAR + 4, 16), np.float32)
    except MemoryError:
        pytest.skip("the system gives no address space for 8 GiB")
    x[0, :3] = np.arange(48).reshape(3, 16)
    x[0, _FAR : _FAR + 3] = 100 + np.arange(48).reshape(3, 16)
    return x


def ends(x):
    """What windows of three see from the first position and from 2**27 on, (2, 3, 16)."""
    return np.stack([x[0, :3], x[0, _FAR : _FAR + 3]])


def test_convolution(signal, rng):
    weight = rng.standard_normal((3, 16, 4)).astype(np.float32)
    y = F.conv1d(signal, weight, stride=_FAR)
    np.testing.assert_allclose(y[0], np.einsum("pkc,kco->po", ends(signal), weight), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("groups", [1, 16])
def test_gradient_to_the_weights_of_a_convolution(groups, signal, rng):
    weight = rng.standard_normal((3, 16 // groups, 16)).astype(np.float32)
    y, backward = F.conv1d.vjp(signal, weight, stride=_FAR, groups=groups)
    dy = rng.standard_normal(y.shape).astype(np.float32)
    products = np.einsum("pkc,po->kco", ends(signal), dy[0])
    expected = products if groups == 1 else products.diagonal(axis1=1, axis2=2)[:, None]
    _, dweight = backward(dy, wrt=(False, True))
    np.testing.assert_allclose(dweight, expected, rtol=1e-4, atol=1e-3)


def test_depthwise_convolution(signal, rng):
    weight = rng.standard_normal((3, 1, 16)).astype(np.float32)
    y = F.conv1d(signal, weight, stride=_FAR, groups=16)
    np.testing.assert_allclose(y[0], np.einsum("pkc,kc->pc", ends(signal), weight[:, 0]), rtol=1e-4, atol=1e-3)


def test_pooling(signal):
    y, switches = F.max_pool1d(signal, 3, stride=_FAR, return_switches=True)
    np.testing.assert_array_equal(y[0], ends(signal).max(axis=1))
    np.testing.assert_array_equal(switches[0], [[2] * 16, [_FAR + 2] * 16])
    np.testing.assert_allclose(F.avg_pool1d(signal, 3, stride=_FAR)[0], ends(signal).mean(axis=1), rtol=1e-6)


@pytest.mark.slow
def test_normalization(signal):
    """Its 8 GiB of results are written, unlike the inputs."""
    if os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < 10 << 30:
        pytest.skip("less than 10 GiB of memory are free")
    y = F.rms_norm(signal, np.ones(16, np.float32))
    x = ends(signal)
    expected = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(ends(y), expected, rtol=1e-5)


def test_more_positions_than_switches_tell_apart_are_refused():
    x = np.broadcast_to(np.zeros((), np.float32), (1, 1 << 31, 1))
    for pool in (F.max_pool1d, F.avg_pool1d):
        with pytest.raises(ValueError, match=r"x: got 2147483648 positions"):
            pool(x, 2)
