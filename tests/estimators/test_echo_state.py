"""EchoStateRegressor: against the equations written out, and what is expected of an estimator."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Lasso, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neurojit as nj
from neurojit.reservoirs import FORCE, LMS, RLS
from tests.reference import reservoir as reference

T = 300


@pytest.fixture
def series(rng):
    """A filtered noise and two mixtures of its past: (U, Y)."""
    u = np.convolve(rng.standard_normal(T + 9), np.ones(10) / 3, "valid")
    return u[:, None], np.stack([np.roll(u, 2) * u, np.roll(u, 1)], 1)


def small(**options):
    return nj.EchoStateRegressor(**({"n_units": 30, "washout": 20, "random_state": 0} | options))


def matrices(model):
    reservoir = model.reservoir_
    w_in = np.vstack([reservoir.bias[:1], reservoir.w_in]).T
    return w_in, reservoir.recurrent[0].tocsr().toarray()


def weights(model):
    return np.vstack([model.intercept_, model.coef_.T])


@pytest.mark.parametrize("topology", ["random", "shifts"])
@pytest.mark.parametrize("input_to_readout", [True, False])
def test_equals_the_equations(series, topology, input_to_readout):
    u, y = series
    options = {"leak_rate": 0.4, "input_scaling": 0.5, "ridge": 1e-3, "input_to_readout": input_to_readout}
    model = small(topology=topology, **options).fit(u[:200], y[:200])
    w_in, W = matrices(model)
    x = reference.states(u, w_in, [W], leak_rate=0.4)
    np.testing.assert_allclose(model.states(u), x, rtol=0, atol=1e-10)
    z = np.hstack([u, x]) if input_to_readout else x
    w_out = reference.ridge(z[20:200], y[20:200], 1e-3)
    np.testing.assert_allclose(weights(model), w_out, rtol=0, atol=1e-8 * np.abs(w_out).max())
    np.testing.assert_allclose(model.predict(u), np.hstack([np.ones((T, 1)), z]) @ w_out, rtol=0, atol=1e-8)


def test_feedback_equals_the_equations(series):
    """Teacher forcing in fit, with scaling and shift; the network's own output later."""
    u, y = series
    y = y[:, :1]
    options = {"feedback_scaling": 0.3, "teacher_scaling": 2.0, "teacher_shift": 0.7, "leak_rate": 0.5, "ridge": 1e-2}
    model = small(feedback=True, **options).fit(u[:200], y[:200])
    plain = small(feedback=True, leak_rate=0.5, ridge=1e-2).fit(u[:200], y[:200])
    w_in, W = matrices(plain)
    taught = 0.3 * (2.0 * np.vstack([[[0.0]], y[:-1]]) + 0.7)
    x = reference.states(np.hstack([u, taught]), w_in, [W], leak_rate=0.5)
    w_out = reference.ridge(np.hstack([u, x])[20:200], y[20:200], 1e-2)
    np.testing.assert_allclose(weights(model), w_out, rtol=0, atol=1e-8 * np.abs(w_out).max())
    own_w_in, W = matrices(model)
    expected = reference.driven_loop(u, own_w_in, W, w_out, 0.5, np.zeros(30), np.zeros(1))
    np.testing.assert_allclose(model.predict(u), expected, rtol=0, atol=1e-7)


def wave(n):
    t = np.arange(n)
    return np.stack([np.sin(0.2 * t), np.cos(0.31 * t)], 1)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_free_run_equals_the_equations(dtype):
    data = wave(400)
    model = small(leak_rate=0.7, ridge=1e-4, dtype=dtype).fit(data[:-1], data[1:])
    w_in, W = matrices(model)
    state = reference.states(data[:-1], w_in, [W], leak_rate=0.7)[-1]
    expected = reference.closed_loop(12, w_in, W, weights(model), 0.7, state, data[-1])
    tolerance = 1e-9 if dtype == "float64" else 1e-3
    np.testing.assert_allclose(model.generate(5), expected[:5], rtol=0, atol=tolerance)
    np.testing.assert_allclose(model.generate(7), expected[5:], rtol=0, atol=tolerance)
    np.testing.assert_allclose(model.generate(12, prime=data), expected, rtol=0, atol=tolerance)
    assert np.abs(expected - wave(412)[400:])[:4].max() < 0.05


