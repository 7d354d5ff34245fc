"""Plots show the numbers they are given."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from neurojit import inspection, layers, training  # noqa: E402


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_learning_curve(ax):
    history = training.History([{"loss": 2.0, "validation_loss": 3.0}, {"loss": 1.0, "validation_loss": 2.5}])
    assert inspection.learning_curve(history, ax) is ax
    assert [line.get_ydata().tolist() for line in ax.lines] == [[2.0, 1.0], [3.0, 2.5]]
    assert ax.get_xlabel() == "epoch"


def test_confusion_matrix(ax):
    true, predicted = ["a", "a", "a", "b", "c"], ["a", "a", "b", "b", "a"]
    assert inspection.confusion_matrix(true, predicted, ax) is ax
    shares = ax.images[0].get_array()
    np.testing.assert_allclose(shares, [[2 / 3, 1 / 3, 0], [0, 1, 0], [1, 0, 0]])
    assert texts(ax) == ["2", "1", "1", "1"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    assert "3 of 5" in ax.get_title()


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_first_layer_filters(ax, channels):
    network = layers.Sequential(layers.Conv2d(5, (3, 2))).make((8, 8, channels), 0)
    assert inspection.first_layer_filters(network, ax) is ax
    mosaic = ax.images[0].get_array()
    assert mosaic.shape[:2] == (2 * 4, 3 * 3)  # 2 rows of 3 tiles, each with a gap of one
    if channels == 1:
        first = network[0].weight.value[:, :, 0, 0]
        largest = np.abs(network[0].weight.value).max()
        np.testing.assert_allclose(mosaic[1:4, 0:2], (first / largest + 1) / 2, rtol=1e-6)


def test_misclassified(ax):
    images = np.arange(4 * 64).reshape(4, 8, 8)
    assert inspection.misclassified(images, [0, 1, 2, 3], [0, 2, 2, 1], ax=ax) is ax
    assert texts(ax) == ["1 > 2", "3 > 1"]
    assert "2 of 4" in ax.get_title()
    assert inspection.misclassified(images, [0, 1, 2, 3], [1, 2, 3, 0], most=3, ax=Figure().subplots()).texts[2:]


def test_nothing_misclassified(ax):
    inspection.misclassified(np.ones((2, 4, 4)), [0, 1], [0, 1], ax=ax)
    assert "0 of 2" in ax.get_title()
    assert not ax.images


def test_own_figure():
    assert inspection.confusion_matrix([0, 1], [0, 1]).figure is plt.gcf()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: inspection.confusion_matrix([0, 1], [0]), r"y_predicted: got shape \(1,\)"),
        (lambda: inspection.confusion_matrix([], []), r"y_predicted: got shape \(0,\)"),
        (lambda: inspection.first_layer_filters(layers.Dense(3)), "network: got one without"),
        (lambda: inspection.first_layer_filters(layers.Conv2d(3, 3)), "network: got one without"),
        (lambda: inspection.misclassified(np.ones((2, 4, 4, 2)), [0, 1], [0, 1]), r"X: got shape \(2, 4, 4, 2\)"),
        (lambda: inspection.misclassified(np.ones((3, 4, 4)), [0, 1], [0, 1]), "X: got 3 images"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
