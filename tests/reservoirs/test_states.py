"""States of a reservoir: against the equations step by step, on one series and on many."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from neurojit.core.random import Key
from neurojit.core.sparse import SERIES
from neurojit.reservoirs import Drive, Reservoir, harvest, make_reservoir, reservoir_matrix
from neurojit.reservoirs.matrices import TOPOLOGIES
from tests.reference import reservoir as reference


def expected(reservoir, u, start=None):
    """The same states by the equations."""
    w_in = np.vstack([reservoir.bias[:1], reservoir.w_in]).T
    return reference.states(
        u,
        w_in,
        [W.tocsr().toarray() for W in reservoir.recurrent],
        [W.tocsr().toarray() for W in reservoir.links],
        reservoir.bias[1:],
        float(reservoir.leak_rate),
        reservoir.activation_name,
        start,
    )


@hypothesis.given(
    st.integers(1, 70),
    st.integers(0, 4),
    st.integers(0, 9),
    st.integers(1, 3),
    st.sampled_from(["random", "shifts"]),
    st.sampled_from(list(reference.FUNCTIONS)),
    st.sampled_from([0.3, 1.0]),
    st.data(),
)
@hypothesis.settings(max_examples=40)
def test_states_equal_the_equations(n_units, n_inputs, n_steps, n_layers, topology, activation, leak_rate, data):
    fan_in = data.draw(st.integers(1, min(n_units, 12)))
    reservoir = make_reservoir(
        n_inputs,
        n_units=n_units,
        fan_in=fan_in,
        topology=topology,
        activation=activation,
        leak_rate=leak_rate,
        n_layers=n_layers,
        random_state=data.draw(st.integers(0, 99).filter(lambda seed: nonzero_radius(n_units, fan_in, topology, seed))),
    )
    rng = np.random.default_rng(1)
    u, start = rng.standard_normal((n_steps, n_inputs)), rng.standard_normal(reservoir.size)
    np.testing.assert_allclose(reservoir.run(u, start), expected(reservoir, u, start), rtol=0, atol=1e-12)


def nonzero_radius(n_units, fan_in, topology, seed):
    try:
        make_reservoir(0, n_units=n_units, fan_in=fan_in, topology=topology, n_layers=3, random_state=seed)
    except ValueError:  # nilpotent: possible with few connections
        return False
    return True


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_every_topology(topology, rng):
    reservoir = make_reservoir(2, n_units=67, topology=topology, random_state=3)
    u = rng.standard_normal((20, 2))
    np.testing.assert_allclose(reservoir.run(u), expected(reservoir, u), rtol=0, atol=1e-12)


def test_rows_of_unequal_length(rng):
    W = reservoir_matrix(90, density=0.03, random_state=1)
    assert len(set(np.diff(W.indptr))) > 2
    reservoir = Reservoir(rng.standard_normal((90, 3)), [W])
    u = rng.standard_normal((15, 2))
    np.testing.assert_allclose(reservoir.run(u), expected(reservoir, u), rtol=0, atol=1e-12)
    empty = Reservoir(np.ones((5, 2)), [W[:5, :5] * 0])
    np.testing.assert_allclose(empty.run(u[:, :1]), np.tanh(1 + u[:, :1]) * np.ones(5), atol=1e-15)


def test_float32(rng):
    options = {"n_units": 150, "leak_rate": 0.5, "random_state": 0}
    u = rng.standard_normal((100, 1))
    single = make_reservoir(1, dtype=np.float32, **options).run(u)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, make_reservoir(1, **options).run(u), atol=2e-6)


def test_more_units_than_two_bytes_number():
    reservoir = make_reservoir(1, n_units=66_000, fan_in=1, topology="permutation", random_state=0)
    assert reservoir.packed.index.dtype == np.int32
    u, start = np.ones((2, 1)), np.linspace(-1, 1, 66_000)
    first = np.tanh(reservoir.bias[0] + reservoir.w_in[0] + reservoir.recurrent[0] @ start)
    np.testing.assert_allclose(reservoir.run(u, start)[0], first, atol=1e-13)


@pytest.mark.parametrize("form", ["strided", "reversed", "read-only", "float32"])
def test_any_form_of_input(rng, form):
    reservoir = make_reservoir(2, n_units=20, random_state=0)
    u = rng.standard_normal((12, 2))
    forms = {"strided": np.repeat(u, 2, axis=1)[:, ::2], "reversed": u[::-1][::-1], "float32": u.astype(np.float32)}
    given = forms.get(form, u.copy())
    given.flags.writeable = form != "read-only"
    kept = given.copy()
    np.testing.assert_allclose(reservoir.run(given), reservoir.run(u), atol=1e-6 if form == "float32" else 0)
    np.testing.assert_array_equal(given, kept)


@pytest.mark.parametrize("lengths", [[40], [30, 7, 1, 18], [5 + i % 29 for i in range(75)]], ids=["one", "few", "many"])
@pytest.mark.parametrize("topology", ["random", "shifts"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_harvest_of_series(rng, lengths, topology, dtype, monkeypatch):
    """Series of any lengths, in pieces of a few steps, with outputs that are fed back."""
    for limit in ("_PIECE_BYTES", "_LEAST_ROWS", "_LEAST_STEPS"):
        monkeypatch.setattr(f"neurojit.reservoirs.harvesting.{limit}", 1)  # a step at a time
    reservoir = make_reservoir(2, n_units=40, n_layers=2, n_feedback=1, topology=topology, dtype=dtype, random_state=0)
    series = [rng.standard_normal((length, 2)) for length in lengths]
    outputs = [rng.standard_normal((length, 1)) for length in lengths]
    state = np.zeros((len(series), reservoir.size), dtype)
    found = [np.full((length, reservoir.size), np.nan) for length in lengths]
    for piece in harvest(reservoir, Drive(series, outputs, np.array([0.5])), state):
        for i, s, rows in piece.rows(washout=3):
            found[s][piece.first + rows.start : piece.first + rows.stop] = piece.states[i, rows]
    for s, (u, y) in enumerate(zip(series, outputs, strict=True)):
        fed = np.hstack([u, np.vstack([[[0.5]], y[:-1]])])
        wanted = expected(reservoir, fed)
        tolerance = 1e-12 if dtype == np.float64 else 1e-5
        np.testing.assert_allclose(found[s][3:], wanted[3:], rtol=0, atol=tolerance)
        assert np.isnan(found[s][:3]).all(), "the washout is left out"
        np.testing.assert_allclose(state[s], wanted[-1], rtol=0, atol=tolerance)


def test_same_bits_on_any_number_of_threads(rng, same_bits):
    reservoir = make_reservoir(1, n_units=60, random_state=0)
    series = [rng.standard_normal((int(n), 1)) for n in rng.integers(5, 60, 70)]

    def run():
        state = np.zeros((len(series), reservoir.size))
        pieces = harvest(reservoir, Drive(series), state, noise=0.1, key=Key(5))
        return [piece.states.copy() for piece in pieces], state

    same_bits(run)


def test_noise_is_uniform_and_has_names(rng):
    reservoir = make_reservoir(1, n_units=200, activation="identity", bias_scaling=0.0, random_state=0)
    u = np.zeros((50, 1))
    noise = [reservoir.run(u[:1], noise=0.5, key=Key(1), first=t)[0] for t in range(50)]
    drawn = np.concatenate(noise)
    assert np.abs(drawn).max() <= 0.5
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 0.5 / np.sqrt(3)) < 0.005
    assert not np.array_equal(noise[0], noise[1])
    whole = reservoir.run(u, noise=0.5, key=Key(1))
    halves = reservoir.run(u[:20], noise=0.5, key=Key(1))
    rest = reservoir.run(u[20:], halves[-1], noise=0.5, key=Key(1), first=20)
    np.testing.assert_array_equal(np.vstack([halves, rest]), whole)


def test_noise_of_many_series_is_that_of_each():
    reservoir = make_reservoir(1, n_units=30, random_state=0)
    series = [np.ones((12, 1))] * 40
    pieces = harvest(reservoir, Drive(series), np.zeros((40, 30)), noise=0.2, key=Key(9))
    found = {s: piece.states[i] for piece in pieces for i, s in enumerate(piece.series)}
    assert len(found) == 40
    for s in (0, 7, 39):
        np.testing.assert_allclose(found[s], reservoir.run(series[0], noise=0.2, key=Key(9).child(s)), atol=1e-13)


@pytest.mark.parametrize("options", [{"fan_in": 60}, {"density": 0.1}, {"fan_in": 60, "topology": "shifts"}], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_in_segments(rng, options, dtype, monkeypatch):
    """Series side by side on matrices so dense that rows are multiplied segment by segment, here of 100 units."""
    monkeypatch.setattr("neurojit.reservoirs.packing._NEAR", 100 * SERIES * np.dtype(dtype).itemsize)
    reservoir = make_reservoir(1, n_units=601, dtype=dtype, random_state=0, **options)
    order = reservoir._beside[2][0].reshape(7, -1)
    assert (np.sort(order, axis=1) == np.arange(order.shape[1])).all(), "each row has a part in each of 7 segments"
    u = rng.standard_normal((SERIES - 1, 8, 1))
    start = rng.standard_normal((SERIES - 1, 601)).astype(dtype)
    found = reservoir.run_batch(u, start)
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    for s in (0, 5, SERIES - 2):
        np.testing.assert_allclose(found[s], expected(reservoir, u[s], start[s]), rtol=0, atol=tolerance)
