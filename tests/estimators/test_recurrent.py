"""What the estimators of sequences promise beyond scikit-learn's checks."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neurojit as nj
from neurojit import layers, training
from neurojit.layers import GRU, LSTM, Conv1d, Dense, LastStep, Sequential, TimeDistributed

OPTIONS = {"units": 8, "max_epochs": 3, "learning_rate": 0.02, "random_state": 0}


def ragged(n=60, features=2, seed=0, longest=9):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(rng.integers(1, longest + 1), features)).astype(np.float32) for _ in range(n)]


X = ragged()
FIRST = np.array(["neg", "pos"])[[int(x[0, 0] > 0) for x in X]]
SUMS = np.array([x.sum() for x in X])
STEPS = [np.array(["down", "up"])[(np.cumsum(x[:, 0]) > 0).astype(int)] for x in X]
LABELS = [
    ["ab"[i] for i in np.flatnonzero(np.random.default_rng(len(x)).random(2) < 0.6)][: (len(x) + 1) // 2] for x in X
]

CASES = {
    "classifier": (nj.RecurrentClassifier, FIRST),
    "regressor": (nj.RecurrentRegressor, SUMS),
    "labeler": (nj.SequenceLabeler, STEPS),
    "ctc": (nj.CTCLabeler, LABELS),
}


def make(case, **options):
    return CASES[case][0](**(OPTIONS | options))


def fitted(case, **options):
    return make(case, **options).fit(X, CASES[case][1])


def weights(model):
    return np.concatenate([array.ravel() for array in model.network_.state().values()])


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


# -- learning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_classifier_learns_and_records(cell):
    x = ragged(200)
    y = np.array(["neg", "pos"])[[int(one[0, 0] > 0) for one in x]]
    model = make("classifier", cell=cell, units=16, max_epochs=25).fit(x, y)
    assert model.score(x, y) > 0.9
    assert model.classes_.tolist() == ["neg", "pos"]
    assert model.n_iter_ == len(model.loss_curve_) == len(model.history_) == 25
    assert model.history_["accuracy"][-1] > 0.9
    assert model.input_shape_ == (9, 2)
    assert model.n_features_in_ == 2
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1, rtol=1e-5)


def test_regressor_learns_in_any_unit():
    x = ragged(200)
    y = np.array([one.sum() for one in x], np.float64)
    model = make("regressor", units=16, max_epochs=40)
    assert clone(model).fit(x, y).score(x, y) > 0.9
    shifted = [1e3 * one + 5e3 for one in x]
    assert clone(model).fit(shifted, 1e6 * y - 1e8).score(shifted, 1e6 * y - 1e8) > 0.9
    two = make("regressor").fit(x, np.stack([y, -y], axis=1))
    assert two.predict(x).shape == (200, 2)


def test_labeler_learns_lists_of_labels():
    x = ragged(200)
    y = [np.array(["down", "up"])[(np.cumsum(one[:, 0]) > 0).astype(int)] for one in x]
    model = make("labeler", units=16, max_epochs=25).fit(x, y)
    found = model.predict(x)
    assert [len(one) for one in found] == [len(one) for one in x]
    right = np.concatenate(found) == np.concatenate(y)
    assert model.score(x, y) == pytest.approx(right.mean())
    assert right.mean() > 0.95
    assert model.score(x, y, sample_weight=np.arange(200) == 7) == pytest.approx((found[7] == y[7]).mean())


@pytest.mark.parametrize("decoding", ["greedy", "beam"])
def test_ctc_labeler_reads_what_nobody_aligned(decoding):
    rng = np.random.default_rng(0)
    y = [rng.integers(0, 3, size=rng.integers(1, 4)) for _ in range(150)]
    x = [np.repeat(np.eye(4, dtype=np.float32)[[v for i in one for v in (i, 3)]], 2, axis=0) for one in y]
    y = [np.array(["one", "three", "two"])[one] for one in y]
    model = make("ctc", units=16, max_epochs=30, decoding=decoding).fit(x, y)
    assert model.score(x, y) > 0.95
    assert model.predict(x)[0].tolist() == y[0].tolist()
    probabilities = model.predict_proba(x)
    assert probabilities[0].shape == (len(x[0]), 4)
    np.testing.assert_allclose(probabilities[0].sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"n_layers": 2, "dropout": 0.2},
        {"bidirectional": True},
        {"bidirectional": True, "n_layers": 2, "cell": "gru"},
        {"peephole": True, "coupled": True},
    ],
)
@pytest.mark.parametrize("case", CASES)
def test_networks_of_every_kind(case, options):
    model = fitted(case, max_epochs=2, **options)
    assert model.loss_curve_[1] < model.loss_curve_[0]
    assert len(model.predict(X)) == len(X)
    if options.get("peephole"):
        kinds = [layer for layer, _ in model.network_.walk() if isinstance(layer, LSTM)]
        assert all(layer.peephole and layer.coupled for layer in kinds)


def test_network_of_ones_own():
    causal = Sequential(Conv1d(6, 3, padding="causal"), layers.ReLU())
    classes = Sequential(causal, LastStep(), Dense(2))
    model = fitted("classifier", network=classes)
    assert not classes.built
    one_by_one = np.concatenate([model.predict_proba([x]) for x in X])
    np.testing.assert_allclose(model.predict_proba(X), one_by_one, rtol=1e-5)
    steps = fitted("labeler", network=lambda shape, n: Sequential(GRU(5, return_sequences=True), Dense(n)))
    assert isinstance(steps.network_[0], GRU)
    assert steps.network_[0].weight_ih.value.shape == (2, 15)


# -- sequences as samples ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_a_prediction_does_not_depend_on_the_other_sequences(case):
    model = fitted(case, bidirectional=True)
    outputs = model._outputs(X)
    for i in (0, 7, 33):
        np.testing.assert_allclose(model._outputs([X[i]])[0], outputs[i], rtol=1e-4, atol=1e-6)


def test_forms_of_sequences_agree():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6, 1)).astype(np.float32)
    y = (x[:, 0, 0] > 0).astype(int)
    expected = make("classifier").fit(x, y).predict_proba(x)
    forms = [x[..., 0], list(x), [one[:, 0] for one in x], np.array([*x, None], object)[:-1]]
    for form in forms[:2]:
        model = make("classifier").fit(form, y)
        for other in (x, *forms):
            np.testing.assert_allclose(model.predict_proba(other), expected, rtol=1e-5)
    assert make("classifier").fit(x[..., 0], y).n_features_in_ == 6
    assert make("classifier").fit(x, y).n_features_in_ == 1


def test_labels_of_an_array_are_an_array():
    x = np.random.default_rng(0).normal(size=(30, 5, 1))
    model = make("labeler").fit(x, (x[..., 0] > 0).astype(int))
    assert model.predict(x).shape == (30, 5)
    assert model.predict_proba(x).shape == (30, 5, 2)
    assert isinstance(model.predict(list(x)), list)


def test_lengths_not_seen_in_training_are_predicted():
    model = fitted("classifier")
    assert len(model.predict([np.zeros((50, 2)), np.zeros((1, 2))])) == 2


@pytest.mark.parametrize(("given", "used"), [("float64", "float64"), ("float32", "float32"), ("int16", "float32")])
def test_precision_follows_the_input(given, used):
    x = [(10 * one).astype(given) for one in X]
    assert make("classifier", max_epochs=1).fit(x, FIRST).predict_proba(x).dtype == used


def test_features_are_standardised_over_all_steps():
    model = fitted("classifier", max_epochs=1)
    steps = np.concatenate(X).astype(np.float64)
    np.testing.assert_allclose(model.feature_mean_, steps.mean(axis=0))
    np.testing.assert_allclose(model.feature_scale_, steps.std(axis=0))
    plain = fitted("classifier", max_epochs=1, standardize=False)
    assert plain.feature_mean_.tolist() == [0, 0]
    units = [one * np.float32(2) ** 10 + 3 for one in X]
    np.testing.assert_allclose(
        fitted("classifier").predict_proba(X), make("classifier").fit(units, FIRST).predict_proba(units), atol=1e-3
    )
    constant = make("classifier").fit([np.full_like(one, 7) for one in X], FIRST)
    assert np.isfinite(constant.predict_proba(X)).all()


def test_input_is_neither_changed_nor_kept():
    kept = [one.copy() for one in X]
    for one in X:
        one.flags.writeable = False
    model = fitted("labeler")
    model.predict(X)
    for one in X:
        one.flags.writeable = True
    assert_same(X, kept)


# -- weights, splits, going on ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["classifier", "regressor", "labeler"])
def test_weights_count_like_repetitions(case):
    x, y = [one.astype(np.float64) for one in X[:12]], CASES[case][1][:12]
    repeats = np.arange(12) % 4
    weighted = make(case).fit(x, y, sample_weight=repeats)
    again = [i for i, n in enumerate(repeats) for _ in range(n)]
    repeated = make(case).fit([x[i] for i in again], [y[i] for i in again])
    np.testing.assert_allclose(weights(weighted), weights(repeated), rtol=1e-6, atol=1e-9)


def test_class_weight():
    noise = ragged(80, seed=5)
    y = np.arange(80) % 2
    assert make("classifier", class_weight={1: 50.0}).fit(noise, y).predict(noise).mean() > 0.9
    steps = [np.full(len(one), i % 2) for i, one in enumerate(noise)]
    labels = make("labeler", class_weight={1: 50.0}).fit(noise, steps).predict(noise)
    assert np.concatenate(labels).mean() > 0.9
    few = [np.zeros(len(one), int) for one in noise]
    few[0][:], few[1][:] = 1, 1
    balanced = make("labeler", class_weight="balanced").fit(noise, few)
    ones = np.concatenate(few).sum()
    n = len(np.concatenate(few))
    by_hand = make("labeler", class_weight={0: n / 2 / (n - ones), 1: n / 2 / ones}).fit(noise, few)
    np.testing.assert_array_equal(weights(balanced), weights(by_hand))


@pytest.mark.parametrize("case", CASES)
def test_early_stopping_holds_out_and_keeps_the_best(case):
    model = fitted(case, early_stopping=True, n_iter_no_change=2, max_epochs=60, schedule="constant")
    losses = model.history_["validation_loss"]
    assert len(losses) == 60 or len(losses) == losses.argmin() + 3


@pytest.mark.parametrize("case", CASES)
def test_warm_start_goes_on(case):
    model = fitted(case, warm_start=True, max_epochs=2)
    first = weights(model)
    model.fit(X, CASES[case][1])
    assert model.n_iter_ == 4
    assert not np.array_equal(first, weights(model))


def test_partial_fit_sees_one_part_after_another():
    model = make("classifier")
    for _ in range(3):
        for half in (slice(0, 30), slice(30, 60)):
            model.partial_fit(X[half], FIRST[half], classes=["neg", "pos"])
    assert model.n_iter_ == 6
    regressor = make("regressor").partial_fit(X[:30], SUMS[:30]).partial_fit(X[30:], SUMS[30:])
    assert regressor.n_iter_ == 2


def test_clip_norm_holds():
    steps = []

    class Watch(training.Callback):
        def on_batch_end(self, trainer, batch, loss):
            steps.append(trainer.clip_norm)

    fitted("classifier", clip_norm=0.25, max_epochs=1, callbacks=[Watch()])
    assert set(steps) == {0.25}


# -- bits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_random_state_settles_every_bit_on_any_number_of_threads(case, same_bits):
    def train():
        model = fitted(case, dropout=0.1)
        return (weights(model), *model.predict(X[:5]))

    same_bits(train)
    assert not np.array_equal(weights(fitted(case, dropout=0.1, random_state=1)), train()[0])


@pytest.mark.parametrize("case", CASES)
def test_saved_and_loaded(case, tmp_path):
    model = fitted(case, n_layers=2, bidirectional=True)
    model.save(tmp_path / "model.safetensors")
    same = nj.load(tmp_path / "model.safetensors")
    assert same.get_params() == model.get_params()
    assert_same(model._outputs(X), same._outputs(X))
    assert_same(model.predict(X), same.predict(X))
    same.set_params(warm_start=True).fit(X, CASES[case][1])
    assert same.n_iter_ == 2 * model.n_iter_


def test_own_networks_are_saved(tmp_path):
    network = Sequential(TimeDistributed(Dense(3)), LSTM(4), Dense(2))
    model = fitted("classifier", network=network)
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(nj.load(tmp_path / "model.safetensors").predict_proba(X), model.predict_proba(X))


def test_pipeline_and_grid_search():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 5)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    model = make_pipeline(StandardScaler(), make("classifier", max_epochs=15))
    search = GridSearchCV(model, {"recurrentclassifier__learning_rate": [1e-6, 0.02]}, cv=2, error_score="raise")
    assert search.fit(x, y).best_params_ == {"recurrentclassifier__learning_rate": 0.02}
