"""What benchmarks measure comes out as one table, as JSON and as a picture, with the ratios the right way round."""

import io
import json
import platform
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as runner
from benchmarks.recorder import Recorder, Row, ratios


@pytest.fixture
def recorder():
    """Two families: times and rates beside two peers, a figure without a peer, means and a note."""
    found = Recorder(io.StringIO())
    found.begin("conv")
    found.times("3x3", {"ours": 0.002, "first": 0.006, "last": 0.003}, floor=0.8)
    found.rate("1x1", {"ours": 0.5, "first": 2.0, "last": 1.0}, 1000, "GFLOP/s", most=4000)
    found.means({"forward": [1.5, 6.0]})
    found.begin("start")
    found.add("import", 12.345, "ms")
    found.note("7 runs")
    return found


def test_the_best_peer_is_compared_and_above_one_is_faster(recorder):
    assert recorder.rows == [
        Row("conv", "3x3", 2.0, 3.0, "ms", 1.5, 0.8),
        Row("conv", "1x1", 2000.0, 1000.0, "GFLOP/s", 2.0, 0.5),
        Row("conv", "geometric mean, forward", ratio=pytest.approx(3.0)),
        Row("start", "import", 12.345, None, "ms", None, None),
    ]


def test_one_table_of_all_families(recorder):
    assert recorder.table().splitlines() == [
        "family  what                              ours           peer  ratio  floor",
        "conv    3x3                            2.00 ms        3.00 ms  1.50x    80%",
        "conv    1x1                      2,000 GFLOP/s  1,000 GFLOP/s  2.00x    50%",
        "conv    geometric mean, forward              -              -  3.00x      -",
        "start   import                         12.3 ms              -      -      -",
        "start: 7 runs",
    ]


def test_rows_are_shown_as_they_come():
    out = io.StringIO()
    recorder = Recorder(out)
    recorder.begin("pool")
    recorder.add("memory", 10, "MB", 15)
    assert out.getvalue() == "pool  memory  10.0 MB  15.0 MB  1.50x\n"


def test_the_file_has_all_that_was_measured_and_no_name_of_the_machine(recorder, tmp_path):
    recorder.seconds["conv"] = 1.5
    recorder.write_json(tmp_path / "rows.json")
    text = (tmp_path / "rows.json").read_text()
    found = json.loads(text)
    assert [Row(**row) for row in found["rows"]] == recorder.rows
    assert found["notes"] == [{"family": "start", "text": "7 runs"}]
    assert found["seconds"] == {"conv": 1.5}
    assert {"neurojit", "numba", "numpy", "SIMD", "threads", "Python"} <= found["machine"].keys()
    assert len(found["date"]) == len("2000-01-01")
    assert platform.node() not in text


def test_the_picture_has_a_dot_for_each_row_beside_a_peer(recorder, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    recorder.write_plot(tmp_path / "ratios.png")
    assert matplotlib.image.imread(tmp_path / "ratios.png").ndim == 3
    axes = matplotlib.figure.Figure().subplots()
    assert ratios(recorder.rows, axes) is axes
    dots, mean = axes.lines[0].get_xdata(), axes.lines[1].get_xdata()
    np.testing.assert_allclose(dots, [1.5, 2.0])
    np.testing.assert_allclose(mean, np.sqrt(3.0))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["conv"]


# -- the command -------------------------------------------------------------------------------------------------------


def test_every_family_has_a_module_and_every_module_is_a_family():
    folder = Path(runner.__file__).parent
    modules = {path.stem.removeprefix("bench_") for path in folder.glob("bench_*.py")}
    assert modules == runner.TIMED.keys() | runner.ON_REQUEST.keys()
    assert not runner.TIMED.keys() & runner.ON_REQUEST.keys()


def test_help_tells_what_runs_by_default_and_what_on_request():
    by_default, on_request = runner.parser().format_help().split("on request alone")
    assert all(f"\n  {name} " in by_default for name in runner.TIMED)
    assert all(f"\n  {name} " in on_request for name in runner.ON_REQUEST)
    assert "twenty minutes" in by_default


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convolution"], "family: got 'convolution', wanted one of conv,"),
        (["conv", "--json", "no/such/file"], "got 'no/such/file', wanted a file in a folder that exists"),
        (["conv", "--plot", "."], "got '.', wanted a file"),
    ],
)
def test_mistakes_are_named_before_anything_is_timed(arguments, message, capsys):
    with pytest.raises(SystemExit):
        runner.main(arguments)
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


def test_a_family_without_its_peer_or_data_is_left_out_and_said_so(monkeypatch, capsys):
    monkeypatch.delenv("NEUROJIT_DATA", raising=False)
    recorder = Recorder()
    runner.run("convnet", recorder)
    assert recorder.rows == []
    assert recorder.notes == [("convnet", "left out, mnist.npz: set NEUROJIT_DATA to the folder that holds it")]
    assert "left out, mnist.npz" in capsys.readouterr().err
    assert recorder.seconds.keys() == {"convnet"}
