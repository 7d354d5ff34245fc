"""`neurojit info`: what there is to compute with."""

import importlib.metadata
import importlib.util
import platform

import neurojit

_PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "scikit-learn", "safetensors", "tqdm")


def info():
    """Print versions, the instruction set, threads, the kernel cache and the state of CUDA, a line each."""
    for name, value in facts().items():
        print(f"{name:<15} {value}")


def facts():
    """What `info` prints, from name to text."""
    from neurojit.core import cache, device, simd
    from neurojit.core.cuda import diagnosis

    place = cache.directory()
    return {
        "neurojit": neurojit.__version__,
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        **{package: _version(package) for package in _PACKAGES},
        "SIMD": simd.describe(),
        "threads": device.describe(),
        "kernel cache": "nowhere to write: kernels are compiled in every process" if place is None else str(place),
        "CUDA": diagnosis.describe(),
    }


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
