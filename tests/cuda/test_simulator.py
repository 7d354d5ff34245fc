"""What talks to numba.cuda works with Numba's own simulator, which stands for a GPU in a process of its own."""

import os
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("numba.cuda.simulator", reason="this Numba has no simulator of CUDA")

PROGRAM = """
    import numpy as np
    from neurojit.core.cuda import to_device, use_target
    from neurojit.core.cuda.hardware import Hardware
    from neurojit.functional.optimizer import adam_update, sgd_update

    with use_target(Hardware()):
        value = to_device(np.arange(6.0).reshape(2, 3))
        again, empty = value.copy(), to_device(np.zeros((0, 3), np.float32))
        sgd_update(value, to_device(np.ones((2, 3))), learning_rate=0.5)
        np.testing.assert_array_equal(value.numpy(), np.arange(6.0).reshape(2, 3) - 0.5)
        np.testing.assert_array_equal(again.numpy(), np.arange(6.0).reshape(2, 3))
        again[...] = value
        np.testing.assert_array_equal(again.numpy(), value.numpy())
        assert empty.numpy().shape == (0, 3)
        memory = [to_device(np.zeros(6)) for _ in range(2)]
        flat = value.reshape(-1)
        adam_update(flat, flat.copy(), *memory, updates=1, learning_rate=0.1)
        assert np.isfinite(flat.numpy()).all() and (memory[1].numpy() >= 0).all()
        print("done")
"""


def test_hardware_in_the_simulator():
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert result.stdout.strip() == "done", result.stderr
