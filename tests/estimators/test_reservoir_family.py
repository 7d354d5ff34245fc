"""Classifier, transformer, next-generation reservoir, extreme learning and liquid state machines."""

import itertools

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neurojit as nj
from neurojit.reservoirs import delayed, lorenz, monomials, press
from tests.reference import reservoir as reference


@pytest.fixture
def chirps(rng):
    """Series of two features and unequal lengths, slow, middle or fast: (series, labels)."""
    y = np.arange(60) % 3
    series = []
    for label in y:
        t = np.arange(rng.integers(25, 45)) + rng.uniform(0, 9)
        wave = np.stack([np.sin(0.3 * (label + 1) * t), np.cos(0.3 * (label + 1) * t)], 1)
        series.append(wave + 0.1 * rng.standard_normal(wave.shape))
    return series, np.array(["slow", "middle", "fast"])[y]


def states(model, u):
    reservoir = model.reservoir_
    w_in = np.vstack([reservoir.bias[:1], reservoir.w_in]).T
    return reference.states(u, w_in, [W.tocsr().toarray() for W in reservoir.recurrent], leak_rate=model.leak_rate)


@pytest.mark.parametrize("pooling", ["mean", "last", "concat"])
def test_classifier_equals_the_equations(chirps, pooling):
    series, y = chirps
    model = nj.EchoStateClassifier(30, pooling=pooling, n_states=4, leak_rate=0.5, washout=3, ridge=0.1, random_state=0)
    model.fit(series, y)
    rows = []
    for u in series:
        z = np.hstack([u, states(model, u)])[3:]
        last = [int(np.ceil(len(z) * (k + 1) / 4)) - 1 for k in range(4)]
        rows.append({"mean": z.mean(axis=0), "last": z[-1], "concat": z[last].reshape(-1)}[pooling])
    rows = np.array(rows)
    w_out = reference.ridge(rows, (y[:, None] == model.classes_).astype(float), 0.1)
    np.testing.assert_allclose(np.vstack([model.intercept_, model.coef_.T]), w_out, rtol=0, atol=1e-8)
    scores = np.hstack([np.ones((60, 1)), rows]) @ w_out
    np.testing.assert_allclose(model.decision_function(series), scores, atol=1e-8)
    np.testing.assert_array_equal(model.predict(series), model.classes_[scores.argmax(axis=1)])
    assert model.score(series, y) > 0.9


def test_classifier_of_rows(rng):
    """Rows of a matrix are series of one feature; two classes have one score."""
    y = np.arange(40) % 2
    X = np.sin(np.outer(np.where(y, 0.3, 0.6), np.arange(50))) + 0.1 * rng.standard_normal((40, 50))
    model = nj.EchoStateClassifier(40, random_state=0).fit(X, y)
    assert model.decision_function(X).shape == (40,)
    assert model.score(X, y) == 1.0
    series = nj.EchoStateClassifier(40, random_state=0).fit(list(X[:, :, None]), y)
    np.testing.assert_allclose(series.decision_function(X[:, :, None]), model.decision_function(X), atol=1e-12)


def test_transformer(chirps):
    series, y = chirps
    steps = nj.ReservoirTransformer(20, leak_rate=0.4, n_layers=1, random_state=0).fit(series)
    for u, found in zip(series[:3], steps.transform(series), strict=False):
        np.testing.assert_allclose(found, np.hstack([u, states(steps, u)]), atol=1e-12)
        np.testing.assert_allclose(steps.transform(u), found, atol=1e-12)
    pooled = nj.ReservoirTransformer(20, pooling="mean", washout=5, input_to_readout=False, random_state=0)
    rows = pooled.fit_transform(series)
    np.testing.assert_allclose(rows[7], states(pooled, series[7])[5:].mean(axis=0), atol=1e-12)
    pipeline = make_pipeline(
        nj.ReservoirTransformer(50, pooling="concat", random_state=0), StandardScaler(), LogisticRegression()
    )
    assert pipeline.fit(series, y).score(series, y) > 0.95


