"""CUDA: what kernels are written in, how they are launched, and where their arrays live.

This package is the only part of the house that knows `numba.cuda`, and it imports it when the first kernel is compiled:
kernels, their registry and their launch plans are plain Python, which runs on any machine.
"""

from neurojit.core.cuda.array import (
    DeviceArray,
    device_empty,
    device_empty_like,
    on_device,
    on_host,
    to_device,
    to_host,
    zeros_like,
)
from neurojit.core.cuda.language import (
    Bits,
    Float,
    Floats,
    Int,
    Ints,
    Longs,
    Matrix,
    Pairs,
    Share,
    Triple,
    Word,
    cuda,
    device_function,
    load4,
    quotient,
    store4,
)
from neurojit.core.cuda.registry import KERNELS, CudaKernel, Launch, cuda_kernel
from neurojit.core.cuda.target import (
    CudaUnavailable,
    DeviceMemoryError,
    Target,
    current_target,
    is_available,
    use_target,
)

__all__ = [
    "KERNELS",
    "Bits",
    "CudaKernel",
    "CudaUnavailable",
    "DeviceArray",
    "DeviceMemoryError",
    "Float",
    "Floats",
    "Int",
    "Ints",
    "Launch",
    "Longs",
    "Matrix",
    "Pairs",
    "Share",
    "Target",
    "Triple",
    "Word",
    "cuda",
    "cuda_kernel",
    "current_target",
    "device_empty",
    "device_empty_like",
    "device_function",
    "is_available",
    "load4",
    "on_device",
    "on_host",
    "quotient",
    "store4",
    "to_device",
    "to_host",
    "use_target",
    "zeros_like",
]
