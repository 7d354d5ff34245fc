"""Execute the notebooks: ``python notebooks/execute.py`` runs them at full size and writes the outputs into them.

A notebook keeps the digest of the code that made its outputs, so that a test finds out when one was changed without
the other. ``NEUROJIT_NOTEBOOKS=small`` in a notebook's environment shrinks its data and epochs.
"""

import argparse
import copy
import hashlib
import os
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent
SIZE = "NEUROJIT_NOTEBOOKS"
_SECONDS = 1800  # that a cell may take: kernels may have to be compiled


def paths():
    """All notebooks, in order."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path):
    """The notebook in a file."""
    return nbformat.read(path, as_version=4)


def code(notebook):
    """The code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def digest(notebook):
    """A name for all code of a notebook."""
    return hashlib.sha256("\0".join(cell.source for cell in code(notebook)).encode()).hexdigest()


def executed(notebook, size):
    """A copy of a notebook with the outputs of a run from top to bottom in a process of its own.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    size : {"small", "full"}

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails, with its traceback.
    """
    copied = copy.deepcopy(notebook)
    client = NotebookClient(
        copied,
        timeout=_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    client.execute(env=os.environ | {SIZE: size})
    copied.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "neurojit": {"executed": digest(copied)},
    }
    return copied


def main():
    """Execute the notebooks that are named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Run notebooks and write their outputs into them.")
    parser.add_argument("notebooks", nargs="*", type=Path, default=paths(), metavar="NOTEBOOK")
    for path in parser.parse_args().notebooks:
        start = time.perf_counter()
        notebook = executed(read(path), "full")
        nbformat.write(notebook, path)
        print(f"{path.name}: {time.perf_counter() - start:.0f} s, {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
