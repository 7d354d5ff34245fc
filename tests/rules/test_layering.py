"""The house stands: arrows between its floors go one way, and only core knows numba."""

import textwrap

import pytest

from tests.rules.source import floor, imports, sources

_NETWORKS = {"core", "functional", "layers", "models"}
_FAMILIES = {"training", "text", "reservoirs", "decoding"}

# What each floor may import, besides itself. `neurojit` itself is the floor __init__, whose names are lazy.
MAY_IMPORT = {
    "core": set(),
    "kernels": {"core"},
    "functional": {"core", "kernels"},
    "layers": {"core", "functional"},
    "models": {"core", "functional", "layers"},
    "testing": {"core", "functional", "layers"},
    "training": _NETWORKS,
    "text": _NETWORKS | {"kernels", "training"},
    "reservoirs": _NETWORKS | {"kernels", "training"},
    "decoding": _NETWORKS,
    "datasets": {"core"},
    "io": _NETWORKS | _FAMILIES | {"__init__"},  # load() asks for a saved estimator's class by its public name
    "inspection": _NETWORKS | _FAMILIES | {"io"},
    "estimators": _NETWORKS | _FAMILIES | {"io", "inspection", "datasets"},
    "cli": _NETWORKS | _FAMILIES | {"io", "inspection", "datasets", "estimators", "__init__"},
    "__main__": {"cli"},
    "__init__": _NETWORKS | _FAMILIES | {"io", "inspection", "datasets", "estimators", "testing"},
}
EVERYONE_MAY_READ = {"neurojit.__version__"}
COMPILERS = ("numba", "llvmlite")


def violations(package):
    """Every import that breaks the rules in the package in a folder, as 'module:line: why'."""
    found = []
    for source in sources(package):
        own = source.floor
        if own not in MAY_IMPORT:
            found.append(f"{source.name}: no floor of the house is called {own}")
            continue
        for name, line in imports(source.tree):
            if name.split(".")[0] in COMPILERS and own != "core":
                found.append(f"{source.name}:{line}: imports {name}, which only core may")
            if name.split(".")[0] == "neurojit" and name not in EVERYONE_MAY_READ:
                other = floor(name)
                if other != own and other not in MAY_IMPORT[own]:
                    found.append(f"{source.name}:{line}: {own} imports {name}")
            if name.startswith("."):
                found.append(f"{source.name}:{line}: relative import {name}")
    return found


def test_the_house_stands():
    found = violations(sources()[0].path.parent)
    assert not found, "\n".join(found)


def test_arrows_make_no_circle():
    remaining = {name: set(targets) & MAY_IMPORT.keys() for name, targets in MAY_IMPORT.items() if name != "__init__"}
    for targets in remaining.values():
        targets.discard("__init__")
    while remaining:
        ground = {name for name, targets in remaining.items() if not targets & remaining.keys()}
        assert ground, f"a circle among {sorted(remaining)}"
        remaining = {name: targets for name, targets in remaining.items() if name not in ground}


@pytest.mark.parametrize(
    ("module", "line", "complaint"),
    [
        ("core/arrays.py", "from neurojit.layers import Dense", "core imports neurojit.layers"),
        ("core/arrays.py", "from neurojit import kernels", "core imports neurojit.kernels"),
        ("kernels/cpu/dense.py", "from neurojit.functional.op import op", "kernels imports neurojit.functional.op"),
        ("kernels/cpu/dense.py", "from numba import njit", "imports numba, which only core may"),
        ("layers/dense.py", "import llvmlite.ir", "imports llvmlite.ir, which only core may"),
        ("layers/dense.py", "from neurojit.kernels.cpu import dense", "layers imports neurojit.kernels.cpu"),
        ("layers/dense.py", "def f():\n    import neurojit.training.loop", "layers imports neurojit.training.loop"),
        ("training/loop.py", "from neurojit.estimators import Any", "training imports neurojit.estimators"),
        ("io/model.py", "import_module('neurojit.estimators')", "io imports neurojit.estimators"),
        ("training/loop.py", "import neurojit", "training imports neurojit"),
        ("training/loop.py", "from neurojit import load", "training imports neurojit.load"),
        ("layers/dense.py", "from .base import Layer", "relative import .base"),
        ("attic/old.py", "", "no floor of the house is called attic"),
    ],
)
def test_catches_what_goes_the_wrong_way(tmp_path, module, line, complaint):
    path = tmp_path / "neurojit" / module
    path.parent.mkdir(parents=True)
    path.write_text(textwrap.dedent(line))
    found = violations(tmp_path / "neurojit")
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("core/jit.py", "import numba"),
        ("kernels/cpu/dense.py", "from neurojit.core.jit import kernel\nfrom neurojit.kernels.cpu import tiles"),
        ("layers/dense.py", "from neurojit import functional as F"),
        ("io/model.py", "from neurojit import __version__"),
        ("cli.py", "import neurojit as nj\nfrom neurojit.estimators import ConvNetClassifier"),
        ("__init__.py", "from neurojit.estimators import ConvNetClassifier"),
    ],
)
def test_lets_pass_what_goes_the_right_way(tmp_path, module, line):
    path = tmp_path / "neurojit" / module
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert violations(tmp_path / "neurojit") == []
