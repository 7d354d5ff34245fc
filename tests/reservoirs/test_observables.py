"""What reservoirs can do, and the series they are tried on."""

import numpy as np
import pytest

from neurojit.reservoirs import (
    delayed,
    forgets_its_start,
    generalization_rank,
    kernel_rank,
    leaky_spectral_radius,
    lorenz,
    mackey_glass,
    make_reservoir,
    memory_capacity,
    monomials,
    multiple_sines,
    narma,
    press,
)


def linear(topology, n_units=50, radius=0.95, **options):
    options = {"activation": "identity", "bias_scaling": 0.0, "random_state": 0} | options
    return make_reservoir(1, n_units=n_units, topology=topology, spectral_radius=radius, **options)


def test_memory_of_a_delay_line_is_its_length():
    """It holds the last N inputs: N - 1 of the past beside the present one."""
    line = linear("delay_line", 20, 1.0)
    line.w_in[:] = 0
    line.w_in[0, 0] = 1.0
    total, by_delay = memory_capacity(line, max_delay=40, n_steps=2000)
    np.testing.assert_allclose(by_delay[:19], 1.0, atol=1e-3)
    np.testing.assert_allclose(by_delay[19:], 0.0, atol=0.01)
    assert 18.9 < total < 19.5


def test_a_ring_remembers_more_than_random():
    ring, random = (memory_capacity(linear(topology), n_steps=2000)[0] for topology in ("ring", "random"))
    assert random < ring <= 50
    assert ring > 45


def test_memory_of_shifts_is_that_of_random():
    options = {"activation": "tanh", "input_scaling": 0.1}
    capacities = {
        topology: [memory_capacity(linear(topology, random_state=seed, **options))[0] for seed in range(6)]
        for topology in ("random", "shifts")
    }
    random, shifts = (np.mean(capacities[topology]) for topology in ("random", "shifts"))
    assert abs(shifts / random - 1) < 0.15


def test_ranks():
    strong = make_reservoir(1, n_units=60, spectral_radius=1.0, random_state=0)
    weak = make_reservoir(1, n_units=60, spectral_radius=0.1, random_state=0)
    assert kernel_rank(strong) > kernel_rank(weak)
    assert generalization_rank(strong) < kernel_rank(strong)
    chaotic = make_reservoir(1, n_units=60, spectral_radius=3.0, input_scaling=0.1, random_state=0)
    assert generalization_rank(chaotic) > generalization_rank(strong)


def test_echo_states():
    converged, distances = forgets_its_start(linear("random", radius=0.9), n_steps=400)
    assert converged
    assert distances[0] > 0.1
    rate = (distances[300] / distances[100]) ** (1 / 200)
    assert abs(rate - 0.9) < 0.02, "a linear reservoir forgets as fast as its radius says"
    assert not forgets_its_start(linear("random", radius=1.01), n_steps=400)[0]


def test_leaky_radius():
    reservoir = linear("random", leak_rate=0.3)
    W = reservoir.recurrent[0].toarray()
    expected = np.abs(np.linalg.eigvals(0.7 * np.eye(50) + 0.3 * W)).max()
    assert leaky_spectral_radius(reservoir) == pytest.approx(expected, rel=1e-6)


def test_mackey_glass_solves_its_equation():
    coarse, fine = (mackey_glass(300, substeps=s, discard=0) for s in (10, 40))
    np.testing.assert_allclose(coarse, fine, atol=1e-4)  # the series has a bend at the start, and after each delay
    x = mackey_glass(20_000, substeps=20, step=0.05 * 20, discard=0)[:, 0]
    assert 0.35 < x[1000:].min() < 0.45
    assert 1.3 < x[1000:].max() < 1.35
    dense = mackey_glass(4000, step=0.05, substeps=1, discard=0)[:, 0]
    t = np.arange(1000, 3000)
    slope = (dense[t + 1] - dense[t - 1]) / 0.1
    delayed_value = dense[t - 340]
    np.testing.assert_allclose(slope, 0.2 * delayed_value / (1 + delayed_value**10) - 0.1 * dense[t], atol=1e-4)


def test_narma_follows_its_recursion():
    u, y = (column[:, 0] for column in narma(500, random_state=3))
    for t in range(9, 499):
        expected = 0.3 * y[t] + 0.05 * y[t] * sum(y[t - i] for i in range(10)) + 1.5 * u[t - 9] * u[t] + 0.1
        assert y[t + 1] == pytest.approx(expected, abs=1e-14)
    assert 0 <= u.min() < u.max() <= 0.5


def test_lorenz_solves_its_equations():
    x = lorenz(2000, step=0.0004, substeps=1, discard=0)
    slope = (x[2:] - x[:-2]) / 0.0008
    a, b, c = x[1:-1].T
    expected = np.stack([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c], 1)
    np.testing.assert_allclose(slope, expected, rtol=1e-3, atol=0.01)


def test_multiple_sines():
    np.testing.assert_allclose(multiple_sines(9, frequencies=(0.2, 0.3))[4, 0], np.sin(0.8) + np.sin(1.2))


def test_delays_and_monomials(rng):
    u = rng.standard_normal((8, 2))
    rows = delayed(u, 3, 2)
    np.testing.assert_array_equal(rows[5], np.concatenate([u[5], u[3], u[1]]))
    np.testing.assert_array_equal(rows[1], np.concatenate([u[1], [0, 0, 0, 0]]))
    np.testing.assert_array_equal(delayed(u[4:], 3, 2, before=u[:4])[0], rows[4])
    a, b = u.T
    expected = np.stack([a, b, a * a, a * b, b * b, a**3, a * a * b, a * b * b, b**3], 1)
    np.testing.assert_allclose(monomials(u, 3), expected, atol=1e-14)


@pytest.mark.parametrize("ridge", [None, 0.1])
def test_press_leaves_one_out(rng, ridge):
    z, y = rng.standard_normal((30, 4)), rng.standard_normal((30, 2))
    errors = []
    for i in range(30):
        rest = np.arange(30) != i
        rows = np.hstack([np.ones((29, 1)), z[rest]])
        w = np.linalg.solve(rows.T @ rows + (ridge or 0) * np.diag([0.0, 1, 1, 1, 1]), rows.T @ y[rest])
        errors.append((y[i] - np.concatenate([[1.0], z[i]]) @ w) ** 2)
    assert press(z, y, ridge) == pytest.approx(np.sum(errors) / 30, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: memory_capacity(make_reservoir(2, n_units=10, random_state=0)), "reservoir: got one with 2 inputs"),
        (lambda: mackey_glass(10, tau=17.03), "tau: got 17.03"),
        (lambda: narma(5000, order=60), "order: got 60"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
