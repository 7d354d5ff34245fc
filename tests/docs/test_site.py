"""What the documentation makes by itself: the page of benchmarks, and equations."""

import importlib.util
import json

import pytest
from docutils.utils.math import MathError

from tests.rules.source import ROOT


def module(name):
    """A module of the folder docs, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def row(family, what, ratio):
    return {"family": family, "what": what, "ratio": ratio}


def test_rows_become_cases_and_series():
    rows = [
        *(row("conv", f"{case}, {what}", ratio) for case, what, ratio in [("3x3", "forward", 2.0), ("3x3", "dx", 1.5)]),
        *(row("conv", f"1x1, {what}", ratio) for what, ratio in [("forward", 0.9), ("dx", 1.0)]),
        row("conv", "geometric mean, forward", 1.4),
        row("start", "import neurojit", None),
        row("word2vec", "vocabulary scan", 4.2),
        row("word2vec", "skip-gram, hogwild (floor: read)", 9.1),
    ]
    assert module("benchmark_plots").by_family(rows) == {
        "conv": {"3x3": {"forward": 2.0, "dx": 1.5}, "1x1": {"forward": 0.9, "dx": 1.0}},
        "word2vec": {"vocabulary scan": {"": 4.2}, "skip-gram, hogwild": {"": 9.1}},
    }


def test_a_picture_and_a_line_for_every_family(tmp_path):
    record = {
        "date": "2020-02-02",
        "machine": {"threads": "2 of 2 cores"},
        "rows": [row("conv", "3x3", 2.0), row("pool", "max", 0.5), row("start", "demo", None)],
    }
    (tmp_path / "results.json").write_text(json.dumps(record))
    module("benchmark_plots").draw(tmp_path / "results.json", tmp_path / "plots")
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["conv.svg", "page.txt", "pool.svg"]
    page = (tmp_path / "plots" / "page.txt").read_text()
    assert "Measured on 2020-02-02: threads 2 of 2 cores." in page
    assert page.count("](plots/") == 2
    assert "## Pooling" in page


def test_equations_are_mathml():
    mathml = module("mathml").mathml
    assert "<mfrac>" in mathml(r"\frac{a}{b}", is_block=False)
    aligned = mathml(r"h &= \tanh(a) \\ y &= W h", is_block=True)
    assert aligned.count("<mtr>") == 2
    assert mathml(r"\Big( x \dots y \Big)", is_block=True) == mathml(r"( x \ldots y )", is_block=True)
    with pytest.raises(MathError):
        mathml(r"\nonsense", is_block=False)
