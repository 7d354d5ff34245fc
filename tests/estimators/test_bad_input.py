"""Each wrong argument meets an error that names it, says what it got and what it wanted, before training starts."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from neurojit import ConvNetClassifier, ConvNetRegressor, layers, training

X = np.random.default_rng(0).random((12, 8, 8, 1), dtype=np.float32)
Y = np.arange(12) % 3
NET = layers.Sequential(layers.Conv2d(2, 11), layers.Flatten(), layers.Dense(3))


class _Started(training.Callback):
    """Fails the test when training starts."""

    def on_fit_start(self, trainer):
        raise AssertionError("training started")


def _with(array, index, value):
    array = np.array(array, dtype=np.float64 if isinstance(value, float) else None)
    array[index] = value
    return array


# What is wrong: (options, X, y, fit's options, error, words of the message: what it names, got and wanted)
FITS = {
    "X of five axes": ({}, X[..., None], Y, {}, ValueError, ["X", "5 axes", "(n, length)"]),
    "X of one axis": ({}, X[:, 0, 0, 0], Y, {}, ValueError, ["X", "1D array", "Reshape your data"]),
    "no samples": ({}, X[:0], Y[:0], {}, ValueError, ["X", "0 sample", "minimum of 1"]),
    "no pixels": ({}, X[:, :0], Y, {}, ValueError, ["X", "(12, 0, 8, 1)", "at least one value"]),
    "no columns": ({}, X.reshape(12, 64)[:, :0], Y, {}, ValueError, ["X", "(12, 0)", "minimum of 1"]),
    "other channels": ({"input_shape": (8, 8, 3)}, X, Y, {}, ValueError, ["X", "(12, 8, 8, 1)", "(n, 8, 8, 3)"]),
    "rows too short": ({"input_shape": (8, 8, 1)}, X.reshape(12, 64)[:, 1:], Y, {}, ValueError, ["X", "63", "64"]),
    "NaN in X": ({}, _with(X, (3, 1, 1, 0), np.nan), Y, {}, ValueError, ["X", "NaN"]),
    "inf in X": ({}, _with(X, (3, 1, 1, 0), np.inf), Y, {}, ValueError, ["X", "infinity"]),
    "complex X": ({}, X + 1j, Y, {}, ValueError, ["X", "Complex data"]),
    "words as X": ({}, X.reshape(12, 64).astype(str), Y, {}, ValueError, ["X", "strings"]),
    "dates as X": ({}, np.zeros((12, 8), "M8[s]"), Y, {}, TypeError, ["X", "datetime64", "real numbers"]),
    "y missing": ({}, X, None, {}, ValueError, ["y", "None"]),
    "y too short": ({}, X, Y[:-1], {}, ValueError, ["y", "11", "12"]),
    "y of two columns": ({}, X, np.stack([Y, Y], 1), {}, ValueError, ["y", "(12, 2)", "one class label"]),
    "one class": ({}, X, np.ones(12), {}, ValueError, ["y", "one class only", "at least two"]),
    "float labels": ({}, X, Y + 0.5, {}, ValueError, ["y", "continuous", "class label"]),
    "NaN label": ({}, X, _with(Y, 0, np.nan), {}, ValueError, ["y", "NaN"]),
    "weights too few": ({}, X, Y, {"sample_weight": [1.0]}, ValueError, ["sample_weight", "1", "12"]),
    "weights of two axes": ({}, X, Y, {"sample_weight": np.ones((12, 2))}, ValueError, ["sample_weight", "(12, 2)"]),
    "weight below zero": ({}, X, Y, {"sample_weight": -np.ones(12)}, ValueError, ["sample_weight", ">= 0"]),
    "NaN weight": ({}, X, Y, {"sample_weight": np.full(12, np.nan)}, ValueError, ["sample_weight", "finite"]),
    "weights all zero": ({}, X, Y, {"sample_weight": np.zeros(12)}, ValueError, ["sample_weight", "zero", "one above"]),
    "weights of one class": ({}, X, Y, {"sample_weight": Y == 1}, ValueError, ["sample_weight", "one class", "two"]),
    "words as weights": ({}, X, Y, {"sample_weight": ["a"] * 12}, ValueError, ["sample_weight"]),
    "unknown optimizer": ({"optimizer": "adamm"}, X, Y, {}, ValueError, ["optimizer", "'adamm'", "'adamw'"]),
    "optimizer no word": ({"optimizer": 3}, X, Y, {}, TypeError, ["optimizer", "3", "'adam'"]),
    "learning rate 0": ({"learning_rate": 0}, X, Y, {}, ValueError, ["learning_rate", "0", "> 0"]),
    "learning rate inf": ({"learning_rate": np.inf}, X, Y, {}, ValueError, ["learning_rate", "inf", "> 0"]),
    "learning rate NaN": ({"learning_rate": np.nan}, X, Y, {}, ValueError, ["learning_rate", "nan", "> 0"]),
    "learning rate word": ({"learning_rate": "fast"}, X, Y, {}, TypeError, ["learning_rate", "'fast'", "> 0"]),
    "unknown schedule": ({"schedule": "linear"}, X, Y, {}, ValueError, ["schedule", "'linear'", "'cosine'"]),
    "weight decay below 0": ({"weight_decay": -1.0}, X, Y, {}, ValueError, ["weight_decay", "-1.0", ">= 0"]),
    "batch size 0": ({"batch_size": 0}, X, Y, {}, ValueError, ["batch_size", "0", "'auto' or an integer >= 1"]),
    "batch size word": ({"batch_size": "big"}, X, Y, {}, ValueError, ["batch_size", "'big'", "'auto'"]),
    "half a batch": ({"batch_size": 0.5}, X, Y, {}, TypeError, ["batch_size", "0.5", "integer"]),
    "no epochs": ({"max_epochs": 0}, X, Y, {}, ValueError, ["max_epochs", "0", ">= 1"]),
    "epochs as a float": ({"max_epochs": 2.5}, X, Y, {}, TypeError, ["max_epochs", "2.5", "integer"]),
    "early stopping word": ({"early_stopping": "yes"}, X, Y, {}, TypeError, ["early_stopping", "'yes'", "True"]),
    "all held out": ({"validation_fraction": 1.0}, X, Y, {}, ValueError, ["validation_fraction", "1.0", "between"]),
    "nothing held out": (
        {"validation_fraction": 0.01, "early_stopping": True}, X, Y, {}, ValueError,
        ["validation_fraction", "0.01", "0 of 12", "at least one"],
    ),
    "no patience": ({"n_iter_no_change": 0}, X, Y, {}, ValueError, ["n_iter_no_change", "0", ">= 1"]),
    "unknown device": ({"device": "gpu"}, X, Y, {}, ValueError, ["device", "'gpu'", "'cpu'"]),
    "no threads": ({"n_threads": 0}, X, Y, {}, ValueError, ["n_threads", "0", "from 1"]),
    "threads as a word": ({"n_threads": "all"}, X, Y, {}, TypeError, ["n_threads", "'all'", "from 1"]),
    "seed below 0": ({"random_state": -1}, X, Y, {}, ValueError, ["random_state", "-1", ">= 0"]),
    "seed a word": ({"random_state": "x"}, X, Y, {}, TypeError, ["random_state", "str", "int"]),
    "warm start word": ({"warm_start": "no"}, X, Y, {}, TypeError, ["warm_start", "'no'", "True"]),
    "verbose below 0": ({"verbose": -1}, X, Y, {}, ValueError, ["verbose", "-1", ">= 0"]),
    "callback no list": ({"callbacks": 3}, X, Y, {}, TypeError, ["callbacks", "3", "Callback"]),
    "callback a function": ({"callbacks": [print]}, X, Y, {}, TypeError, ["callbacks", "print", "Callback"]),
    "network a word": ({"network": "big"}, X, Y, {}, TypeError, ["network", "str", "Layer"]),
    "network makes no layer": ({"network": lambda s, n: 3}, X, Y, {}, TypeError, ["network", "int", "Layer"]),
    "window too large": ({"network": NET}, X, Y, {}, ValueError, ["network", "(8, 8, 1)", "window", "11", "8"]),
    "too few outputs": (
        {"network": layers.Sequential(layers.Flatten(), layers.Dense(2))}, X, Y, {}, ValueError,
        ["network", "(2,)", "(3,)"],
    ),
    "network fails": (
        {"network": layers.Sequential(layers.Flatten(), layers.Conv2d(3, 3))}, X, Y, {}, ValueError,
        ["network", "(8, 8, 1)", "Conv2d"],
    ),
    "outputs not flat": ({"network": layers.Conv2d(3, 3)}, X, Y, {}, ValueError, ["network", "(6, 6, 3)", "(3,)"]),
    "network for signals": ({"network": layers.Conv1d(3, 3)}, X, Y, {}, ValueError, ["network", "(8, 8, 1)"]),
    "input shape a number": ({"input_shape": 64}, X, Y, {}, TypeError, ["input_shape", "64", "channels"]),
    "input shape of one": ({"input_shape": (64,)}, X, Y, {}, ValueError, ["input_shape", "(64,)", "channels"]),
    "input shape with 0": ({"input_shape": (0, 8)}, X, Y, {}, ValueError, ["input_shape", "(0, 8)", "channels"]),
    "class weight word": ({"class_weight": "even"}, X, Y, {}, ValueError, ["class_weight", "'even'", "'balanced'"]),
    "class weight a list": ({"class_weight": [1, 2]}, X, Y, {}, TypeError, ["class_weight", "[1, 2]", "dict"]),
    "class weight of none": ({"class_weight": {7: 1.0}}, X, Y, {}, ValueError, ["class_weight", "7", "[0, 1, 2]"]),
    "class weights all zero": (
        {"class_weight": {0: 0, 1: 0, 2: 0}}, X, Y, {}, ValueError, ["class_weight", "zero", "above"],
    ),
    "warm start an array": ({"warm_start": np.ones(2)}, X, Y, {}, TypeError, ["warm_start", "array", "True"]),
    "class weight below 0": ({"class_weight": {1: -1.0}}, X, Y, {}, ValueError, ["class_weight", "-1.0", ">= 0"]),
}  # fmt: skip


@pytest.mark.parametrize("case", FITS)
def test_fit_refuses(case):
    options, x, y, fit_options, error, words = FITS[case]
    model = ConvNetClassifier(**({"callbacks": [_Started()]} | options))
    with pytest.raises(error) as caught:
        model.fit(x, y, **fit_options)
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in {caught.value}"
    assert not hasattr(model, "history_")


REGRESSIONS = {
    "NaN in y": (X, _with(Y, 0, np.nan), ["y", "NaN"]),
    "inf in y": (X, _with(Y, 0, np.inf), ["y", "infinity"]),
    "words as y": (X, np.array(["a"] * 12), ["y", "'a'"]),
    "y of three axes": (X, np.ones((12, 1, 1)), ["y", "(12, 1, 1)", "(n, n_outputs)"]),
    "y too short": (X, Y[:-1], ["y", "11", "12"]),
    "y missing": (X, None, ["y", "None"]),
}


@pytest.mark.parametrize("case", REGRESSIONS)
def test_regressor_refuses(case):
    x, y, words = REGRESSIONS[case]
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words say which
        ConvNetRegressor(callbacks=[_Started()]).fit(x, y)
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in {caught.value}"


@pytest.fixture(scope="module")
def fitted():
    return ConvNetClassifier(max_epochs=1, random_state=0).fit(X, Y)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (X[:, :7], ["X", "(12, 7, 8, 1)", "(n, 8, 8, 1)"]),
        (np.repeat(X, 3, axis=-1), ["X", "(12, 8, 8, 3)", "(n, 8, 8, 1)"]),
        (X.reshape(12, 64), ["X", "(12, 64)", "(n, 8, 8, 1)"]),
        (X[:0], ["X", "0 sample", "minimum of 1"]),
        (X[0, 0, :, 0], ["X", "1D array", "Reshape your data"]),
        (_with(X, (0, 0, 0, 0), np.nan), ["X", "NaN"]),
    ],
)
@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_predict_refuses(fitted, method, x, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words say which
        getattr(fitted, method)(x)
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in {caught.value}"


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_before_fit(method):
    with pytest.raises(NotFittedError, match="ConvNetClassifier"):
        getattr(ConvNetClassifier(), method)(X)
    with pytest.raises(NotFittedError, match="ConvNetRegressor"):
        ConvNetRegressor().predict(X)


def test_save_before_fit(tmp_path):
    with pytest.raises(NotFittedError, match="ConvNetClassifier"):
        ConvNetClassifier().save(tmp_path / "model.safetensors")


PARTIAL_FITS = {
    "no classes": ({}, [(Y, None)], ["classes", "None", "first call"]),
    "one class": ({}, [(Y, [1])], ["classes", "[1]", "two"]),
    "other classes later": ({}, [(Y, [0, 1, 2]), (Y, [0, 1, 3])], ["classes", "[0, 1, 3]", "[0, 1, 2]"]),
    "target unseen": ({}, [(Y, [0, 1])], ["y", "[2]", "[0, 1]"]),
    "target unseen later": ({}, [(Y, [0, 1, 2]), (Y + 1, None)], ["y", "[3]", "[0, 1, 2]"]),
    "balanced": ({"class_weight": "balanced"}, [(Y, [0, 1, 2])], ["class_weight", "'balanced'", "dict"]),
    "early stopping": ({"early_stopping": True}, [(Y, [0, 1, 2])], ["early_stopping", "True", "False"]),
}


@pytest.mark.parametrize("case", PARTIAL_FITS)
def test_partial_fit_refuses(case):
    options, calls, words = PARTIAL_FITS[case]
    model = ConvNetClassifier(**options)
    for y, classes in calls[:-1]:
        model.partial_fit(X, y, classes)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words say which
        model.partial_fit(X, *calls[-1])
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in {caught.value}"


def test_partial_fit_keeps_the_shape_of_y():
    model = ConvNetRegressor().partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"y: got shape \(12, 2\)"):
        model.partial_fit(X, np.stack([Y, Y], 1))
