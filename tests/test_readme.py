"""What the README shows is what happens."""

import re

import pytest

from tests.rules.source import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_examples_run_and_learn():
    namespace = {}
    first, second = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(first, namespace)
    X, y = namespace["X"], namespace["y"]
    assert namespace["model"].score(X[1400:], y[1400:]) > 0.93
    exec(second, namespace)
    model = namespace["model"].set_params(max_epochs=1)
    assert model.fit(X[:100], y[:100]).predict(X[:5]).shape == (5,), "a network that is an expression"


def test_the_two_commands_are_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    first_screen = README.splitlines()[:25]
    for command in ("demo", "test"):
        assert f"make {command}" in first_screen
        assert re.search(rf"^{command}:", makefile, re.MULTILINE)


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (ROOT / target).exists(), target