def test_free_run_of_layers_and_other_readouts_goes_step_by_step():
    """What `generate` does in one call equals predictions one step at a time."""
    data = wave(300)
    for options in ({"n_layers": 2}, {"feedback": True}, {"readout": Ridge(1e-4)}, {"readout": "rls"}):
        model = small(**options).fit(data[:-1], data[1:])
        twin = small(**options).fit(data[:-1], data[1:])
        last, expected = data[-1:], []
        for _ in range(6):
            last = twin.predict(last, continue_=True)
            expected.append(last[0])
        np.testing.assert_allclose(model.generate(6), expected, rtol=0, atol=1e-9)


def test_several_series_are_learnt_together(series):
    u, y = series
    cuts = [40, 110, 111 + 30, 240]
    us, ys = np.split(u, cuts), np.split(y, cuts)
    model = small(ridge=1e-3).fit(us, ys)
    w_in, W = matrices(model)
    parts = [np.hstack([p, reference.states(p, w_in, [W])]) for p in us]
    z, t = (np.concatenate([p[20:] for p in part]) for part in (parts, ys))
    w_out = reference.ridge(z, t, 1e-3)
    np.testing.assert_allclose(weights(model), w_out, rtol=0, atol=1e-8 * np.abs(w_out).max())
    for found, one in zip(model.predict(us), us, strict=True):
        np.testing.assert_allclose(found, model.predict(one), rtol=0, atol=1e-12)
    assert model.score(us, ys) == pytest.approx(
        1 - np.mean([np.mean((np.concatenate(model.predict(us)) - y)[:, k] ** 2) / y[:, k].var() for k in (0, 1)])
    )
    many = [u[:60]] * 40
    assert len(small().fit(many, [y[:60]] * 40).predict(many)) == 40


def test_pieces_equal_the_whole(series):
    """partial_fit goes on where the last call ended, in the washout too."""
    u, y = series
    for options in ({}, {"feedback": True}, {"noise": 0.01}, {"readout": RLS(ridge=1e-3)}):
        whole = small(**options).fit(u, y)
        pieces = small(**options)
        pieces.washout = 20
        for start, stop in ((0, 50), (50, 57), (57, T)):
            pieces.partial_fit(u[start:stop], y[start:stop])
        np.testing.assert_allclose(pieces.coef_, whole.coef_, rtol=0, atol=1e-7 * np.abs(whole.coef_).max())


def test_predictions_go_on(series):
    u, y = series
    for options in ({}, {"feedback": True}):
        model = small(**options).fit(u[:200], y[:200])
        whole = model.predict(u)
        model.reset_state()
        np.testing.assert_allclose(model.predict(u[:90], continue_=True), whole[:90], atol=1e-12)
        np.testing.assert_allclose(model.predict(u[90:], continue_=True), whole[90:], atol=1e-12)
        np.testing.assert_array_equal(model.predict(u), whole)


def test_rules_learn(series):
    u, y = series
    batch = small(ridge=1e-3).fit(u, y[:, 1])
    online = small(readout=RLS(ridge=1e-3)).fit(u, y[:, 1])
    np.testing.assert_allclose(online.predict(u), batch.predict(u), atol=0.02)
    lms = small(readout=LMS(learning_rate=0.02)).fit(u, y[:, 1])
    assert lms.score(u, y[:, 1]) > 0.7


def test_force_learns_to_run_alone():
    options = {"n_units": 100, "spectral_radius": 1.5, "leak_rate": 0.3, "bias_scaling": 0.0, "washout": 0}
    target = np.sin(0.1 * np.arange(2050))
    force = small(feedback=True, readout=FORCE(), **options).fit(np.zeros((2000, 1)), target[:2000])
    np.testing.assert_allclose(force.predict(np.zeros((50, 1)), continue_=True), target[2000:], atol=0.05)


def test_any_regressor_reads_out(series):
    u, y = series
    model = small(readout=Ridge(1e-3)).fit(u, y)
    np.testing.assert_allclose(model.predict(u), small(ridge=1e-3).fit(u, y).predict(u), atol=1e-7)
    assert small(readout=Lasso(1e-3, tol=1e-2)).fit(u, y[:, 1]).score(u, y[:, 1]) > 0.9


def test_several_penalties(series):
    u, y = series
    model = small(ridge=[1e-6, 1e-2, 1e8]).fit(u, y)
    assert model.ridge_ in (1e-6, 1e-2)
    np.testing.assert_array_equal(model.coef_, small(ridge=model.ridge_).fit(u, y).coef_)


