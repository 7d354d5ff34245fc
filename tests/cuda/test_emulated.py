"""Operations on the device equal those on the CPU, their gradients too, and every kernel takes part in a case.

Kernels run in the emulator, which watches for races and for barriers that not all threads come to.
"""

import importlib
import pkgutil

import numpy as np
import pytest

import neurojit.kernels.cuda
from neurojit.core.cuda import KERNELS, to_device, to_host, use_target
from tests.cuda.cases import CASES

pytest.importorskip("greenlet", reason="the emulator of kernels needs greenlet")
from tests.emulator.target import Emulator

for _module in pkgutil.iter_modules(neurojit.kernels.cuda.__path__):
    importlib.import_module(f"neurojit.kernels.cuda.{_module.name}")

_launched = set()


def leaves(value):
    """All arrays in a nest of tuples, on the host."""
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in leaves(part)]
    return [] if value is None else [to_host(value)]


def results(case, dtype, move):
    """The value, the value with its pullback, and the gradients to draws, of arrays that `move` puts somewhere."""
    arrays = [move(a) for a in case.draw(dtype)]
    value = case.op(*arrays, **case.options)
    again, backward = case.op.vjp(*arrays, **case.options)
    rng = np.random.default_rng(1)
    dy = [rng.standard_normal(leaf.shape).astype(leaf.dtype) for leaf in leaves(again)]
    shaped = tuple(move(d) if d.ndim else d for d in dy)
    return leaves([value, again, backward(shaped[0] if len(shaped) == 1 else shaped)])


def compare(case, dtype, order):
    with use_target(Emulator(order)) as emulator:
        found = results(case, dtype, to_device)
        _launched.update(emulator.launched)
    expected = results(case, dtype, np.asarray)
    tolerance = case.tolerance if dtype == np.float32 else 1e-12
    assert len(found) == len(expected)
    for index, (got, wanted) in enumerate(zip(found, expected, strict=True)):
        assert got.dtype == wanted.dtype
        scale = max(1.0, np.abs(wanted[np.isfinite(wanted)]).max(initial=0))
        np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * scale, err_msg=f"result {index}")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equals_the_cpu(case):
    for order in ("forward", "reverse", "random"):
        compare(case, np.float32, order)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equals_the_cpu_in_float64(case):
    compare(case, np.float64, "forward")


def test_every_kernel_takes_part():
    """Runs what has not been run yet in this process: tests may be chosen, or spread over processes."""
    for case in CASES:
        if not KERNELS.keys() - _launched:
            break
        compare(case, np.float32, "forward")
    assert not KERNELS.keys() - _launched, "kernels without a case"
