"""What goes into the wheel and the sdist: the package and its licence; all that builds and tests it."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "neurojit"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Paths of a wheel and of an sdist of these sources."""
    pytest.importorskip("hatchling")
    if not SOURCES.is_dir():
        pytest.skip("these tests run without the sources")
    folder = tmp_path_factory.mktemp("dist")
    program = f"from hatchling import build; build.build_wheel({str(folder)!r}); build.build_sdist({str(folder)!r})"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, timeout=300)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def test_the_wheel_holds_the_package_and_nothing_else(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = wheel.namelist()
    folders = {name.split("/")[0] for name in names}
    (metadata,) = folders - {"neurojit"}
    assert metadata.startswith("neurojit-")
    assert metadata.endswith(".dist-info")
    inside = {Path(name) for name in names if name.startswith("neurojit/")}
    wanted = {path.relative_to(ROOT / "src") for path in SOURCES.rglob("*.py")} | {Path("neurojit/py.typed")}
    assert inside == wanted
    assert f"{metadata}/licenses/LICENSE" in names
    assert f"{metadata}/entry_points.txt" in names


def test_the_sdist_builds_and_tests_the_package(built):
    with tarfile.open(built[1]) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    wanted = {"pyproject.toml", "README.md", "LICENSE", "Makefile", "CHANGELOG.md", "CONTRIBUTING.md", "PKG-INFO"}
    assert wanted <= names
    for folder in ("src", "tests", "benchmarks"):
        here = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py")}
        assert here <= names, folder
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".safetensors"))]
