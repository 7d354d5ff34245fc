"""States over time are those of a pass over the beginning of the sequence, and are drawn as they are."""

import numpy as np
import pytest

from neurojit import inspection
from neurojit.layers import GRU, LSTM, Dense, Embedding, Mode, Sequential


def test_states_are_those_of_each_beginning():
    network = Sequential(LSTM(3, return_sequences=True), GRU(2, return_sequences=True), Dense(2)).make((None, 4), 0)
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    traces = inspection.state_traces(network, x)
    assert {path: len(states) for path, states in traces.items()} == {"0": 2, "1": 1}
    for step in range(6):
        carry = {}
        network.forward(x[None, : step + 1], Mode(carry=carry))
        for path, layer in (("0", network[0]), ("1", network[1])):
            for trace, state in zip(traces[path], carry[layer], strict=True):
                np.testing.assert_allclose(trace[step], state[0], rtol=1e-5, atol=1e-6)


def test_symbols_are_read_too():
    network = Sequential(Embedding(5, 3), LSTM(2, return_sequences=True)).make((None,), 0)
    ((_, cells),) = inspection.state_traces(network, [1, 4, 2]).values()
    assert cells.shape == (3, 2)


def test_a_line_for_each_unit():
    figure = pytest.importorskip("matplotlib.figure")
    states = np.random.default_rng(0).normal(size=(4, 3))
    ax = inspection.cell_traces(states, figure.Figure().subplots(), symbols="aabb")
    np.testing.assert_array_equal(np.array([line.get_ydata() for line in ax.lines]), states.T)
    assert [label.get_text() for label in ax.get_xticklabels()] == list("aabb")
    assert inspection.cell_traces(states, ax) is ax


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: inspection.cell_traces(np.ones(3)), r"states: got shape \(3,\)"),
        (lambda: inspection.cell_traces(np.ones((3, 2)), symbols="ab"), "symbols: got 2, wanted 3"),
        (lambda: inspection.state_traces(LSTM(2), np.ones((1, 3, 2))), r"x: got shape \(1, 3, 2\)"),
        (lambda: inspection.state_traces(LSTM(2), np.ones((0, 2))), r"x: got shape \(0, 2\)"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
