"""What the convolutional estimators promise beyond scikit-learn's checks."""

import threading
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

from neurojit import ConvNetClassifier, ConvNetRegressor, layers, training
from neurojit.core import device
from neurojit.estimators.targets import class_weights


def tiny(input_shape, n_outputs):
    """A network that trains in no time."""
    return layers.Sequential(
        layers.Conv2d(4, 3),
        layers.BatchNorm(),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dropout(0.1),
        layers.Dense(n_outputs),
    )


def classifier(**options):
    return ConvNetClassifier(**({"network": tiny, "max_epochs": 4, "learning_rate": 0.02, "random_state": 0} | options))


def weights(model):
    return np.concatenate([array.ravel() for array in model.network_.state().values()])


def test_learns_and_records(stripes):
    X, y = stripes
    labels = np.array(["lying", "standing"])[y]
    model = classifier(max_epochs=6).fit(X, labels)
    assert model.score(X, labels) > 0.95
    assert model.classes_.tolist() == ["lying", "standing"]
    assert model.n_iter_ == len(model.loss_curve_) == len(model.history_) == 6
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.history_["accuracy"][-1] > 0.9
    assert model.input_shape_ == (6, 6, 1)
    assert model.n_features_in_ == 36
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(X)).all()


def test_forms_of_images_agree(stripes):
    X, y = stripes
    expected = classifier().fit(X, y).predict_proba(X)
    without_channel, flat = X[..., 0], X.reshape(len(X), -1)
    np.testing.assert_array_equal(classifier().fit(without_channel, y).predict_proba(X), expected)
    by_rows = classifier(input_shape=(6, 6, 1)).fit(flat, y)
    for form in (flat, without_channel, X):
        np.testing.assert_array_equal(by_rows.predict_proba(form), expected)