def test_noise_changes_training_alone(series):
    u, y = series
    model, noisy = small().fit(u, y), small(noise=0.1).fit(u, y)
    assert not np.allclose(model.coef_, noisy.coef_)
    np.testing.assert_array_equal(model.states(u), noisy.states(u))
    np.testing.assert_array_equal(noisy.predict(u), noisy.predict(u))


def test_same_bits_on_any_number_of_threads(series, same_bits):
    u, y = series
    us, ys = np.array_split(u, 7), np.array_split(y, 7)
    same_bits(lambda: small(noise=0.01).fit(us, ys).coef_)
    assert np.array_equal(small(n_threads=1).fit(us, ys).coef_, small(n_threads=None).fit(us, ys).coef_)


def test_grid_search_and_pipelines(series):
    u, y = series
    grid = {"spectral_radius": [0.5, 0.9], "leak_rate": [0.5, 1.0], "ridge": [1e-6, 1e3]}
    search = GridSearchCV(small(), grid, cv=TimeSeriesSplit(2), n_jobs=2).fit(u, y)
    assert search.best_params_["ridge"] == 1e-6
    assert search.best_score_ > 0.5
    pipeline = make_pipeline(StandardScaler(), small()).fit(u, y)
    assert pipeline.score(u, y) > 0.9


def test_memory_maps(series, tmp_path):
    u, y = series
    np.save(tmp_path / "u.npy", u)
    mapped = np.load(tmp_path / "u.npy", mmap_mode="r")
    np.testing.assert_array_equal(small().fit(mapped, y).coef_, small().fit(u, y).coef_)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"feedback": True, "n_layers": 2},
        {"topology": "random", "dtype": np.float32},
        {"readout": RLS(1e-3)},
        {"ridge": [1e-6, 1e-3], "input_scaling": np.array([0.5, 1.0])},
    ],
    ids=["plain", "feedback", "float32", "rls", "arrays"],
)
def test_saved_and_loaded_goes_on_to_the_same_bits(options, tmp_path):
    data = wave(200)
    model = small(**options).fit(data[:-1], data[1:])
    model.generate(3)
    model.save(tmp_path / "model.safetensors")
    loaded = nj.load(tmp_path / "model.safetensors")
    assert type(loaded) is nj.EchoStateRegressor
    np.testing.assert_array_equal(loaded.generate(20), model.generate(20))
    np.testing.assert_array_equal(loaded.predict(data), model.predict(data))
    for one in (model, loaded):
        one.partial_fit([data[:100]], [data[1:101]])
    np.testing.assert_array_equal(loaded.coef_, model.coef_)
    assert loaded.n_units == 30


def test_a_regressor_as_readout_is_not_saved(series, tmp_path):
    model = small(readout=Ridge()).fit(*series)
    with pytest.raises(TypeError, match="readout: got Ridge"):
        model.save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())
    seeded = small(random_state=np.random.default_rng(0)).fit(*series)
    with pytest.warns(UserWarning, match="random_state: got Generator"):
        seeded.save(tmp_path / "model.safetensors")


def test_divergence_is_said():
    data = wave(300)
    model = small(activation="identity", spectral_radius=2.0, ridge=1e-6, washout=0)
    with pytest.warns(UserWarning, match="ill-conditioned"):
        model.fit(data[:20], data[1:21])
    with pytest.raises(FloatingPointError, match=r"no longer finite at step \d+ of 5000"):
        model.generate(5000)


U, Y = np.random.default_rng(0).standard_normal((60, 2)), np.zeros((60, 1))


def bad(value, row):
    array = U.copy()
    array[row, 1] = value
    return array


