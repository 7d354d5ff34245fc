"""Where compiled kernels are kept between processes.

Numba's own cache looks only at the file a kernel is written in: edit a helper in another file and the stale machine
code is loaded. Here the directory is named after a fingerprint of every source that can end up inside a kernel, so a
changed helper means a new directory, for developers and after an upgrade alike.
"""

import functools
import hashlib
import os
import tempfile
from pathlib import Path

from numba.core import caching

PACKAGE = Path(__file__).resolve().parent.parent
KERNEL_SOURCES = ("core", "kernels/cpu", "reservoirs", "text")


@functools.cache
def fingerprint():
    """A short hash of all sources that kernels are compiled from, and of the instruction set asked for."""
    digest = hashlib.sha256(os.environ.get("NEUROJIT_SIMD", "").encode())
    for folder in KERNEL_SOURCES:
        for source in sorted((PACKAGE / folder).glob("*.py")):
            digest.update(source.name.encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _candidates():
    """Cache roots in order of preference: the one asked for, else the user's."""
    asked = os.environ.get("NUMBA_CACHE_DIR")
    if asked:
        yield Path(asked)
        return
    if "XDG_CACHE_HOME" in os.environ:
        yield Path(os.environ["XDG_CACHE_HOME"])
    try:
        yield Path.home() / ".cache"
    except RuntimeError:  # no home directory
        return


@functools.cache
def directory():
    """The directory compiled kernels go to, or None where nothing can be written (kernels then compile each time)."""
    for root in _candidates():
        place = root / "neurojit" / fingerprint()
        try:
            place.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=place).close()
        except OSError:
            continue
        return place
    return None


class _Locator(caching._SourceFileBackedLocatorMixin, caching._CacheLocator):
    """Tells numba to keep the machine code of a function under `directory()`."""

    variant = "cpu"

    def __init__(self, function, source):
        self._py_file = source
        self._lineno = function.__code__.co_firstlineno
        package = Path(source).parent
        inside = package.relative_to(PACKAGE) if package.is_relative_to(PACKAGE) else Path(package.name)
        self._cache_path = str(directory() / self.variant / inside)

    def get_cache_path(self):
        return self._cache_path

    @classmethod
    def from_function(cls, function, source):
        return None if directory() is None else super().from_function(function, source)


class _SerialLocator(_Locator):
    """The one-thread build of a parallel driver has the same name and line, so it needs a place of its own."""

    variant = "cpu-serial"


def _cache_class(locator):
    class Implementation(caching.CompileResultCacheImpl):
        _locator_classes = [locator]

    class KernelCache(caching.FunctionCache):
        _impl_class = Implementation

    return KernelCache


_CACHES = {"cpu": _cache_class(_Locator), "cpu-serial": _cache_class(_SerialLocator)}


def enable(dispatcher, variant="cpu"):
    """Give a numba dispatcher a persistent cache where one can be written; else leave it compiling in memory."""
    if directory() is not None:
        dispatcher._cache = _CACHES[variant](dispatcher.py_func)
    return dispatcher


def holds_kernels():
    """Whether some process has compiled kernels into the cache already."""
    place = directory()
    return place is not None and any(place.rglob("*.nbi"))
