"""Files are replaced whole or not at all."""

import os
import stat

import pytest

from neurojit.core.files import atomic_path


def test_new_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "file"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == tmp_path
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_old_file_survives_an_error(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_path(tmp_path / "file"):
        pass
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "file")}
    assert len(modes) == 1


def test_wrong_places(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder that exists"), atomic_path(tmp_path / "no" / "file"):
        pass
    with pytest.raises(IsADirectoryError, match="a folder, wanted a file"), atomic_path(tmp_path):
        pass


def test_a_bare_name_lies_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_path("file") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "file").read_text() == "new"
