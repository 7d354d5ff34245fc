"""`neurojit esn`: what it prints, writes and answers to mistakes."""

import csv

import numpy as np
import pytest

import neurojit as nj
from neurojit.cli import main
from neurojit.cli.esn import read_columns


@pytest.fixture
def table(tmp_path):
    """A CSV file of a time column and two waves."""
    t = np.arange(500)
    path = tmp_path / "waves.csv"
    rows = np.stack([t, 5 + np.sin(0.2 * t), 100 * np.cos(0.31 * t)], 1)
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["t", "low", "high"], *rows.tolist()])
    return path


def run(capsys, *arguments):
    status = main(["esn", *(str(argument) for argument in arguments)])
    return status, *capsys.readouterr()


def test_fits_predicts_saves_and_draws(capsys, table, tmp_path):
    pytest.importorskip("matplotlib")
    out, model, plot = tmp_path / "ahead.csv", tmp_path / "model.safetensors", tmp_path / "run.png"
    options = ("--columns", "low", 2, "--ahead", 30, "--units", 80, "--out", out, "--save", model, "--plot", plot)
    status, text, _ = run(capsys, table, *options)
    assert status == 0
    names, *rows = csv.reader(out.open())
    assert names == ["low", "high"]
    t = np.arange(500, 530)
    expected = np.stack([5 + np.sin(0.2 * t), 100 * np.cos(0.31 * t)], 1)
    np.testing.assert_allclose(np.array(rows, float)[:3] / [1, 100], expected[:3] / [1, 100], rtol=0, atol=0.05)
    assert len(rows) == 30
    errors = [float(line.split("RMSE ")[1].split(",")[0]) for line in text.splitlines() if "RMSE" in line]
    assert len(errors) == 2
    assert errors[0] < 0.3
    assert errors[1] < 30
    loaded = nj.load(model)
    data = expected - [5, 0]
    assert loaded.n_features_in_ == data.shape[1]
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_prints_the_next_row(capsys, table):
    status, text, _ = run(capsys, table, "--columns", "low", "--ahead", 20, "--units", 60)
    assert status == 0
    value = float(text.split("next row")[1])
    assert abs(value - (5 + np.sin(100.0))) < 0.02


def test_reads_without_names(tmp_path):
    path = tmp_path / "bare.csv"
    path.write_text("1;2\n\n3;4\n")
    names, data = read_columns(path, None, ";")
    assert names == ["0", "1"]
    np.testing.assert_array_equal(data, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (None, (), "wanted a CSV file that exists"),
        ("", (), "without rows"),
        ("a,b\n1,2\n3,x\n", (), "got 'x' in line 3, column 'b'"),
        ("a,b\n1,2\n3\n", (), "got '' in line 3"),
        ("1,nan\n", (), "got 'nan' in line 1"),
        ("a\n1\n2\n", ("--columns", "c"), "--columns: got 'c'"),
        ("a\n1\n2\n", (), "got 2 rows, wanted more than"),
        ("a\n1\n2\n", ("--save", "no/such/folder/m"), "--save: got"),
    ],
)
def test_mistakes(capsys, tmp_path, monkeypatch, text, options, message):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "data.csv").write_text(text)
    status, _, err = run(capsys, "data.csv", *options)
    assert status == 2
    assert message in err
