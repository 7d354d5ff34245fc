"""Matrices of reservoirs: who is connected, how strongly, with what spectrum; the same from a seed everywhere."""

import numpy as np
import pytest

from neurojit.reservoirs import (
    ShiftMatrix,
    growth_rate,
    input_matrix,
    reservoir_matrix,
    scale_spectral_norm,
    scale_spectral_radius,
    spectral_norm,
    spectral_radius,
)
from neurojit.reservoirs.matrices import TOPOLOGIES


def dense(W):
    return W.tocsr().toarray()


@pytest.mark.parametrize("n_units", [1, 10, 97])
@pytest.mark.parametrize("topology", ["random", "shifts"])
def test_fixed_fan_in(n_units, topology):
    for fan_in in {1, min(7, n_units), n_units}:
        W = dense(reservoir_matrix(n_units, fan_in=fan_in, topology=topology, random_state=1))
        assert ((W != 0).sum(axis=1) == fan_in).all()


def test_sources_are_spread_evenly():
    W = dense(reservoir_matrix(200, fan_in=20, random_state=0)) != 0
    readers = W.sum(axis=0)
    assert abs(readers.std() - np.sqrt(20 * 0.9)) < 0.7, "as drawn without preference: binomial"
    assert (W[:, :100].sum() / W.sum()).round(1) == 0.5


@pytest.mark.parametrize("density", [0.01, 0.3, 0.8, 1.0])
def test_density(density):
    W = reservoir_matrix(80, density=density, random_state=2)
    assert W.nnz == round(density * 6400)
    assert (np.diff(W.indptr).std() > 0) == (density < 1)


@pytest.mark.parametrize(
    ("distribution", "deviation"), [("uniform", 1 / np.sqrt(3)), ("normal", 1.0), ("bernoulli", 1.0)]
)
def test_distributions(distribution, deviation):
    values = reservoir_matrix(300, fan_in=100, distribution=distribution, random_state=0).data
    assert abs(values.mean()) < 0.02
    assert abs(values.std() - deviation) < 0.02
    if distribution == "uniform":
        assert np.abs(values).max() <= 1
    if distribution == "bernoulli":
        assert set(values) == {-1.0, 1.0}


def test_ring():
    expected = np.roll(np.eye(6), 1, axis=0)
    np.testing.assert_array_equal(dense(reservoir_matrix(6, topology="ring")), expected)
    expected[0, -1] = 0
    np.testing.assert_array_equal(dense(reservoir_matrix(6, topology="delay_line")), expected)


def test_ring_with_jumps():
    W = dense(reservoir_matrix(12, topology="ring_with_jumps", jump=4))
    jumps = W - np.roll(np.eye(12), 1, axis=0)
    assert {tuple(pair) for pair in np.argwhere(jumps)} == {(0, 4), (4, 0), (4, 8), (8, 4), (8, 0), (0, 8)}
    W = dense(reservoir_matrix(13, topology="ring_with_jumps", jump=5))
    jumps = W - np.roll(np.eye(13), 1, axis=0)
    assert {tuple(pair) for pair in np.argwhere(jumps)} == {(0, 5), (5, 0), (5, 10), (10, 5)}


def test_orthogonal_and_permutation():
    Q = dense(reservoir_matrix(30, topology="orthogonal", random_state=0))
    np.testing.assert_allclose(Q @ Q.T, np.eye(30), atol=1e-12)
    P = dense(reservoir_matrix(30, topology="permutation", random_state=0))
    np.testing.assert_array_equal(P @ P.T, np.eye(30))
    unit, seen = 0, set()
    while unit not in seen:
        seen.add(unit)
        unit = int(np.flatnonzero(P[unit])[0])
    assert len(seen) == 30, "one cycle through all units"


