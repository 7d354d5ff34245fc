"""A history is indexed by epoch and by name, and plotted."""

import math

import numpy as np
import pytest

from neurojit.training import History

RECORDS = [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0, "validation_loss": 3.0}]


def test_one_epoch_is_a_dict():
    history = History(RECORDS)
    assert history[0] == RECORDS[0]
    assert history[-1] == RECORDS[1]
    assert list(history) == RECORDS
    assert len(history) == 2
    with pytest.raises(IndexError):
        history[2]


def test_one_name_is_an_array_with_nan_where_there_is_none():
    history = History(RECORDS)
    np.testing.assert_array_equal(history["loss"], [2.0, 1.0])
    np.testing.assert_array_equal(history["validation_loss"], [math.nan, 3.0])
    assert history.keys() == ["epoch", "loss", "validation_loss"]
    assert "loss" in history
    assert "lost" not in history
    with pytest.raises(KeyError, match=r"lost: got an unknown name, wanted one of .*'loss'"):
        history["lost"]


def test_records_are_copied():
    record = {"epoch": 1}
    history = History([record])
    history.append(record)
    record["epoch"] = 5
    assert list(history["epoch"]) == [1, 1]


def test_an_empty_history_is_false_and_says_so():
    assert not History()
    assert "0 epochs" in repr(History())
    assert "stopped: enough" in repr(History(RECORDS, stopped="enough"))


def test_both_losses_are_drawn_over_epochs():
    pytest.importorskip("matplotlib").use("agg")
    ax = History(RECORDS).plot()
    training, validation = ax.get_lines()
    np.testing.assert_array_equal(training.get_xydata(), [[1, 2.0], [2, 1.0]])
    np.testing.assert_array_equal(validation.get_ydata(), [math.nan, 3.0])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation"]
    assert History(RECORDS[:1]).plot(ax) is ax
