"""Estimators in files: equal to the bit, whole or not at all, and clear about files that are none."""

import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save_file

import neurojit as nj
from neurojit import layers, training
from neurojit.core.statefile import write_state

X = np.random.default_rng(0).random((24, 6, 6, 1), dtype=np.float32)
Y = np.arange(24) % 3
OPTIONS = {"max_epochs": 2, "batch_size": 8, "random_state": 3, "class_weight": {0: 2.0, 2: 0.5}, "learning_rate": 0.01}


def network():
    return layers.Sequential(
        layers.Conv2d(4, (3, 3), padding=((1, 1), (0, 0))),
        layers.BatchNorm(),
        layers.ReLU(),
        layers.Residual(layers.Conv2d(4, 1), projection=layers.Conv2d(4, 1)),
        layers.Concat(layers.MaxPool2d(2), layers.AvgPool2d(2)),
        layers.Flatten(),
        layers.Dense(3),
    )


@pytest.fixture(scope="module")
def model():
    return nj.ConvNetClassifier(network(), **OPTIONS).fit(X, Y)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize(
    "labels", [Y, Y.astype(float), Y - 1, np.array(["a", "bc", "ü"])[Y], np.array(["a", "bc", "d"], object)[Y]]
)
def test_classifier_round_trip(path, labels):
    model = nj.ConvNetClassifier(network(), max_epochs=1).fit(X, labels)
    model.save(path)
    same = nj.load(path)
    np.testing.assert_array_equal(same.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(same.predict(X), model.predict(X))
    np.testing.assert_array_equal(same.classes_, model.classes_)
    assert same.classes_.dtype == model.classes_.dtype


@pytest.mark.parametrize("shape", [(24,), (24, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_regressor_round_trip(path, shape, dtype):
    y = np.random.default_rng(1).normal(5, 100, shape)
    model = nj.ConvNetRegressor(max_epochs=1).fit(X.astype(dtype), y)
    model.save(path)
    same = nj.load(path)
    np.testing.assert_array_equal(same.predict(X.astype(dtype)), model.predict(X.astype(dtype)))
    assert same._dtype == dtype


def test_options_and_record_come_back(model, path):
    model.save(path)
    same = nj.load(path)
    options, expected = same.get_params(), model.get_params()
    assert json.dumps(options.pop("network").config()) == json.dumps(expected.pop("network").config())
    assert options == expected
    for name in ("loss_curve_", "n_iter_", "input_shape_", "n_features_in_"):
        assert getattr(same, name) == getattr(model, name), name
    assert same.history_.records == model.history_.records
    np.testing.assert_array_equal(same.fit(X, Y).predict_proba(X), model.predict_proba(X))


def test_training_goes_on_after_loading(model, path):
    model.save(path)
    same = nj.load(path).partial_fit(X, Y)
    assert same.n_iter_ == model.n_iter_ + 1
    assert not np.array_equal(same.predict_proba(X), model.predict_proba(X))


def test_column_names_come_back(path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X.reshape(24, 36)[:, :3], columns=["a", "b", "c"])
    nj.ConvNetClassifier(max_epochs=1).fit(frame, Y).save(path)
    same = nj.load(path)
    assert same.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        same.predict(frame[["b", "a", "c"]])


def test_frozen_parts_stay_frozen(path):
    frozen = network().make((6, 6, 1), 0)
    frozen[0].freeze()
    with pytest.warns(UserWarning, match="network: got a layer with weights"):
        nj.ConvNetClassifier(frozen, max_epochs=1).fit(X, Y).save(path)
    trainable = {name: p.trainable for name, p in nj.load(path).network_.named_parameters().items()}
    assert not trainable["0.weight"]
    assert trainable["6.weight"]


class Doubled(layers.Layer):
    """A layer that is not neurojit's own: y = x f, for a whole number f."""

    def __init__(self, factor=2):
        self.factor = factor

    def forward(self, x, mode=layers.base.INFERENCE):
        return x * x.dtype.type(self.factor)

    def vjp(self, x, mode=layers.base.INFERENCE):
        return self.forward(x), lambda dy, need_dx=True: (self.forward(dy), {})


def test_custom_layers(path):
    model = nj.ConvNetClassifier(layers.Sequential(Doubled(3), layers.Flatten(), layers.Dense(3)), max_epochs=1).fit(
        X, Y
    )
    model.save(path)
    with pytest.raises(ValueError, match="Doubled"):
        nj.load(path)
    same = nj.load(path, custom_layers={"Doubled": Doubled})
    np.testing.assert_array_equal(same.predict_proba(X), model.predict_proba(X))


def test_what_a_file_cannot_hold_is_warned_of(path):
    model = nj.ConvNetClassifier(
        lambda shape, n: network(), callbacks=[training.Callback()], random_state=np.random.RandomState(0), max_epochs=1
    ).fit(X, Y)
    with pytest.warns(UserWarning, match="a file keeps") as caught:
        model.save(path)
    assert sorted(str(w.message).split(":")[0] for w in caught) == ["callbacks", "network", "random_state"]
    assert {w.filename for w in caught} == {__file__}
    same = nj.load(path)
    assert same.callbacks is None
    assert same.random_state is None
    np.testing.assert_array_equal(same.predict_proba(X), model.predict_proba(X))


def test_a_failed_save_leaves_the_old_file(model, path, monkeypatch):
    model.save(path)
    before = path.read_bytes()

    def broken(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr("safetensors.numpy.save_file", broken)
    with pytest.raises(OSError, match="disk full"):
        model.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_nothing_in_the_file_is_pickled(model, path):
    model.save(path)
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    assert header["__metadata__"]["format"] == "neurojit.estimator"
    state = json.loads(header["__metadata__"]["state"])
    assert state["estimator"] == "ConvNetClassifier"
    assert state["network"]["layer"] == "Sequential"


def _truncated(path):
    path.write_bytes(path.read_bytes()[:-10])


def _cut_in_the_header(path):
    path.write_bytes(path.read_bytes()[:50])


def _edited(**changes):
    def damage(path):
        content = path.read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        header["__metadata__"] |= changes
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])

    return damage


def _state_without(*names, **changes):
    def damage(path):
        content = path.read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        state = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["state"]) | changes
        _edited(state=json.dumps({name: value for name, value in state.items() if name not in names}))(path)

    return damage


DAMAGES = {
    "truncated": (_truncated, "truncated"),
    "cut in the header": (_cut_in_the_header, "truncated"),
    "empty": (lambda path: path.write_bytes(b""), "truncated"),
    "a text": (lambda path: path.write_text("hello, this is no safetensors file"), "no neurojit.estimator file"),
    "of another program": (lambda path: save_file({"x": np.ones(3)}, path), "another program"),
    "a checkpoint": (lambda path: write_state(path, {"x": 1}, "neurojit.checkpoint"), "kind 'neurojit.checkpoint'"),
    "newer": (_edited(version="2"), "version 2, wanted at most 1: a newer neurojit"),
    "version no number": (_edited(version="x"), "version 'x'"),
    "settings no JSON": (_edited(state="{"), "no JSON"),
    "settings a list": (_edited(state="[]"), "no JSON object"),
    "unknown estimator": (_state_without(estimator="Oracle"), "'Oracle', wanted an estimator"),
    "estimator a module": (_state_without(estimator="layers"), "'layers', wanted an estimator"),
    "no estimator": (_state_without("estimator"), "None, wanted an estimator"),
    "no network": (_state_without("network"), "without 'network'"),
    "unknown option": (_state_without(params={"network": None, "size": 3}), r"params: got .*'size'"),
    "other network": (_state_without(network={"layer": "Flatten"}), "state: missing"),
    "unknown layer": (_state_without(network={"layer": "Magic"}), "Magic"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files(model, path, damage):
    model.save(path)
    spoil, message = DAMAGES[damage]
    spoil(path)
    with pytest.raises(ValueError, match=message):
        nj.load(path)


def test_no_file(path):
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        nj.load(path)


def test_no_folder(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="folder that exists"):
        model.save(tmp_path / "missing" / "model.safetensors")