@pytest.mark.parametrize(
    ("options", "X", "y", "error", "message"),
    [
        ({"washout": 60}, U, Y, ValueError, "washout: got 60.* 60 steps of series 0"),
        ({}, [U, U[:20]], [Y, Y[:20]], ValueError, "washout: got 20.*20 steps of series 1"),
        ({}, [U, U[:, :1]], [Y, Y], ValueError, "X: got 1 features in series 1, wanted 2"),
        ({}, [U, U], [Y], ValueError, "y: got 1 series, wanted 2"),
        ({}, U, Y[:-1], ValueError, "y: got 59 values, wanted 60"),
        ({}, [U, U], [Y, U], ValueError, "y: got outputs of shapes"),
        ({}, bad(np.nan, 7), Y, ValueError, "X: got NaN in row 7"),
        ({}, [U, bad(np.inf, 3)], [Y, Y], ValueError, r"X\[1\]: got inf in row 3"),
        ({}, U, bad(np.nan, 5), ValueError, "y: got NaN in row 5"),
        ({}, U[:, 0], Y, ValueError, "X: .*1D array"),
        ({}, U, None, ValueError, "y: got None"),
        ({"spectral_radius": 0.0}, U, Y, ValueError, "spectral_radius: got 0.0"),
        ({"spectral_radius": -1}, U, Y, ValueError, "spectral_radius: got -1"),
        ({"leak_rate": 0.0}, U, Y, ValueError, "leak_rate: got 0.0"),
        ({"leak_rate": 1.01}, U, Y, ValueError, "leak_rate: got 1.01"),
        ({"leak_rate": "slow"}, U, Y, TypeError, "leak_rate: got 'slow'"),
        ({"fan_in": 31}, U, Y, ValueError, "fan_in: got 31.*n_units, which is 30"),
        ({"n_units": 0}, U, Y, ValueError, "n_units: got 0"),
        ({"n_units": 10.5}, U, Y, TypeError, "n_units: got 10.5"),
        ({"density": 2.0, "topology": "random"}, U, Y, ValueError, "density: got 2.0"),
        ({"topology": "star"}, U, Y, ValueError, "topology: got 'star'"),
        ({"activation": "gelu"}, U, Y, ValueError, "activation: got 'gelu'"),
        ({"ridge": -1.0}, U, Y, ValueError, "ridge: got -1.0"),
        ({"ridge": []}, U, Y, ValueError, "ridge: got no value"),
        ({"input_scaling": [1.0, 2.0, 3.0]}, U, Y, ValueError, "input_scaling: got shape"),
        ({"noise": -0.1}, U, Y, ValueError, "noise: got -0.1"),
        ({"n_layers": 0}, U, Y, ValueError, "n_layers: got 0"),
        ({"feedback": "yes"}, U, Y, TypeError, "feedback: got 'yes'"),
        ({"readout": "svm"}, U, Y, ValueError, "readout: got 'svm'"),
        ({"readout": 3}, U, Y, TypeError, "readout: got 3"),
        ({"readout": RLS(ridge=-1.0)}, U, Y, ValueError, "ridge: got -1.0"),
        ({"readout": "force"}, U, Y, ValueError, "feedback: got False with a FORCE readout"),
        ({"dtype": "int8"}, U, Y, ValueError, "dtype: got 'int8'"),
        ({"dtype": "abc"}, U, Y, TypeError, "dtype: got 'abc'"),
        ({"n_threads": 0}, U, Y, ValueError, "n_threads: got 0"),
        ({"random_state": -1}, U, Y, ValueError, "random_state: got -1"),
        ({"topology": "random", "density": 0.06, "n_units": 4}, U, Y, ValueError, "W: .*nilpotent"),
    ],
)
def test_bad_input(options, X, y, error, message):
    with pytest.raises(error, match=message):
        small(**options).fit(X, y)


def test_bad_use():
    with pytest.raises(NotFittedError):
        small().generate(5)
    with pytest.raises(NotFittedError):
        small().reset_state()
    model = small().fit(U, Y[:, 0])
    with pytest.raises(ValueError, match="generate: got a network with 2 inputs and 1 outputs"):
        model.generate(5)
    with pytest.raises(ValueError, match="continue_: got True"):
        model.predict([U], continue_=True)
    with pytest.raises(ValueError, match="y: got 2 outputs, wanted 1"):
        model.partial_fit(U, U)
    with pytest.raises(ValueError, match="features"):
        model.predict(U[:, :1])
    loop = small().fit(U, U)
    with pytest.raises(ValueError, match="n_steps: got -1"):
        loop.generate(-1)
    with pytest.raises(TypeError, match=r"n_steps: got 2\.5"):
        loop.generate(2.5)
    with pytest.raises(ValueError, match="prime: got a list"):
        loop.generate(1, prime=[U])
    with pytest.raises(ValueError, match="readout: got a scikit-learn estimator"):
        small(readout=Ridge()).fit(U, U).partial_fit(U, U)
