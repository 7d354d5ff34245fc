"""The reference of the documentation lists every public name, once."""

import importlib
import re
from collections import Counter

from tests.rules.source import ROOT
from tests.rules.test_docstrings import MODULES

PAGES = sorted((ROOT / "docs" / "api").glob("*.rst"))


def listed(text):
    """The dotted names that a page has in its autosummaries."""
    module, names, inside = "", [], False
    for line in text.splitlines():
        if line.startswith(".. "):
            inside = line == ".. autosummary::"
            module = line.removeprefix(".. currentmodule:: ") if line.startswith(".. currentmodule:: ") else module
        elif inside and re.fullmatch(r"   \w+", line):
            names.append(f"{module}.{line.strip()}")
    return names


def public():
    """What is to be listed: the callables and classes of each public module, one dotted name for each thing."""
    names = {}
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                names.setdefault(id(thing), f"{module_name}.{name}")
    return set(names.values())


def test_every_public_name_is_in_the_reference_once():
    counts = Counter(name for page in PAGES for name in listed(page.read_text(encoding="utf-8")))
    assert sorted(public() - counts.keys()) == [], "not in docs/api"
    assert sorted(counts.keys() - public()) == [], "in docs/api, but not public"
    assert [name for name, n in counts.items() if n > 1] == [], "twice in docs/api"


def test_reads_a_page():
    page = ".. currentmodule:: a.b\n\nwords\n\n.. autosummary::\n   :toctree: generated\n\n   one\n   two\n\nafter\n"
    assert listed(page) == ["a.b.one", "a.b.two"]
    assert public() - set(listed(page)), "a page that lacks names is found out"
