"""The cache of compiled kernels: found again by the next process, renewed by any edit, and not needed."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from neurojit.core import cache

PACKAGE = Path(cache.__file__).parent.parent

PROGRAM = """
    from neurojit.core import cache, random
    from neurojit.core.random import Key
    Key(0).words(3)
    dispatcher = random.fill_words
    print(cache.directory())
    print(sum(dispatcher.stats.cache_hits.values()), sum(dispatcher.stats.cache_misses.values()))
"""


def run(package_parent, **environment):
    """Draw random words in a new process with the package in `package_parent`: (cache directory, hits, misses)."""
    environment = {**os.environ, "PYTHONPATH": str(package_parent), "PYTHONDONTWRITEBYTECODE": "1"} | environment
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    done = subprocess.run(
        command, env=environment, cwd=package_parent, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    directory, counts = done.stdout.splitlines()
    return directory, *(int(n) for n in counts.split())


@pytest.fixture
def copy(tmp_path):
    """A folder with a copy of the package."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "site" / "neurojit", ignore=ignore)
    return tmp_path / "site"


def test_the_next_process_compiles_nothing_until_a_source_changes(copy, tmp_path):
    place = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    directory, hits, misses = run(copy, **place)
    assert Path(directory).parent == tmp_path / "cache" / "neurojit"
    assert (hits, misses) == (0, 1)
    assert run(copy, **place) == (directory, 1, 0)

    # Not the file the kernel is in, which numba's own cache would notice, but one it might have taken a helper from.
    helper = copy / "neurojit" / "core" / "shapes.py"
    helper.write_text(helper.read_text() + "\n# edited\n")
    renewed, hits, misses = run(copy, **place)
    assert renewed != directory
    assert (hits, misses) == (0, 1)


def test_another_instruction_set_has_a_cache_of_its_own(copy, tmp_path):
    place = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert run(copy, **place, NEUROJIT_SIMD="plain")[0] != run(copy, **place)[0]


def test_a_place_that_cannot_be_written_means_no_cache(copy, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, where the cache folder should go")
    directory, hits, _ = run(copy, NUMBA_CACHE_DIR=str(blocked))
    assert (directory, hits) == ("None", 0)
    assert not list((copy / "neurojit").rglob("*.nb?"))


def test_the_users_cache_is_used_where_none_is_named(copy, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"XDG_CACHE_HOME": str(tmp_path / "xdg"), "NUMBA_CACHE_DIR": ""}
    assert Path(run(copy, **environment)[0]).parent == tmp_path / "xdg" / "neurojit"
