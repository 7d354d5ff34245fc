"""A disk that is full gives an error that says so, and what stood in the file before is still there."""

import contextlib
import os
import subprocess

import numpy as np
import pytest

import neurojit as nj
from neurojit.cli import main
from neurojit.text import KeyedVectors
from neurojit.training import Checkpoint, CSVLog
from tests.training.toys import Linear, line, line_batches, make_trainer

KILOBYTES = 64


@contextlib.contextmanager
def full_partition(folder):
    """A partition of a few kilobytes in memory, full to the last one while inside."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small partition")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={KILOBYTES}k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this system lets nobody mount a small partition")
    try:
        yield contextlib.nullcontext
    finally:
        subprocess.run(["umount", folder], check=True)


@contextlib.contextmanager
def size_limit(folder):
    """A limit to the size of this process's files, in force while inside."""
    resource = pytest.importorskip("resource", reason="no limits to the size of files here")

    @contextlib.contextmanager
    def limited():
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (KILOBYTES << 10, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    yield limited


@pytest.fixture(params=[full_partition, size_limit], ids=["full partition", "size limit"])
def disk(request, tmp_path):
    """A folder, and a context in which no file in it can grow beyond `KILOBYTES`."""
    folder = tmp_path / "small"
    folder.mkdir()
    with request.param(folder) as full:
        yield folder, full


def vectors(n_words):
    numbers = np.random.default_rng(0).standard_normal((n_words, 50)).astype(np.float32)
    return KeyedVectors([f"word{i}" for i in range(n_words)], numbers)


FEW, MANY = 20, 2000  # words whose vectors have room, and whose have not


@pytest.mark.parametrize("ending", ["safetensors", "txt", "bin", "txt.gz"])
def test_vectors(disk, ending):
    folder, full = disk
    path = folder / f"vectors.{ending}"

    def save(n_words):
        if ending == "safetensors":
            vectors(n_words).save(path)
        else:
            vectors(n_words).save_word2vec_format(path, binary=ending == "bin")

    save(FEW)
    before = path.read_bytes()
    with pytest.raises(OSError, match=r"No space left|File too large"), full():
        save(MANY)
    assert path.read_bytes() == before
    assert os.listdir(folder) == [path.name], "half a file is left"


def test_an_estimator(disk):
    folder, full = disk
    path = folder / "model.safetensors"
    x, y = line(n=20)
    small = nj.EchoStateRegressor(10, washout=0, random_state=0).fit(x, y)
    large = nj.EchoStateRegressor(2000, washout=0, random_state=0).fit(x, y)
    small.save(path)
    with pytest.raises(OSError, match=r"path: got '.*model.safetensors', .* (No space left|File too large)"), full():
        large.save(path)
    np.testing.assert_array_equal(nj.load(path).predict(x), small.predict(x))


def test_a_checkpoint(disk):
    """The training ends with the error, and can be taken up where it was last written."""
    folder, full = disk
    path = folder / "checkpoint.safetensors"

    class Grow(Checkpoint):
        """Fills the file with a history of other numbers, as long trainings do."""

        def state(self):
            return {"best": None, "more": np.zeros(0 if trainer.epoch < 2 else KILOBYTES << 8)}

    trainer = make_trainer(Linear(2), callbacks=[Grow(path)], max_epochs=5)
    with pytest.raises(OSError, match=r"path: got .*checkpoint\.safetensors"), full():
        trainer.fit(line_batches())
    assert trainer.epoch == 2
    resumed = make_trainer(Linear(2), max_epochs=5).resume(path)
    assert resumed.epoch == 1
    resumed.fit(line_batches())
    whole = make_trainer(Linear(2), max_epochs=5)
    whole.fit(line_batches())
    np.testing.assert_array_equal(resumed.history["loss"], whole.history["loss"])


def test_a_log_keeps_its_rows_whole(disk):
    folder, full = disk
    path = folder / "log.csv"
    trainer = make_trainer(callbacks=[CSVLog(path)], max_epochs=1)
    trainer.fit(line_batches())
    header, row = path.read_text().splitlines()
    with open(path, "a") as file:  # till no whole row has room
        free = (KILOBYTES << 10) - path.stat().st_size
        file.write(f"{row}\n" * (free // (len(row) + 1)))
    before = path.read_text()
    trainer.max_epochs = 1000
    with pytest.raises(OSError, match=r"No space left|File too large"), full():
        trainer.fit(line_batches())
    rows = path.read_text()
    assert rows.startswith(before)
    assert rows.endswith("\n")
    assert {row.count(",") for row in rows.splitlines()} == {header.count(",")}


def test_the_command_line_says_so_in_one_line(disk, capsys):
    folder, full = disk
    series = folder.parent / "series.csv"
    series.write_text("\n".join(str(x) for x in np.sin(0.1 * np.arange(400))))
    path = folder / "model.safetensors"
    command = ["esn", str(series), "--units", "2000", "--ahead", "5", "--save", str(path)]
    with full():
        status = main(command)
    assert status == 2
    error = capsys.readouterr().err.splitlines()[-1]  # after the bars of the fits
    assert error.startswith(f"neurojit esn: error: path: got {str(path)!r}")
    assert not path.exists()
