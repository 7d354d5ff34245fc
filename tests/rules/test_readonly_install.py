"""A read-only install works: kernels are cached elsewhere or compiled anew; nothing is written into the package."""

import os
import shutil
import stat
import subprocess
import sys
import textwrap

import pytest

from tests.rules.source import PACKAGE

PROGRAM = """
    import numpy as np
    import neurojit
    from neurojit.core import cache
    x = np.ones((4, 3), np.float32)
    x.flags.writeable = False
    y, backward = neurojit.layers.ReLU().vjp(x)
    assert (y == x).all() and (backward(y)[0] == x).all()
    print(neurojit.__file__)
    print(cache.directory())
"""


_CACHES = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")


def listing(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def install(tmp_path):
    """A folder with a copy of the package that nobody may write to."""
    folder = tmp_path / "site"
    shutil.copytree(PACKAGE, folder / "neurojit", ignore=shutil.ignore_patterns("__pycache__"))
    everything = [folder, *folder.rglob("*")]
    for path in everything:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    yield folder
    for path in everything:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


@pytest.mark.parametrize(
    ("variable", "cache_works"),
    [("NUMBA_CACHE_DIR", True), ("NUMBA_CACHE_DIR", False), ("HOME", False)],
    ids=["cache elsewhere", "no cache", "no home directory"],
)
def test_a_read_only_install_works(install, tmp_path, variable, cache_works):
    cache = tmp_path / "cache"
    if not cache_works:
        cache.write_text("a file, where the folder should be")
    environment = {name: value for name, value in os.environ.items() if name not in _CACHES}
    environment |= {variable: str(cache), "PYTHONPATH": str(install), "PYTHONDONTWRITEBYTECODE": "1"}
    before = listing(install)
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    used, directory = done.stdout.splitlines()
    assert used == str(install / "neurojit" / "__init__.py")
    assert directory.startswith(str(cache)) if cache_works else directory == "None"
    assert any(cache.rglob("*.nbc")) is cache_works
    assert listing(install) == before, (
        "nothing is written into the package, not even by root, whom the mode does not stop"
    )
