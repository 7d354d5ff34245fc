"""canonical() makes of anything array-like the one kind of array a kernel is compiled for."""

import mmap

import numpy as np
import pytest

from neurojit.core.arrays import canonical, canonical_integers
from neurojit.core.jit import kernel


@kernel
def _doubled(x, out):
    for i in range(x.size):
        out[i] = 2 * x[i]


def _is_kernel_ready(array):
    return array.flags.c_contiguous and array.flags.aligned and array.flags.writeable and array.dtype.isnative


def variants(values):
    """The same values, each stored in another way."""
    values = np.asarray(values)
    read_only = values.copy()
    read_only.flags.writeable = False
    unaligned = np.frombuffer(b"\0" + values.tobytes(), values.dtype, offset=1).reshape(values.shape)
    return {
        "plain": values.copy(),
        "Fortran order": np.asfortranarray(values),
        "strided": np.repeat(values, 2, axis=-1)[..., ::2],
        "negative strides": values[..., ::-1].copy()[..., ::-1],
        "read-only": read_only,
        "unaligned": unaligned,
        "other byte order": values.astype(values.dtype.newbyteorder()),
        "subclass": values.view(type("Sub", (np.ndarray,), {})),
    }


@pytest.mark.parametrize("way", variants(np.zeros(1)))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(2, 3), (1, 1), (0, 3)])
def test_any_storage_becomes_kernel_ready(way, dtype, shape):
    values = np.arange(np.prod(shape), dtype=dtype).reshape(shape) + 1
    given = variants(values)[way]
    before = given.tobytes()
    array = canonical(given, "x")
    assert _is_kernel_ready(array)
    assert type(array) is np.ndarray
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, values)
    assert given.tobytes() == before


@pytest.mark.parametrize("way", variants(np.zeros(1, np.int32)))
def test_any_storage_of_integers_becomes_kernel_ready(way):
    values = np.arange(-3, 3, dtype=np.int32).reshape(2, 3)
    array = canonical_integers(variants(values)[way], "targets")
    assert _is_kernel_ready(array)
    assert array.dtype == np.int64
    np.testing.assert_array_equal(array, values)


def test_copies_only_where_it_must(rng):
    for dtype in (np.float32, np.float64):
        x = rng.standard_normal((3, 4)).astype(dtype)
        assert canonical(x, "x") is x
        x.flags.writeable = False
        assert np.shares_memory(canonical(x, "x"), x)
        assert not x.flags.writeable, "the mark is left on the array given"


def test_one_specialisation_for_all_storages():
    for given in variants(np.arange(6.0)).values():
        out = np.empty(6)
        _doubled(canonical(given, "x"), out)
        np.testing.assert_array_equal(out, 2 * np.arange(6.0))
    assert len(_doubled.signatures) == 1


def test_keeps_memory_of_a_read_only_array_alive():
    array = canonical(np.frombuffer(bytes(range(8)) * 4096, np.float32), "x")
    expected = array.tobytes()
    for _ in range(100):
        np.zeros(8192, np.float32)
    assert array.tobytes() == expected


def test_takes_a_read_only_memory_map(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(5, dtype=np.float32))
    mapped = np.load(path, mmap_mode="r")
    assert isinstance(mapped.base, mmap.mmap)
    array = canonical(mapped, "x")
    assert _is_kernel_ready(array)
    np.testing.assert_array_equal(array, np.arange(5))


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (np.float16([1, 2]), np.float32),
        (np.uint8([1, 2]), np.float32),
        (np.int64([1, 2]), np.float32),
        (np.array([True, False]), np.float32),
        ([1, 2], np.float32),
        ([1.0, 2.0], np.float64),
        (np.float32(3), np.float32),
    ],
)
def test_precision_of_what_is_no_float_array(given, dtype):
    assert canonical(given, "x").dtype == dtype
    assert canonical(given, "x", dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        (["a"], {}, TypeError, "x: got dtype <U1, wanted real numbers"),
        (np.array([1j]), {}, TypeError, "x: got dtype complex128, wanted real numbers"),
        (np.array([None]), {}, TypeError, "x: got dtype object, wanted real numbers"),
        ([[1.0], [1.0, 2.0]], {}, ValueError, "x: got rows of unequal length, wanted an array"),
        (np.zeros(2), {"dtype": np.float32}, TypeError, "x: got float64, wanted float32"),
        (np.zeros(2, np.float32), {"dtype": np.float64}, TypeError, "x: got float32, wanted float64"),
        (np.zeros(2), {"ndim": 2}, ValueError, r"x: got 1 axes, shape \(2,\), wanted 2 axes"),
        (np.zeros(2), {"ndim": (2, 3)}, ValueError, "wanted 2 or 3 axes"),
        (np.zeros((2, 3)), {"shape": (None, 4)}, ValueError, r"x: got shape \(2, 3\), wanted \(any, 4\)"),
        (np.zeros((2, 3)), {"shape": (None,)}, ValueError, r"x: got shape \(2, 3\), wanted \(any\)"),
    ],
)
def test_errors_name_the_argument(given, options, error, message):
    with pytest.raises(error, match=message):
        canonical(given, "x", **options)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([0.5], TypeError, "targets: got dtype float64, wanted integers"),
        (["a"], TypeError, "targets: got dtype <U1, wanted integers"),
        ([[1], [2, 3]], ValueError, "targets: got rows of unequal length"),
        ([[1]], ValueError, "targets: got 2 axes"),
    ],
)
def test_integer_errors_name_the_argument(given, error, message):
    with pytest.raises(error, match=message):
        canonical_integers(given, "targets", ndim=1)


def test_an_empty_list_is_no_integers():
    assert canonical_integers([], "targets").shape == (0,)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_an_array_of_the_other_precision_is_refused_in_either_direction(precision):
    other = np.float32 if precision is np.float64 else np.float64
    with pytest.raises(TypeError, match="x: got"):
        canonical(np.ones(3, other), "x", dtype=np.dtype(precision))
