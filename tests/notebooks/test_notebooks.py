"""Notebooks run from top to bottom, and what is committed of their outputs is what their code makes."""

import base64
import copy

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from notebooks import execute

MOST_BYTES = 500_000
PATHS = execute.paths()


def outputs(notebook):
    return [output for cell in execute.code(notebook) for output in cell.outputs]


def complaints(notebook):
    """What is wrong with the outputs of a notebook."""
    found = []
    if notebook.metadata.get("neurojit", {}).get("executed") != execute.digest(notebook):
        found.append("outputs of other code: run `make notebooks`")
    if [cell.execution_count for cell in execute.code(notebook)] != list(range(1, len(execute.code(notebook)) + 1)):
        found.append("cells not run once each, from top to bottom")
    if any(output.output_type == "error" for output in outputs(notebook)):
        found.append("an error")
    if any(output.get("name") == "stderr" for output in outputs(notebook)):
        found.append("warnings, or progress")
    if not any("image/png" in output.get("data", {}) for output in outputs(notebook)):
        found.append("no picture")
    if not any(output.get("name") == "stdout" for output in outputs(notebook)):
        found.append("nothing printed")
    return found


def test_there_are_eight():
    assert [path.stem[:2] for path in PATHS] == [f"{i:02}" for i in range(1, 9)]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_committed_outputs_are_those_of_the_code(path):
    notebook = execute.read(path)
    nbformat.validate(notebook)
    assert not complaints(notebook)
    assert path.stat().st_size <= MOST_BYTES
    assert "NEUROJIT_NOTEBOOKS" in execute.code(notebook)[0].source


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_runs_in_small_form(path, monkeypatch, tmp_path):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))  # no start-up files of the user's
    monkeypatch.delenv("MPLBACKEND", raising=False)  # which would keep pictures out of the notebook
    notebook = execute.read(path)
    small = execute.executed(notebook, "small")
    assert not complaints(small)
    assert [cell.source for cell in execute.code(small)] == [cell.source for cell in execute.code(notebook)]


@pytest.fixture
def sound():
    cell = nbformat.v4.new_code_cell("print(1)", execution_count=1)
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="1\n"),
        nbformat.v4.new_output("display_data", data={"image/png": base64.b64encode(b"png").decode()}),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text"), cell])
    notebook.metadata = {"neurojit": {"executed": execute.digest(notebook)}}
    assert not complaints(notebook)
    return notebook


def change_code(cell):
    cell.source += "  # changed"


def run_out_of_order(cell):
    cell.execution_count = 7


def fail(cell):
    cell.outputs.append(nbformat.v4.new_output("error", ename="ValueError", evalue="x", traceback=[]))


def warn(cell):
    cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="UserWarning"))


def drop_picture(cell):
    del cell.outputs[1]


def drop_print(cell):
    del cell.outputs[0]


@pytest.mark.parametrize(
    ("breach", "complaint"),
    [
        (change_code, "outputs of other code"),
        (run_out_of_order, "top to bottom"),
        (fail, "an error"),
        (warn, "warnings"),
        (drop_picture, "no picture"),
        (drop_print, "nothing printed"),
    ],
)
def test_complains_of(breach, complaint, sound):
    broken = copy.deepcopy(sound)
    breach(execute.code(broken)[0])
    (found,) = complaints(broken)
    assert complaint in found


def test_a_failing_cell_fails_the_run(sound):
    sound.cells[1].source = "raise ValueError('wanted')"
    with pytest.raises(CellExecutionError) as raised:
        execute.executed(sound, "small")
    assert (raised.value.ename, raised.value.evalue) == ("ValueError", "wanted")
