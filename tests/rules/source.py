"""What the rule checks share: the sources of the package, parsed, and the modules they import."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "neurojit"


@dataclass(frozen=True)
class Source:
    """A parsed module of a package."""

    path: Path
    name: str
    tree: ast.Module

    @property
    def floor(self):
        """The part of the house a module is in: core, kernels, layers, ..., or __init__, cli, testing."""
        return floor(self.name)


def floor(name):
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def sources(package=PACKAGE):
    """Every module of the package in a folder, by path."""
    found = []
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package).with_suffix("").parts
        name = ".".join([package.name, *(part for part in inside if part != "__init__")])
        found.append(Source(path, name, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def imports(tree, package="neurojit"):
    """The modules that a parsed module imports, at its top or inside functions, as (dotted name, line)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == package:  # `from neurojit import layers` imports neurojit.layers
                yield from ((f"{package}.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield "." * node.level + (node.module or ""), node.lineno
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__") and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant):
                yield str(name.value), node.lineno


def called(node):
    """The last part of the name that a call calls: `set_num_threads` for numba.set_num_threads(1)."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
