"""The register tile: against plain sums, for every instruction set this machine can run, plain code included."""

import os
import subprocess
import sys

import numpy as np
import pytest

from neurojit.core import simd
from neurojit.core.jit import kernel
from neurojit.core.simd import ROWS, VECTORS, WIDE_ROWS, WIDE_VECTORS, address


@kernel
def _tables(a, out, row_stride, table, outs):
    for i in range(table.size):
        table[i] = address(a, i * row_stride)
    for i in range(outs.size):
        outs[i] = address(out, i * out.shape[1])


@kernel
def _rows_product(a, skip, weight, start, out, segments, run, columns, vectors, by_corners):
    """a (segments, height, skip + run), weight (segments * run, full), start (full,), out (height, columns)."""
    height = out.shape[0]
    table, outs = np.empty(segments * height, np.int64), np.empty(height, np.int64)
    moves, places = np.zeros(segments, np.int64), np.empty(segments, np.int64)
    for segment in range(segments):
        places[segment] = segment * run * weight.shape[1] * a.itemsize
        if by_corners:
            moves[segment] = segment * height * (skip + run) * a.itemsize
    _tables(a, out, skip + run, table, outs)
    starts = np.full(height, address(start, 0))
    rows, into = address(table, 0), address(outs, 0)
    w, s, stride, ahead = address(weight, 0), address(starts, 0), weight.shape[1], address(a, 0)
    step, by, place = 0 if by_corners else height, address(moves, 0), address(places, 0)
    on = skip * a.itemsize
    if vectors == 1:
        simd.multiply_rows_narrow(a, rows, step, by, segments, on, run, w, place, stride, s, into, columns, ahead)
    elif vectors == WIDE_VECTORS:
        simd.multiply_rows_wide(a, rows, step, by, segments, on, run, w, place, stride, s, into, columns, ahead)
    else:
        simd.multiply_rows(a, rows, step, by, segments, on, run, w, place, stride, s, into, columns, ahead)
    simd.keep(starts)
    simd.keep(moves)
    simd.keep(places)
    simd.keep(table)
    simd.keep(outs)


@kernel
def _columns_product(a, b, out, columns, vectors):
    """a (count, height), b (count, full), out (height, columns + 1); row i takes column height - 1 - i of a."""
    table, rows, height = np.empty(a.shape[0], np.int64), np.empty(a.shape[0], np.int64), a.shape[1]
    offsets, outs = np.empty(height, np.int64), np.empty(height, np.int64)
    for k in range(a.shape[0]):
        table[k] = address(a, k * height)
        rows[k] = address(b, k * b.shape[1])
    for i in range(height):
        offsets[i] = (height - 1 - i) * a.itemsize
        outs[i] = address(out, i * out.shape[1])
    at, by, into = address(table, 0), address(offsets, 0), address(outs, 0)
    if vectors == 1:
        simd.multiply_columns_narrow(a, at, by, address(rows, 0), 0, a.shape[0], into, columns, at)
    elif vectors == WIDE_VECTORS:
        simd.multiply_columns_wide(a, at, by, address(rows, 0), 0, a.shape[0], into, columns, at)
    else:
        simd.multiply_columns(a, at, by, address(rows, 0), 0, a.shape[0], into, columns, at)
    simd.keep(table)
    simd.keep(rows)
    simd.keep(offsets)
    simd.keep(outs)


every_tile = pytest.mark.parametrize(("height", "vectors"), [(WIDE_ROWS, WIDE_VECTORS), (ROWS, VECTORS), (ROWS, 1)])
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-13}


def widths(dtype, vectors):
    full = vectors * simd.lanes(dtype)
    return full, sorted({1, max(1, full // 2), max(1, full - 1), full})


@pytest.mark.parametrize("by_corners", [False, True])
@every_tile
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_product(dtype, height, vectors, by_corners, rng):
    full, columns_tried = widths(dtype, vectors)
    for columns in columns_tried:
        for segments, run, skip in ((1, 1, 0), (3, 5, 2), (2, 40, 0), (1, 7, 3)):
            a, weight, start = (
                rng.standard_normal(shape).astype(dtype)
                for shape in ((segments, height, skip + run), (segments * run, full), (full,))
            )
            out = np.full((height, columns + 1), 7, dtype)
            _rows_product(a, skip, weight, start, out, segments, run, columns, vectors, by_corners)
            expected = np.einsum("sic,scj->ij", a[..., skip:], weight.reshape(segments, run, full)) + start
            np.testing.assert_allclose(out[:, :columns], expected[:, :columns], atol=run * TOLERANCE[dtype])
            assert (out[:, columns] == 7).all(), "wrote past its columns"


@every_tile
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_product(dtype, height, vectors, rng):
    full, columns_tried = widths(dtype, vectors)
    for columns in columns_tried:
        for count in (1, 2, 33):
            a, b = rng.standard_normal((count, height)).astype(dtype), rng.standard_normal((count, full)).astype(dtype)
            out = np.full((height, columns + 1), 7, dtype)
            _columns_product(a, b, out, columns, vectors)
            np.testing.assert_allclose(
                out[:, :columns], 7 + (a[:, ::-1].T @ b)[:, :columns], atol=count * TOLERANCE[dtype]
            )
            assert (out[:, columns] == 7).all(), "wrote past its columns"


def run_with(instruction_set, *arguments):
    environment = {**os.environ, "NEUROJIT_SIMD": instruction_set}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif("NEUROJIT_SIMD" in os.environ, reason="this is the process with another instruction set")
@pytest.mark.parametrize("instruction_set", [name for name in ("plain", "avx2") if name != simd.INSTRUCTION_SET])
def test_narrower_instruction_sets(instruction_set):
    if instruction_set == "avx2" and simd.INSTRUCTION_SET != "avx512":
        pytest.skip(f"this machine has {simd.INSTRUCTION_SET}")
    chosen = ["tests/functional/test_conv.py::test_equals_pytorch", "-k", "float32 and (channels or groups or rows)"]
    for arguments in (["tests/core/test_simd.py", "-k", "product"], chosen):
        result = run_with(instruction_set, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
        assert "passed" in result.stdout or "skipped" in result.stdout


def test_instruction_set_of_the_environment():
    shown = run_with("plain", "-c", "from neurojit.core import simd; print(simd.describe())")
    assert shown.stdout.startswith("plain: 1 float32 or 1 float64 lanes")
    assert "NEUROJIT_SIMD: got 'mmx'" in run_with("mmx", "-c", "from neurojit.core import simd").stderr
