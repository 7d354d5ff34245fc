"""How operations on every number alone call their kernels."""

import numpy as np

from neurojit.core.cuda import CudaKernel, DeviceArray
from neurojit.core.memory import empty_like
from neurojit.functional.devices import kernel_for


def apply(kernel, *arguments):
    """What a kernel of the CPU, or one of the device, makes of flat views of its arrays, in an array like the first."""
    result = empty_like(arguments[0])
    flat = (a.reshape(-1) if isinstance(a, np.ndarray | DeviceArray) else a for a in arguments)
    run = kernel if isinstance(kernel, CudaKernel) else kernel_for(kernel, result)
    run(*flat, result.reshape(-1))
    return result


def pullback_of(kernel, *kept):
    """The pullback of a function of one array, from its backward kernel and what that needs besides dy."""
    return lambda dy, wrt: (apply(kernel, dy, *kept) if wrt[0] else None,)
