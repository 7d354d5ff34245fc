"""Readouts: ridge regression from streamed sums against closed forms, rules that learn online."""

import numpy as np
import pytest
import scipy.linalg
from sklearn.linear_model import Ridge, RidgeCV

from neurojit.reservoirs import FORCE, LMS, RLS, NormalEquations, make_reservoir
from tests.reference import reservoir as reference


@pytest.fixture
def rows(rng):
    """Rows about a mean far from zero, and targets that are nearly linear in them."""
    z = rng.standard_normal((200, 12)) * np.logspace(0, -3, 12) + 50
    y = z @ rng.standard_normal((12, 2)) + 7 + 0.1 * rng.standard_normal((200, 2))
    return z, y


def summed(z, y, cuts=(3, 90, 91)):
    sums = NormalEquations(z.shape[1], y.shape[1])
    for part in zip(np.split(z, cuts), np.split(y, cuts), strict=True):
        sums.add(part[0].copy(), part[1])
    return sums


@pytest.mark.parametrize("penalty", [1e-8, 1e-2, 10.0])
def test_ridge_equals_the_closed_form(rows, penalty):
    z, y = rows
    fit = summed(z, y).solve(penalty)
    centred = z - z.mean(axis=0)
    closed = scipy.linalg.solve(
        centred.T @ centred + penalty * np.eye(12), centred.T @ (y - y.mean(axis=0)), assume_a="pos"
    )
    np.testing.assert_allclose(fit.weights, closed, rtol=0, atol=1e-8 * np.abs(closed).max())
    np.testing.assert_allclose(fit.offset, y.mean(axis=0) - z.mean(axis=0) @ closed, rtol=1e-7)
    sklearn = Ridge(penalty).fit(z, y)
    np.testing.assert_allclose(z @ fit.weights + fit.offset, sklearn.predict(z), rtol=1e-8)
    np.testing.assert_allclose(np.vstack([fit.offset, fit.weights]), reference.ridge(z, y, penalty), rtol=2e-4)


def test_sums_do_not_depend_on_the_pieces(rows):
    z, y = rows
    one, many = summed(z, y, ()), summed(z, y, tuple(range(1, 200)))
    np.testing.assert_allclose(one.solve(1e-3).weights, many.solve(1e-3).weights, rtol=1e-9, atol=1e-11)
    assert one.n_rows == many.n_rows == 200
    again = NormalEquations.from_state(one.state())
    assert not np.shares_memory(again.sums, one.sums)
    again.add(z[:50].copy(), y[:50])
    one.add(z[:50].copy(), y[:50])
    np.testing.assert_array_equal(again.solve(1e-3).weights, one.solve(1e-3).weights)


@pytest.mark.parametrize(("n_rows", "n_features"), [(2500, 3), (1024, 157), (1025, 341), (70, 500), (2100, 158)])
def test_sums_of_many_rows_and_features(rng, n_rows, n_features, same_bits):
    """Rows beyond one batch, features beyond one block of the sums."""
    z, y = rng.standard_normal((n_rows, n_features)) + 3, rng.standard_normal((n_rows, 2))
    zz, zy, yy, *_ = summed(z, y).centred()
    centred, targets = z - z.mean(axis=0), y - y.mean(axis=0)
    np.testing.assert_allclose(np.tril(zz), np.tril(centred.T @ centred), rtol=0, atol=1e-9 * n_rows)
    np.testing.assert_allclose(zy, centred.T @ targets, rtol=0, atol=1e-9 * n_rows)
    np.testing.assert_allclose(yy, (targets**2).sum(axis=0), rtol=1e-9)
    same_bits(lambda: np.tril(summed(z, y).centred()[0]))