def test_small_world():
    W = dense(reservoir_matrix(100, topology="small_world", fan_in=4, random_state=0)) != 0
    i, j = np.nonzero(W)
    distance = np.minimum((i - j) % 100, (j - i) % 100)
    assert 0.85 < np.mean((distance <= 2) & (distance > 0)) < 0.97


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_seed_is_a_matrix(topology):
    one, same, other = (dense(reservoir_matrix(50, topology=topology, random_state=s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.array_equal(one, other) == (topology in ("ring", "ring_with_jumps", "delay_line"))


def test_a_seed_gives_these_numbers():
    """On every platform; a change here changes everybody's reservoirs."""
    W = reservoir_matrix(5, fan_in=2, random_state=0)
    np.testing.assert_array_equal(W.indices, GOLDEN_INDICES)
    np.testing.assert_allclose(W.data, GOLDEN_VALUES, rtol=0, atol=1e-15)


@pytest.mark.parametrize("topology", sorted(set(TOPOLOGIES) - {"delay_line"}))
@pytest.mark.parametrize("n_units", [40, 500])
def test_spectral_radius(topology, n_units):
    W = reservoir_matrix(n_units, topology=topology, fan_in=5, random_state=4)
    exact = np.abs(np.linalg.eigvals(dense(W))).max()
    np.testing.assert_allclose(spectral_radius(W), exact, rtol=1e-6)
    scaled = scale_spectral_radius(W, 0.7)
    assert type(scaled) is type(W)
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(dense(scaled))).max(), 0.7, rtol=1e-6)
    np.testing.assert_allclose(growth_rate(W), exact, rtol=0.02)


def test_radius_of_cycles():
    """Rows with one number each: a cycle of geometric mean 2, a loop of 1.5, a tail that does not count."""
    W = np.zeros((6, 6))
    W[0, 1], W[1, 0], W[2, 2], W[3, 0], W[4, 3] = 4.0, 1.0, -1.5, 100.0, 50.0
    assert spectral_radius(W) == pytest.approx(2.0)


def test_spectral_norm():
    for n_units in (50, 400):
        W = reservoir_matrix(n_units, random_state=0)
        np.testing.assert_allclose(spectral_norm(W), np.linalg.norm(dense(W), 2), rtol=1e-8)
        np.testing.assert_allclose(np.linalg.norm(dense(scale_spectral_norm(W, 0.9)), 2), 0.9, rtol=1e-8)


def test_spectrum_of_shifts_is_that_of_random():
    """Girko's circular law: radius near sqrt(fan_in var), eigenvalues spread evenly over the disc."""
    for seed in range(3):
        shifts = np.linalg.eigvals(dense(reservoir_matrix(400, topology="shifts", random_state=seed)))
        random = np.linalg.eigvals(dense(reservoir_matrix(400, topology="random", random_state=seed)))
        law = np.sqrt(10 / 3)
        assert abs(np.abs(shifts).max() / law - 1) < 0.12
        for part in (0.25, 0.5, 0.75):
            inside = [np.mean(np.abs(values) < part * law) for values in (shifts, random)]
            assert abs(inside[0] - inside[1]) < 0.06
            assert abs(inside[0] - part**2) < 0.08


def test_input_matrix():
    W = input_matrix(400, 3, scaling=[1.0, 0.5, 2.0], bias_scaling=0.1, random_state=0)
    np.testing.assert_allclose(np.abs(W).max(axis=0), [0.1, 1.0, 0.5, 2.0], rtol=0.02)
    sparse = input_matrix(400, 8, fan_in=2, random_state=0)
    assert ((sparse[:, 1:] != 0).sum(axis=1) == 2).all()
    assert (sparse[:, 0] != 0).all(), "the bias is always read"


def test_shift_matrix_holds_any_matrix(rng):
    A = rng.standard_normal((7, 7))
    np.testing.assert_array_equal(dense(ShiftMatrix.dense(A)), A)
    np.testing.assert_array_equal(dense(ShiftMatrix.dense(A) * 2), 2 * A)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reservoir_matrix(0), "n_units: got 0"),
        (lambda: reservoir_matrix(5, fan_in=6), "fan_in: got 6.*n_units, which is 5"),
        (lambda: reservoir_matrix(5, topology="star"), "topology: got 'star'"),
        (lambda: reservoir_matrix(5, fan_in=2, distribution="beta"), "distribution: got 'beta'"),
        (lambda: reservoir_matrix(50, density=0.0), "density: got 0.0"),
        (lambda: reservoir_matrix(50, density=1.5), "density: got 1.5"),
        (lambda: reservoir_matrix(50, density=0.1, topology="ring"), "density: got 0.1 with topology='ring'"),
        (lambda: reservoir_matrix(50, topology="ring_with_jumps", jump=50), "jump: got 50"),
        (lambda: input_matrix(5, 3, scaling=[1.0, 2.0]), r"input_scaling: got shape \(2,\)"),
        (lambda: input_matrix(5, 3, fan_in=4), "input_fan_in: got 4"),
        (lambda: scale_spectral_radius(np.eye(3), 0.0), "spectral_radius: got 0.0"),
        (lambda: scale_spectral_radius(np.eye(3), np.inf), "spectral_radius: got inf"),
        (lambda: scale_spectral_radius(np.triu(np.ones((4, 4)), 1), 1.0), "W: .*nilpotent"),
        (lambda: scale_spectral_radius(reservoir_matrix(9, topology="delay_line"), 1.0), "W: .*nilpotent"),
        (lambda: scale_spectral_norm(np.zeros((2, 2)), 1.0), "W: got a matrix of zeros"),
        (lambda: scale_spectral_norm(np.eye(2), -1.0), "norm: got -1.0"),
        (lambda: spectral_radius(np.ones((2, 3))), r"W: got shape \(2, 3\)"),
        (lambda: spectral_radius(np.full((2, 2), np.nan)), "W: got NaN"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.slow
def test_a_large_matrix_is_scaled_in_time():
    import time

    started = time.perf_counter()
    W = scale_spectral_radius(reservoir_matrix(20_000, random_state=0), 0.9)
    assert time.perf_counter() - started < 60
    np.testing.assert_allclose(growth_rate(W, 300), 0.9, rtol=0.03)


GOLDEN_INDICES = [0, 2, 3, 4, 3, 4, 3, 4, 3, 4]
GOLDEN_VALUES = [
    0.5845742055680603,
    0.516026875237003,
    -0.42954474152065814,
    0.26050676009617746,
    -0.7764343221206218,
    -0.030171501683071256,
    -0.5653979985509068,
    0.7842270785477012,
    0.38093821541406214,
    -0.8901896409224719,
]
