"""Fixtures shared by all tests."""

import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest

# Compiling a kernel on its first call takes seconds, so no example is too slow; the seed is fixed so that runs repeat.
hypothesis.settings.register_profile("neurojit", deadline=None, max_examples=20, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("neurojit")


@pytest.fixture
def rng():
    """A NumPy generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def data_folder():
    """The folder of data sets, or a skip where there is none."""
    folder = os.environ.get("NEUROJIT_DATA")
    if not folder:
        pytest.skip("NEUROJIT_DATA names no folder of data sets")
    if not Path(folder).is_dir():
        pytest.skip(f"NEUROJIT_DATA: {folder} is not a folder")
    return Path(folder)


@pytest.fixture(scope="session")
def torch():
    """PyTorch, or a skip where it is not installed."""
    return pytest.importorskip("torch")


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def n_threads(request):
    """One thread, then two where the machine has them; the number is restored afterwards."""
    from neurojit.core import device

    try:
        device.check_thread_count(request.param)
    except ValueError:
        pytest.skip(f"this process has fewer than {request.param} threads")
    with device.threads(request.param):
        yield request.param


@pytest.fixture
def same_bits():
    """A check that ``function()`` gives the same bits on one thread and on two: ``same_bits(function)``."""
    from neurojit.core import device

    def leaves(value):
        if isinstance(value, tuple | list):
            return [leaf for part in value for leaf in leaves(part)]
        return [] if value is None else [np.asarray(value)]

    def check(function):
        results = []
        for count in (1, 2):
            try:
                device.check_thread_count(count)
            except ValueError:
                pytest.skip(f"this process has fewer than {count} threads")
            with device.threads(count):
                results.append(leaves(function()))
        for i, (one, two) in enumerate(zip(*results, strict=True)):
            assert one.tobytes() == two.tobytes(), f"result {i} has other bits on 2 threads than on 1"

    return check
