"""Every kernel compiles to machine code that keeps its promises, for two architectures and both precisions."""

import importlib
import pkgutil

import pytest

import neurojit.kernels.cuda
from neurojit.core.cuda import KERNELS
from tests.cuda import gate

for _module in pkgutil.iter_modules(neurojit.kernels.cuda.__path__):
    importlib.import_module(f"neurojit.kernels.cuda.{_module.name}")

pytestmark = pytest.mark.skipif(gate.unavailable() is not None, reason=str(gate.unavailable()))


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_machine_code(name):
    kernel = KERNELS[name]
    found = [
        f"{architecture} {precision}: {complaint}"
        for architecture in gate.ARCHITECTURES
        for precision in kernel.precisions
        for complaint in gate.complaints(kernel, precision, architecture)
    ]
    assert not found, "\n".join([f"{name}:", *found])
