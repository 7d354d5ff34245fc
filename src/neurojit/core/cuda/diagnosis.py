"""What is missing before kernels can run on a GPU, found without loading any of it into this process for good."""

import ctypes
import importlib.metadata
import sys

from neurojit.core.cuda.target import CudaUnavailable

_INSTALL = "pip install 'neurojit[cuda]'"
_DRIVER_NAMES = {"win32": ("nvcuda.dll",)}.get(sys.platform, ("libcuda.so.1", "libcuda.so"))


def package():
    """The installed version of numba-cuda, or None."""
    try:
        return importlib.metadata.version("numba-cuda")
    except importlib.metadata.PackageNotFoundError:
        return None


def driver():
    """The NVIDIA driver's library, or None where it is not installed."""
    for name in _DRIVER_NAMES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def gpu_count(library):
    """How many GPUs the driver sees: 0 as well where it cannot start."""
    count = ctypes.c_int(0)
    if library.cuInit(0) != 0 or library.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def missing():
    """What is missing, with how to get it, a sentence each; empty where CUDA can be used."""
    found = []
    if package() is None:
        found.append(f"the package numba-cuda is not installed ({_INSTALL})")
    library = driver()
    if library is None:
        found.append(
            f"no NVIDIA driver was found ({_DRIVER_NAMES[0]}; install the one for your GPU from nvidia.com/drivers)"
        )
    elif gpu_count(library) == 0:
        found.append(
            "the NVIDIA driver sees no GPU (check `nvidia-smi`, CUDA_VISIBLE_DEVICES, and that a container was started"
            " with access to it)"
        )
    return found


def require():
    """Raise unless kernels can run on a GPU.

    Raises
    ------
    CudaUnavailable
        With all that is missing.
    """
    found = missing()
    if found:
        raise CudaUnavailable(f"device: got 'cuda', but {'; '.join(found)}. device='cpu' needs none of this")


def describe():
    """One line on CUDA: the packages, driver and GPU, or what is missing."""
    found = missing()
    if found:
        return f"not available: {'; '.join(found)}"
    from neurojit.core.cuda.hardware import Hardware

    return f"{Hardware().describe()}, numba-cuda {package()}"