def test_next_generation_equals_ridge_regression():
    x = lorenz(400)
    model = nj.NextGenerationReservoir(3, stride=2, order=2, ridge=0.1).fit(x[:-1], x[1:, :1])
    rows = monomials(delayed(x[:-1], 3, 2), 2)
    expected = Ridge(0.1, solver="svd").fit(rows[4:], x[5:, :1])
    np.testing.assert_allclose(model.predict(x[:-1]), expected.predict(rows).reshape(-1, 1), rtol=1e-5, atol=1e-5)
    assert model.predict(x[:-1]).shape == (399, 1)


def test_next_generation_runs_free():
    x = lorenz(1300)
    model = nj.NextGenerationReservoir(difference=True, ridge=1e-2).fit(x[:999], x[1:1000])
    run = model.generate(60)
    np.testing.assert_allclose(run, model.generate(60, prime=x[:1000]), atol=1e-9)
    assert np.abs(run - x[1000:1060]).max() < 0.1
    last, series = x[990:1000], []
    for _ in range(5):
        series.append(model.predict(last)[-1])
        last = np.vstack([last[1:], series[-1]])
    np.testing.assert_allclose(run[:5], series, atol=1e-9)
    wild = nj.NextGenerationReservoir(order=3, ridge=0.5).fit(x[:50], x[1:51] * 3)
    with pytest.raises(FloatingPointError, match=r"no longer finite at step \d+ of 1000"):
        wild.generate(1000)


def test_extreme_learning_equals_ridge_regression(rng):
    X, y = rng.standard_normal((80, 3)), rng.standard_normal((80, 2))
    for activation, function in reference.FUNCTIONS.items():
        if activation == "identity":
            continue
        model = nj.ExtremeLearningMachineRegressor(15, activation=activation, ridge=0.1, random_state=0).fit(X, y)
        hidden = function(X @ model._weights + model._biases)
        w_out = reference.ridge(hidden, y, 0.1)
        np.testing.assert_allclose(np.vstack([model.intercept_, model.coef_.T]), w_out, atol=1e-8)
        np.testing.assert_allclose(model.predict(X), np.hstack([np.ones((80, 1)), hidden]) @ w_out, atol=1e-8)


def test_extreme_learning_with_gaussians_and_the_pseudo_inverse(rng):
    X = rng.standard_normal((60, 2))
    y = np.sin(X[:, 0]) * X[:, 1]
    model = nj.ExtremeLearningMachineRegressor(12, activation="rbf", ridge=None, random_state=0).fit(X, y)
    squares = ((X[:, None] - model._weights.T) ** 2).sum(2)
    rows = np.hstack([np.ones((60, 1)), np.exp(-model._biases * squares)])
    np.testing.assert_allclose(model.predict(X), rows @ (np.linalg.pinv(rows) @ y), atol=1e-7)
    assert all((centre == X).all(axis=1).any() for centre in model._weights.T), "centres are rows of X"


def test_the_number_of_neurons_is_chosen_by_leaving_one_out(rng):
    X = rng.uniform(-3, 3, (70, 1))
    y = np.sin(2 * X[:, 0]) + 0.2 * rng.standard_normal(70)
    sizes = [1, 10, 20, 69]
    model = nj.ExtremeLearningMachineRegressor(sizes, ridge=1e-8, input_scaling=3, random_state=0).fit(X, y)
    assert set(model.press_) == set(sizes)
    assert model.n_hidden_ in (10, 20)
    single = nj.ExtremeLearningMachineRegressor(69, ridge=1e-8, input_scaling=3, random_state=0).fit(X, y)
    hidden = single._hidden(X)
    for size in sizes[:3]:
        assert model.press_[size] == pytest.approx(press(hidden[:, :size], y[:, None], 1e-8))


