"""The files that docs/architecture.md names are there."""

import re

from tests.rules.source import PACKAGE, ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def absent(text):
    """Paths in backquotes, with a folder, that are neither in the package nor in the repository."""
    paths = re.findall(r"`(\w+/[\w/]+\.(?:py|md))`", text)
    return [path for path in paths if not any((root / path).exists() for root in (PACKAGE, ROOT))]


def test_every_file_that_is_named_exists():
    assert absent(PAGE) == []


def test_every_trip_names_its_files():
    trips = re.split(r"^### ", PAGE[PAGE.index("## Five trips") :].split("\n## ")[0], flags=re.MULTILINE)[1:]
    assert len(trips) == 5
    for trip in trips:
        assert len(re.findall(r"`[\w/]+\.py`", trip)) >= 5, trip.split("\n")[0]


def test_catches_a_file_that_is_gone():
    assert absent("see `core/jit.py` and `core/gone.py`") == ["core/gone.py"]