def test_signals_of_several_channels():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.normal(size=(60, 70, 3)).astype(np.float32)
    X[:, :, 1] += 2 * y[:, None]
    model = ConvNetClassifier(input_shape=(70, 3), max_epochs=4, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.input_shape_ == (70, 3)


def test_uint8_is_scaled(stripes):
    X, y = stripes
    pixels = np.clip(X * 100, 0, 255).astype(np.uint8)
    model = classifier().fit(pixels, y)
    scaled = pixels * np.float32(1 / 255)
    np.testing.assert_array_equal(model.predict_proba(pixels), model.predict_proba(scaled))
    np.testing.assert_array_equal(model.predict_proba(pixels), classifier().fit(scaled, y).predict_proba(scaled))


@pytest.mark.parametrize(
    ("given", "used"),
    [("float64", "float64"), ("float32", "float32"), ("float16", "float32"), ("int64", "float32"), ("bool", "float32")],
)
def test_precision_follows_the_input(stripes, given, used):
    X, y = stripes
    model = classifier(max_epochs=1).fit((X > 0.5).astype(given), y)
    assert model.predict_proba(X.astype(given)).dtype == used


def test_input_is_neither_copied_nor_changed(stripes):
    X, y = stripes
    big = np.repeat(X, 200, axis=0)
    before = big.copy()
    big.flags.writeable = False
    tracked = []

    class Peak(training.Callback):
        def on_epoch_end(self, trainer, record):
            tracked.append(tracemalloc.get_traced_memory()[1])

    import tracemalloc

    model = classifier(max_epochs=1, callbacks=[Peak()])
    tracemalloc.start()
    try:
        model.fit(big, np.repeat(y, 200))
        model.predict(big)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert tracked
    assert peak < big.nbytes, f"{peak} bytes were taken for an input of {big.nbytes}"
    np.testing.assert_array_equal(big, before)


def test_random_state_settles_every_bit(stripes):
    X, y = stripes
    one, same, other = (weights(classifier(random_state=seed).fit(X, y)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_threads_do_not_change_a_bit(stripes, n_threads):
    X, y = stripes
    np.testing.assert_array_equal(
        weights(classifier(n_threads=n_threads).fit(X, y)), weights(classifier(n_threads=1).fit(X, y))
    )


def test_weights_count_like_repetitions():
    rng = np.random.default_rng(0)
    X, y, repeats = rng.normal(size=(12, 10)), np.arange(12) % 3, np.arange(12) % 4
    for estimator, targets in ((ConvNetClassifier, y), (ConvNetRegressor, np.exp(np.arange(12) / 3))):
        model = estimator(max_epochs=3, random_state=0)
        weighted = clone(model).fit(X, targets, sample_weight=repeats)
        repeated = clone(model).fit(np.repeat(X, repeats, axis=0), np.repeat(targets, repeats))
        np.testing.assert_allclose(weights(weighted), weights(repeated), rtol=1e-6, atol=1e-9)


def test_rows_of_weight_zero_are_as_if_they_were_not_there(stripes):
    X, y = stripes
    weight = np.ones(120)
    weight[::3] = 0
    kept = weight > 0
    with_them = classifier().fit(X, y, sample_weight=weight)
    without = classifier().fit(X[kept], y[kept], sample_weight=weight[kept])
    np.testing.assert_array_equal(weights(with_them), weights(without))


def test_balanced_weights_are_those_of_scikit_learn():
    codes = np.array([0, 0, 0, 0, 1, 1, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=codes)
    np.testing.assert_allclose(class_weights("balanced", np.arange(3), codes, None), expected)
    twice = class_weights("balanced", np.arange(3), codes, np.array([1, 1, 1, 1, 2, 2, 4]))
    np.testing.assert_allclose(twice, 1)


def test_class_weight(stripes):
    X, y = stripes
    noise = np.random.default_rng(0).normal(size=X.shape).astype(np.float32)
    towards_one = classifier(class_weight={1: 50.0}).fit(noise, y).predict(noise)
    assert towards_one.mean() > 0.9
    few = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:6]]
    balanced = classifier(class_weight="balanced", max_epochs=1).fit(X[few], y[few])
    by_hand = classifier(class_weight={0: 66 / (2 * 60), 1: 66 / (2 * 6)}, max_epochs=1).fit(X[few], y[few])
    np.testing.assert_array_equal(weights(balanced), weights(by_hand))


def test_network_given_as_a_layer_is_copied(stripes):
    X, y = stripes
    network = tiny((6, 6, 1), 2)
    model = classifier(network=network).fit(X, y)
    assert not network.built
    assert model.network_ is not network
    np.testing.assert_array_equal(weights(model), weights(classifier().fit(X, y)))


def test_made_network_keeps_its_weights_and_frozen_parts(stripes):
    X, y = stripes
    network = tiny((6, 6, 1), 2).make((6, 6, 1), 7)
    network[0].freeze()
    before = network.state()
    model = classifier(network=network, max_epochs=2).fit(X, y)
    after = model.network_.state()
    np.testing.assert_array_equal(after["0.weight"], before["0.weight"])
    assert not np.array_equal(after["5.weight"], before["5.weight"])
    assert model.network_[5].weight is not network[5].weight


def test_early_stopping_keeps_the_best(stripes):
    X, y = stripes
    noise = np.random.default_rng(0).normal(size=X.shape).astype(np.float32)
    model = classifier(early_stopping=True, n_iter_no_change=2, max_epochs=60, schedule="constant").fit(noise, y)
    assert model.n_iter_ < 60
    assert "validation_loss" in model.history_.stopped
    losses = model.history_["validation_loss"]
    assert len(losses) == losses.argmin() + 3
    shorter = classifier(early_stopping=True, max_epochs=int(losses.argmin()) + 1, schedule="constant").fit(noise, y)
    np.testing.assert_array_equal(weights(model), weights(shorter))


def test_held_out_rows_are_spread_over_the_classes():
    y = np.repeat([0, 1, 2], [100, 30, 10])
    model = ConvNetClassifier(early_stopping=True, validation_fraction=0.1, random_state=0)
    model._key = training.loop.Key.from_random_state(0)
    train, held_out = model._split(np.arange(140), y)
    assert np.bincount(y[held_out]).tolist() == [10, 3, 1]
    assert sorted([*train, *held_out]) == list(range(140))


def test_warm_start_goes_on(stripes):
    X, y = stripes
    model = classifier(warm_start=True, max_epochs=2).fit(X, y)
    first, rates = weights(model), model.history_["learning_rate"]
    model.fit(X, y)
    np.testing.assert_array_equal(model.history_["learning_rate"], rates)
    assert model.n_iter_ == len(model.loss_curve_) == 4
    assert not np.array_equal(first, weights(model))
    cold = classifier(max_epochs=2).fit(X, y).fit(X, y)
    np.testing.assert_array_equal(weights(cold), first)
    assert cold.n_iter_ == 2


def test_partial_fit_sees_one_batch_after_another(stripes):
    X, y = stripes
    model = classifier()
    for _ in range(5):
        for half in (slice(0, 60), slice(60, 120)):
            model.partial_fit(X[half], y[half], classes=[0, 1])
    assert model.n_iter_ == 10
    assert model.score(X, y) > 0.9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X[:1], y[:1])


def test_regressor_in_any_unit(stripes):
    X, _ = stripes
    y = X[:, :3].mean(axis=(1, 2, 3)).astype(np.float64)
    model = ConvNetRegressor(tiny, max_epochs=30, learning_rate=0.02, random_state=0)
    expected = clone(model).fit(X, y)
    assert expected.score(X, y) > 0.5
    found = clone(model).fit(X, 1e6 * y - 1e8).predict(X)
    np.testing.assert_allclose((found + 1e8) / 1e6, expected.predict(X), atol=1e-3 * y.std())
    two = ConvNetRegressor(tiny, max_epochs=2, random_state=0).fit(X, np.stack([y, -y], axis=1))
    assert two.predict(X).shape == (120, 2)
    assert two.predict(X).dtype == np.float64
    constant = ConvNetRegressor(tiny, max_epochs=2, random_state=0).fit(X, np.full(120, 7.0))
    assert np.isfinite(constant.predict(X)).all()


class _Watch(training.Callback):
    """Keeps the targets of every batch, and how many threads it was computed on."""

    def __init__(self):
        self.targets, self.threads = [], set()

    def on_batch_end(self, trainer, batch, loss):
        self.targets.append(batch.targets.tolist())
        self.threads.add(device.thread_count())


def test_every_partial_fit_has_an_order_of_its_own(stripes):
    X, y = stripes
    watch = _Watch()
    model = classifier(callbacks=[watch], batch_size=120)
    model.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    assert watch.targets[0] != watch.targets[1]


def test_n_threads_holds_in_fit_and_is_restored(stripes):
    X, y = stripes
    before, watch = device.thread_count(), _Watch()
    if before < 2:
        pytest.skip("this process has fewer than 2 threads")
    classifier(callbacks=[watch], n_threads=1, max_epochs=1).fit(X, y)
    assert watch.threads == {1}
    assert device.thread_count() == before


class _Interrupt(training.Callback):
    def __init__(self, after):
        self.after = after

    def on_epoch_start(self, trainer):
        if trainer.epoch == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [0, 2])