def test_extreme_learning_piece_by_piece(rng):
    X, y = rng.standard_normal((90, 4)), rng.integers(0, 3, 90)
    whole = nj.ExtremeLearningMachineClassifier(20, ridge=1e-2, random_state=0).fit(X, y)
    pieces = nj.ExtremeLearningMachineClassifier(20, ridge=1e-2, random_state=0)
    for part in np.array_split(np.arange(90), 4):
        pieces.partial_fit(X[part], y[part], classes=[0, 1, 2])
    np.testing.assert_allclose(pieces.coef_, whole.coef_, atol=1e-9)
    regressor = nj.ExtremeLearningMachineRegressor(20, ridge=1e-2, random_state=0)
    regressor.partial_fit(X[:50], X[:50, 0]).partial_fit(X[50:], X[50:, 0])
    expected = nj.ExtremeLearningMachineRegressor(20, ridge=1e-2, random_state=0).fit(X, X[:, 0])
    np.testing.assert_allclose(regressor.predict(X), expected.predict(X), atol=1e-8)


@pytest.mark.parametrize("encoder", ["rate", "latency", "delta"])
def test_liquid_state_classifier(chirps, encoder):
    series, y = chirps
    model = nj.LiquidStateClassifier(encoder=encoder, n_segments=2, random_state=0).fit(series[:40], y[:40])
    assert model.score(series[40:], y[40:]) > 0.6, "a third is chance"


def test_liquid_state_features(chirps):
    """Means of the traces over equal segments, of a series brought to 0 to 1 by the ranges in training."""
    series, y = chirps
    model = nj.LiquidStateClassifier(encoder="latency", n_segments=3, random_state=0).fit(series, y)
    everything = np.concatenate(series)
    low, high = everything.min(axis=0), everything.max(axis=0)
    spikes = nj.reservoirs.encode_latency((series[4] - low) / (high - low), 10)
    traces = model.liquid_.run(spikes, 10)[0]
    edges = np.round(np.linspace(0, len(traces), 4)).astype(int)
    expected = np.concatenate([traces[a:b].mean(axis=0) for a, b in itertools.pairwise(edges)])
    np.testing.assert_allclose(model._rows(series[4:5])[0], expected, atol=1e-12)


def test_liquid_state_regressor():
    u = np.sin(0.1 * np.arange(600))[:, None]
    model = nj.LiquidStateRegressor(random_state=0).fit(u[:400], u[:400, 0])
    assert model.score(u[400:], u[400:, 0]) > 0.6
    parts = [u[:250], u[250:400]]
    several = nj.LiquidStateRegressor(random_state=0).fit(parts, [part[:, 0] for part in parts])
    assert [len(part) for part in several.predict(parts)] == [250, 150]


X2, Y2 = np.random.default_rng(0).standard_normal((30, 5)), np.arange(30) % 2
MODELS = {
    "classifier": (nj.EchoStateClassifier(20, random_state=0), X2, Y2.astype(str)),
    "transformer": (nj.ReservoirTransformer(20, pooling="last", random_state=0), X2, None),
    "nvar": (nj.NextGenerationReservoir(ridge=[1e-3, 1.0]), X2, X2),
    "elm regressor": (nj.ExtremeLearningMachineRegressor([5, 9], random_state=0), X2, X2[:, :2]),
    "elm classifier": (nj.ExtremeLearningMachineClassifier(9, activation="rbf", random_state=0), X2, Y2),
    "lsm classifier": (nj.LiquidStateClassifier((2, 2, 5), n_substeps=2, random_state=0), X2, Y2),
    "lsm regressor": (nj.LiquidStateRegressor((2, 2, 5), n_substeps=2, random_state=0), X2, Y2 * 1.0),
}


@pytest.mark.parametrize("name", MODELS)
def test_saved_and_loaded(name, tmp_path):
    model, X, y = MODELS[name]
    model.fit(X, y)
    model.save(tmp_path / "model.safetensors")
    loaded = nj.load(tmp_path / "model.safetensors")
    assert type(loaded) is type(model)
    assert loaded.get_params() == {**model.get_params(), "shape": list(getattr(model, "shape", ()))} or (
        loaded.get_params() == model.get_params()
    )
    use = "transform" if name == "transformer" else "predict"
    np.testing.assert_array_equal(getattr(loaded, use)(X), getattr(model, use)(X))
    if hasattr(model, "generate"):
        np.testing.assert_array_equal(loaded.generate(5), model.generate(5))


