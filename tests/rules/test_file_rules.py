"""Files are short, and work on any machine."""

import ast
import re

import pytest

from tests.rules.source import PACKAGE, ROOT

MOST_LINES = 400
FOLDERS = ("src", "tests", "benchmarks", "docs", "notebooks", ".ci", ".github")
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".ipynb", ".sh", ".cfg", ".txt", ""}
# Folders that exist on one machine and not on another.
ABSOLUTE = re.compile(r"(?<![\w.:/~}])/(home|root|Users|work|mnt|opt|srv|var|private)/\w|\b[A-Z]:\\\\?\w")


def files():
    """The text files of the project."""
    found = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]  # a file in a worktree
    for folder in FOLDERS:
        found += [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted(path for path in found if path.suffix in TEXT)


def too_long(text):
    return [f"{n} lines, at most {MOST_LINES}" for n in [text.count("\n")] if n > MOST_LINES]


def absolute_paths(text):
    lines = enumerate(text.splitlines(), 1)
    return [f"line {i}: {match.group()}" for i, line in lines for match in ABSOLUTE.finditer(line)]


def catch_all_constructors(text):
    constructors = (node for node in ast.walk(ast.parse(text)) if getattr(node, "name", "") == "__init__")
    return [f"line {node.lineno}: __init__ takes **{node.args.kwarg.arg}" for node in constructors if node.args.kwarg]


def complaints(check, paths):
    return [f"{path.relative_to(ROOT)}: {why}" for path in paths for why in check(path.read_text(encoding="utf-8"))]


def test_no_python_file_is_two_ideas():
    found = complaints(too_long, [path for path in files() if path.suffix == ".py"])
    assert not found, "\n".join(found)
    assert too_long("x = 1\n" * (MOST_LINES + 1))


def test_no_path_of_one_machine():
    found = complaints(absolute_paths, [path for path in files() if path.name != "test_file_rules.py"])
    assert not found, "\n".join(found)


def test_constructors_name_their_arguments():
    found = complaints(catch_all_constructors, PACKAGE.rglob("*.py"))
    assert not found, "\n".join(found)
    assert catch_all_constructors("class A:\n    def __init__(self, x, **options): pass")


@pytest.mark.parametrize(
    ("text", "is_bad"),
    [
        ('open("/home/me/mnist.npz")', True),
        ("see /Users/me/notes.txt", True),
        (r'path = "C:\\data\\mnist.npz"', True),
        ("PYTHONPATH=/srv/src", True),
        ('Path("data/mnist.npz")', False),
        ("https://example.org/home/page and ~/opt/x", False),
        ("#!/usr/bin/env bash", False),
        ("x /srv/ y", False),
        ("../srv/data", False),
    ],
)
def test_knows_a_path_of_one_machine(text, is_bad):
    assert bool(absolute_paths(text)) is is_bad
