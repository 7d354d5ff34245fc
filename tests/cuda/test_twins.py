"""A kernel of the GPU that has the name of one of the CPU, in the file of the same name, takes the same arguments."""

import importlib
import inspect
import pkgutil

import pytest

import neurojit.kernels.cuda
from neurojit.core.cuda import CudaKernel

# Neighbours in name only: the CPU's work on tables of addresses and on packed panels.
OTHERS = {"conv", "depthwise", "norm", "columns", "global_pool", "packing"}
FILES = sorted({module.name for module in pkgutil.iter_modules(neurojit.kernels.cuda.__path__)} - OTHERS)


def disagreements(here, there):
    """Kernels of a CUDA module whose namesakes of the CPU take other arguments."""
    found = []
    for name, kernel in vars(here).items():
        twin = getattr(getattr(there, name, None), "py_func", None)
        if not isinstance(kernel, CudaKernel) or twin is None:
            continue
        own, other = list(kernel.parameters), list(inspect.signature(twin).parameters)
        # Kernels made by elementwise.py call the numbers between the arrays a, b and c, and what is kept x.
        if len(own) != len(other) or (kernel.function.__code__.co_filename == here.__file__ and own != other):
            found.append(f"{name}: {own} on the GPU, {other} on the CPU")
    return found


@pytest.mark.parametrize("file", FILES)
def test_twins_take_the_same_arguments(file):
    here = importlib.import_module(f"neurojit.kernels.cuda.{file}")
    try:
        there = importlib.import_module(f"neurojit.kernels.cpu.{file}")
    except ModuleNotFoundError:
        return
    assert disagreements(here, there) == []


def test_a_disagreement_is_seen():
    from neurojit.kernels.cpu import optimizer as cpu
    from neurojit.kernels.cuda import optimizer as gpu

    class Stranger:
        __file__ = gpu.__file__
        momentum_sgd = gpu.sgd

    found = disagreements(Stranger, cpu)
    assert len(found) == 1
    assert "momentum_sgd" in found[0]
