"""What goes into a state file comes out of it, and nothing else goes in."""

import numpy as np
import pytest

from neurojit.core.statefile import read_state, write_state


def test_nested_dicts_of_arrays_and_plain_values(tmp_path):
    state = {"a": {"b": np.arange(3), "c": {"d": np.float32([[1.5]])}}, "x": [1, "two", None], "y": {"z": 0.1}, "e": {}}
    write_state(tmp_path / "file", state, "kind")
    found = read_state(tmp_path / "file", "kind")
    np.testing.assert_array_equal(found["a"].pop("b"), state["a"].pop("b"))
    np.testing.assert_array_equal(found["a"]["c"].pop("d"), state["a"]["c"].pop("d"))
    assert found == state


def test_other_values_are_refused_before_writing(tmp_path):
    with pytest.raises(TypeError, match="state: got a value that a file cannot hold"):
        write_state(tmp_path / "file", {"x": object()}, "kind")
    assert not list(tmp_path.iterdir())


def test_another_kind(tmp_path):
    write_state(tmp_path / "file", {"x": 1}, "neurojit.one")
    with pytest.raises(ValueError, match=r"of kind 'neurojit\.one', wanted one of kind 'neurojit\.other'"):
        read_state(tmp_path / "file", "neurojit.other")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="wanted a file that exists"):
        read_state(tmp_path, "kind")
