"""Every kernel compiles to machine code that keeps its promises, for two architectures and both precisions."""

import pytest

from tests.cuda import gate
from tests.cuda.kernels import KERNELS

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
