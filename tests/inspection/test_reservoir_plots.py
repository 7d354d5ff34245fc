"""Plots of reservoirs show the numbers they are given."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
from matplotlib.figure import Figure  # noqa: E402

from neurojit import inspection  # noqa: E402
from neurojit.reservoirs import reservoir_matrix  # noqa: E402


@pytest.fixture
def ax():
    return Figure().subplots()


def test_state_heat_map(ax, rng):
    states = rng.standard_normal((30, 150))
    assert inspection.state_heat_map(states, ax) is ax
    np.testing.assert_array_equal(ax.images[0].get_array(), states[:, :100].T)
    low, high = ax.images[0].get_clim()
    assert high == -low == np.abs(states).max()
    assert "100 of 150" in ax.get_title()
    with pytest.raises(ValueError, match=r"states: got shape \(5,\)"):
        inspection.state_heat_map(np.ones(5))


@pytest.mark.parametrize("topology", ["random", "shifts"])
def test_eigenvalues(ax, topology):
    W = reservoir_matrix(40, topology=topology, random_state=0)
    assert inspection.eigenvalues(W, ax) is ax
    drawn = ax.lines[2].get_xdata() + 1j * ax.lines[2].get_ydata()
    exact = np.linalg.eigvals(W.tocsr().toarray())
    np.testing.assert_allclose(np.sort_complex(drawn), np.sort_complex(exact))
    assert ax.lines[1].get_xdata().max() == pytest.approx(np.abs(exact).max())


def test_free_run(ax):
    inspection.free_run([1.0, 2.0], np.array([[1.5], [2.5], [3.5]]), ax, known=[0.0, 0.5])
    assert [line.get_ydata().tolist() for line in ax.lines[:3]] == [[0.0, 0.5], [1.0, 2.0], [1.5, 2.5, 3.5]]
    assert ax.lines[0].get_xdata().tolist() == [-2, -1]
    bare = Figure().subplots()
    inspection.free_run([], [1.0], bare)
    assert len(bare.lines) == 2


def test_error_by_horizon(ax):
    inspection.error_by_horizon({"esn": [1.0, 2.0], "naive": [3.0]}, ax)
    assert [(line.get_label(), line.get_ydata().tolist()) for line in ax.lines] == [("esn", [1, 2]), ("naive", [3])]
    assert ax.lines[0].get_xdata().tolist() == [1, 2]
    assert ax.get_yscale() == "linear"
    assert ax.get_ylim()[0] == 0


def test_error_by_horizon_over_orders_of_magnitude(ax):
    inspection.error_by_horizon({"esn": [1e-4, 1e-3], "naive": [1.0, 2.0]}, ax, log=True)
    assert ax.get_yscale() == "log"
    assert 0 < ax.get_ylim()[0] < 1e-4