def test_interrupt_keeps_the_model(stripes, after):
    X, y = stripes
    model = classifier(callbacks=[_Interrupt(after)]).fit(X, y)
    assert model.n_iter_ == after
    assert "interrupted" in model.history_.stopped
    assert model.predict(X).shape == (120,)


def test_divergence_keeps_the_last_good_weights(stripes):
    X, y = stripes
    model = ConvNetRegressor(
        tiny, optimizer="sgd", learning_rate=1e30, schedule="constant", max_epochs=3, random_state=0
    )
    with pytest.raises(training.TrainingDiverged, match=r"epoch 1.*lower learning_rate"):
        model.fit(X, y)
    assert np.isfinite(weights(model)).all()
    assert model.predict(X).shape == (120,)
    assert model.loss_curve_ == []


def test_threads_share_an_estimator(stripes):
    X, y = stripes
    model = classifier(max_epochs=1).fit(X, y)
    expected = model.predict_proba(X)
    results = [None] * 4

    def predict(i):
        results[i] = [model.predict_proba(X) for _ in range(5)]

    workers = [threading.Thread(target=predict, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for found in results:
        for probabilities in found:
            np.testing.assert_array_equal(probabilities, expected)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search_over_a_pipeline(backend):
    import joblib

    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32)
    model = make_pipeline(StandardScaler(), ConvNetClassifier(input_shape=(8, 8, 1), max_epochs=3, random_state=0))
    search = GridSearchCV(
        model, {"convnetclassifier__learning_rate": [1e-5, 3e-3]}, cv=2, n_jobs=2, error_score="raise"
    )
    with joblib.parallel_backend(backend):
        search.fit(X, y)
    assert search.best_params_ == {"convnetclassifier__learning_rate": 3e-3}
    assert search.best_score_ > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_digits(seed):
    from neurojit.datasets import digits

    x_train, y_train, x_test, y_test = digits()
    assert ConvNetClassifier(max_epochs=20, random_state=seed).fit(x_train, y_train).score(x_test, y_test) >= 0.985
