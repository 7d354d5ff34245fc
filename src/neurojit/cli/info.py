"""`neurojit info`: what there is to compute with."""

import importlib.metadata
import importlib.util
import platform

import neurojit

_PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "scikit-learn", "safetensors", "tqdm")
_CUDA_PACKAGES = ("numba-cuda", "cuda-python")


def info():
    """Print versions, the instruction set, threads, the kernel cache and the state of CUDA, a line each."""
    for name, value in facts().items():
        print(f"{name:<15} {value}")


def facts():
    """What `info` prints, from name to text."""
    from neurojit.core import cache, device, simd

    place = cache.directory()
    return {
        "neurojit": neurojit.__version__,
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        **{package: _version(package) for package in _PACKAGES},
        "SIMD": simd.describe(),
        "threads": device.describe(),
        "kernel cache": "nowhere to write: kernels are compiled in every process" if place is None else str(place),
        "CUDA": _cuda(),
    }


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _cuda():
    """Whether the optional CUDA packages are there; asking imports none of them."""
    found = [f"{package} {_version(package)}" for package in _CUDA_PACKAGES if _version(package) != "not installed"]
    if not found:
        return "not installed (pip install 'neurojit[cuda]')"
    return f"{', '.join(found)}; the estimators of this version compute on the CPU"