def test_generalized_cross_validation(rows):
    """Scores equal those by the hat matrix, and the choice is scikit-learn's."""
    z, y = rows
    penalties = np.logspace(-6, 4, 11)
    fit = summed(z, y).solve(penalties)
    variance = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    for penalty, score in zip(penalties, fit.scores, strict=True):
        centred = z - z.mean(axis=0)
        hat = centred @ np.linalg.solve(centred.T @ centred + penalty * np.eye(12), centred.T) + 1 / len(z)
        residual = ((y - hat @ y) ** 2).sum(axis=0) / variance
        assert score == pytest.approx(len(z) * residual.sum() / (len(z) - np.trace(hat)) ** 2, rel=1e-5)
    assert fit.ridge == penalties[np.argmin(fit.scores)]
    np.testing.assert_array_equal(fit.weights, summed(z, y).solve(fit.ridge).weights)
    single = summed(z, y[:, :1]).solve(penalties)
    loo = RidgeCV(penalties).fit(z, y[:, 0])
    assert abs(np.log10(single.ridge / loo.alpha_)) <= 1


def test_ill_conditioned_rows_are_said(rng):
    z = rng.standard_normal((50, 4))
    z = np.hstack([z, z[:, :2]])
    y = z @ np.ones((6, 1))
    with pytest.warns(UserWarning, match="ridge: 0 leaves the normal equations ill-conditioned"):
        fit = summed(z, y, ()).solve(0.0)
    np.testing.assert_allclose(z @ fit.weights + fit.offset, y, atol=1e-6)
    np.testing.assert_allclose(fit.weights[:2], fit.weights[4:], atol=1e-6)


@pytest.mark.parametrize("forgetting", [1.0, 0.95])
def test_recursive_least_squares(rng, forgetting):
    z, y = rng.standard_normal((60, 5)), rng.standard_normal((60, 2))
    readout = RLS(ridge=0.1, forgetting=forgetting).start(5, 2)
    readout.add(z[:20], y[:20])
    readout.add(z[20:], y[20:])
    expected = reference.recursive_least_squares(z, y, 0.1, forgetting)
    np.testing.assert_allclose(readout.w.T, expected, rtol=1e-9, atol=1e-11)
    if forgetting == 1:
        rows = np.hstack([np.ones((60, 1)), z])
        np.testing.assert_allclose(readout.w.T, np.linalg.solve(rows.T @ rows + 0.1 * np.eye(6), rows.T @ y), atol=1e-9)


def test_least_mean_squares(rng):
    z, y = rng.standard_normal((30, 4)), rng.standard_normal((30, 2))
    readout = LMS(learning_rate=0.05).start(4, 2)
    readout.add(z, y)
    w = np.zeros((5, 2))
    for row, target in zip(np.hstack([np.ones((30, 1)), z]), y, strict=True):
        w += 0.05 * np.outer(row, target - row @ w)
    np.testing.assert_allclose(readout.w.T, w, rtol=1e-12, atol=1e-14)


def test_force_equals_the_loop_written_out(rng):
    """The network's own output is fed back while it learns."""
    reservoir = make_reservoir(1, n_units=20, n_feedback=1, random_state=0)
    u, y = rng.standard_normal((40, 1)), rng.standard_normal((40, 1))
    readout = FORCE(ridge=2.0).start(21, 1)
    state, last = np.zeros(20), np.zeros(1)
    readout.force(reservoir, u, y, state, last, 1)
    p, w, x, out = np.eye(22) / 2.0, np.zeros((22, 1)), np.zeros((1, 20)), np.zeros(1)
    for v, target in zip(u, y, strict=True):
        x = reservoir.run(np.concatenate([v, out])[None], x[0])
        row = np.concatenate([[1.0], v, x[0]])
        out = row @ w
        gain = p @ row / (1 + row @ p @ row)
        w = w + np.outer(gain, target - out)
        p = p - np.outer(gain, row @ p)
    np.testing.assert_allclose(readout.w.T, w, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(state, x[0], atol=1e-10)
    np.testing.assert_allclose(last, out, atol=1e-9)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (RLS(ridge=0.0), "ridge: got 0.0"),
        (RLS(forgetting=1.1), "forgetting: got 1.1"),
        (FORCE(forgetting=0.0), "forgetting: got 0.0"),
        (LMS(learning_rate=-1.0), "learning_rate: got -1.0"),
    ],
)
def test_bad_numbers(rule, message):
    with pytest.raises(ValueError, match=message):
        rule.check()
