"""The registry with every kernel in it: files of kernels are imported where they are needed, here all of them."""

import importlib
import pkgutil

import neurojit.core.cuda.arithmetic
import neurojit.kernels.cuda
from neurojit.core.cuda import KERNELS

__all__ = ["KERNELS"]

for _module in pkgutil.iter_modules(neurojit.kernels.cuda.__path__):
    importlib.import_module(f"neurojit.kernels.cuda.{_module.name}")