@pytest.mark.parametrize(
    ("model", "X", "y", "error", "message"),
    [
        (nj.EchoStateClassifier(pooling="max"), X2, Y2, ValueError, "pooling: got 'max'"),
        (nj.EchoStateClassifier(n_states=0), X2, Y2, ValueError, "n_states: got 0"),
        (nj.EchoStateClassifier(washout=5), X2, Y2, ValueError, "washout: got 5.*5 steps of series 0"),
        (nj.EchoStateClassifier(), X2, np.ones(30), ValueError, "y: got one class only"),
        (nj.EchoStateClassifier(), [X2, X2], ["a"], ValueError, "y: got 1 values, wanted 2"),
        (nj.EchoStateClassifier(), [X2, X2[:, :2]], ["a", "b"], ValueError, "X: got 2 features in series 1"),
        (nj.ReservoirTransformer(pooling=3), X2, None, ValueError, "pooling: got 3"),
        (nj.NextGenerationReservoir(0), X2, Y2, ValueError, "n_delays: got 0"),
        (nj.NextGenerationReservoir(20, stride=2), X2, Y2, ValueError, "n_delays: got 20 at stride 2"),
        (nj.NextGenerationReservoir(difference=True), X2, Y2, ValueError, "difference: got True with 1 outputs"),
        (nj.ExtremeLearningMachineRegressor(0), X2, Y2, ValueError, "n_hidden: got 0"),
        (nj.ExtremeLearningMachineRegressor(2.5), X2, Y2, TypeError, "n_hidden: got 2.5"),
        (nj.ExtremeLearningMachineRegressor(activation="step"), X2, Y2, ValueError, "activation: got 'step'"),
        (nj.ExtremeLearningMachineRegressor(ridge=-1.0), X2, Y2, ValueError, "ridge: got -1.0"),
        (nj.ExtremeLearningMachineRegressor([2, 3], ridge=[1.0, 2.0]), X2, Y2, ValueError, "ridge: got several"),
        (nj.LiquidStateClassifier(()), X2, Y2, ValueError, r"shape: got \(\)"),
        (nj.LiquidStateClassifier(encoder="phase"), X2, Y2, ValueError, "encoder: got 'phase'"),
        (nj.LiquidStateClassifier(inhibitory=1.0), X2, Y2, ValueError, "inhibitory: got 1.0"),
        (nj.LiquidStateRegressor(n_substeps=0), X2, Y2, ValueError, "n_substeps: got 0"),
    ],
)
def test_bad_input(model, X, y, error, message):
    with pytest.raises(error, match=message):
        model.fit(X, y)


def test_bad_use():
    with pytest.raises(NotFittedError):
        nj.NextGenerationReservoir().generate(3)
    model = nj.NextGenerationReservoir().fit(X2, Y2)
    with pytest.raises(ValueError, match="generate: got a model with 5 inputs and 1 outputs"):
        model.generate(3)
    with pytest.raises(ValueError, match="n_steps: got -1"):
        nj.NextGenerationReservoir().fit(X2, X2).generate(-1)
    with pytest.raises(ValueError, match="prime: got 1 steps"):
        nj.NextGenerationReservoir().fit(X2, X2).generate(3, prime=X2[:1])
    with pytest.raises(ValueError, match="ridge: got None"):
        nj.ExtremeLearningMachineRegressor(ridge=None).partial_fit(X2, Y2)
    with pytest.raises(ValueError, match="classes: got None"):
        nj.ExtremeLearningMachineClassifier().partial_fit(X2, Y2)


def test_same_bits_on_any_number_of_threads(chirps, same_bits):
    series, y = chirps
    same_bits(lambda: nj.EchoStateClassifier(20, random_state=0).fit(series, y).coef_)
    same_bits(lambda: nj.LiquidStateClassifier(random_state=0).fit(series, y).coef_)
    same_bits(lambda: nj.ExtremeLearningMachineRegressor(50, random_state=0).fit(series[0], series[0]).coef_)
