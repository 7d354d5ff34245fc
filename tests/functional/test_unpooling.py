"""Unpooling: against the definition, central differences and PyTorch."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import pooling as reference

UNPOOL = {1: F.max_unpool1d, 2: F.max_unpool2d, 3: F.max_unpool3d}


@pytest.mark.parametrize("rank", UNPOOL)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_equals_the_definition(rank, n):
    rng = np.random.default_rng(1)
    spatial = (5, 4, 3)[:rank]
    y = rng.standard_normal((n, *(3, 2, 2)[:rank], 4))
    switches = rng.integers(-1, np.prod(spatial), y.shape)  # places that several name, and some that none does
    expected = reference.max_unpool(y, switches, spatial_shape=spatial)
    np.testing.assert_array_equal(UNPOOL[rank](y, switches, spatial_shape=spatial), expected)
    x = UNPOOL[rank](y.astype(np.float32), switches.astype(np.int32), spatial_shape=spatial)
    np.testing.assert_array_equal(x, expected.astype(np.float32))
    if n:
        gradcheck(UNPOOL[rank], y, switches, spatial_shape=spatial)


def test_equals_pytorch(torch):
    x = np.random.default_rng(2).standard_normal((2, 9, 8, 20)).astype(np.float32)
    image = torch.from_numpy(x).permute(0, 3, 1, 2)
    y, switches = F.max_pool2d(x, 2, return_switches=True)
    theirs, positions = torch.nn.functional.max_pool2d(image, 2, return_indices=True)
    theirs.requires_grad_()
    expected = torch.nn.functional.max_unpool2d(theirs, positions, 2, output_size=(9, 8))
    found, backward = F.max_unpool2d.vjp(y, switches, spatial_shape=(9, 8))
    np.testing.assert_array_equal(found, expected.detach().permute(0, 2, 3, 1))
    (dy,) = torch.autograd.grad(expected, theirs, image)
    np.testing.assert_array_equal(backward(x), dy.permute(0, 2, 3, 1))


def test_layouts():
    x = np.random.default_rng(3).standard_normal((3, 6, 6, 5)).astype(np.float32)
    y, switches = F.max_pool2d(x, 2, return_switches=True)
    check_forms(lambda values: F.max_unpool2d(values, switches, spatial_shape=6), y)
    check_forms(lambda places: F.max_unpool2d(y, places, spatial_shape=6), switches)


def test_same_bits_for_any_number_of_threads(same_bits):
    y, switches = F.max_pool2d(np.random.default_rng(4).standard_normal((8, 41, 40, 16)), 3, return_switches=True)

    def both_ways():
        x, backward = F.max_unpool2d.vjp(y, switches, spatial_shape=(41, 40))
        return x, backward(x)

    same_bits(both_ways)


Y, S = np.zeros((2, 3, 3, 2), np.float32), np.zeros((2, 3, 3, 2), np.int32)
BAD = [
    (lambda: F.max_unpool2d(Y[0], S, spatial_shape=6), ValueError, "y: got 3 axes"),
    (lambda: F.max_unpool2d(Y, S[:1], spatial_shape=6), ValueError, "switches: got shape (1, 3, 3, 2)"),
    (lambda: F.max_unpool2d(Y, S + 36, spatial_shape=6), ValueError, "switches: got 36, wanted 0 to 35"),
    (lambda: F.max_unpool2d(Y, S - 2, spatial_shape=6), ValueError, "switches: got -2"),
    (lambda: F.max_unpool2d(Y, Y, spatial_shape=6), TypeError, "switches: got dtype float32"),
    (lambda: F.max_unpool2d(Y, S, spatial_shape=0), ValueError, "spatial_shape: got 0"),
    (lambda: F.max_unpool2d(Y, S, spatial_shape=(6, 6, 6)), ValueError, "spatial_shape: got 3 values"),
    (lambda: F.max_unpool2d(Y, S, spatial_shape=(2**16, 2**15)), ValueError, "spatial_shape: got (65536, 32768)"),
    (lambda: F.max_unpool2d(Y, S, spatial_shape=None), TypeError, "spatial_shape: got None"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_input(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(message)
