"""What the guide shows is what happens."""

import doctest
import re

import pytest

from tests.rules.source import ROOT

PAGES = sorted((ROOT / "docs" / "guide").glob("*.md"))
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def failures(text, name):
    """How many of a page's examples do not show what they say, and how many there are."""
    blocks = "\n\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    examples = doctest.DocTestParser().get_doctest(blocks, {}, name, name, 0)
    return doctest.DocTestRunner(optionflags=FLAGS).run(examples)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_the_guide_run(page):
    assert failures(page.read_text(encoding="utf-8"), page.name).failed == 0


def test_catches_an_example_that_does_not_hold():
    page = "Say:\n\n```python\n>>> 1 + 1\n3\n```\n\nand\n\n```python\n>>> 2 + 2\n4\n```\n"
    assert failures(page, "page") == (1, 2)


def test_there_are_pages_and_examples():
    shown = [page.stem for page in PAGES if ">>>" in page.read_text(encoding="utf-8")]
    assert len(shown) >= 10
