"""Norms of gradients through time: against pullbacks of the rest of each sequence."""

import matplotlib as mpl
import numpy as np
import pytest

import neurojit.functional as F
from neurojit.inspection import gradient_flow, gradient_norms
from neurojit.layers import GRU, LSTM, RNN, Dense, Mode, Sequential
from neurojit.layers.recording import recording
from neurojit.training import MeanSquaredError

mpl.use("Agg")

N, STEPS, UNITS = 3, 5, 4
X = np.random.default_rng(0).standard_normal((N, STEPS, 2))
LENGTHS = np.array([5, 2, 3])
LAYERS = {
    "RNN": lambda **options: RNN(UNITS, **options),
    "LSTM": lambda **options: LSTM(UNITS, peephole=True, **options),
    "GRU": lambda **options: GRU(UNITS, reset_after=True, **options),
}


def function(layer, x, states):
    """A layer's function from given states: results and pullback."""
    arrays = layer.weight_ih.value, layer.weight_hh.value, layer.bias.value
    if isinstance(layer, RNN):
        return F.rnn.vjp(x, *states, *arrays)
    if isinstance(layer, LSTM):
        return F.lstm.vjp(x, *states, *arrays, peephole=layer.peepholes.value)
    return F.gru.vjp(x, *states, *arrays, bias_hh=layer.bias_hh.value, reset_after=True)


def expected(layer, x, dy):
    """|dE/dstate|^2 after each step of one sequence, for each state; dy (t, h)."""
    squares = np.zeros((len(layer.states), len(x)))
    for k in range(len(x)):
        states = [np.zeros((1, UNITS)) for _ in layer.states]
        (_, last), _ = function(layer, x[None, : k + 1], states)
        states = list(last) if isinstance(last, tuple) else [last]
        gradients = [np.zeros((1, UNITS)) for _ in states]
        if k + 1 < len(x):
            (_, last), pullback = function(layer, x[None, k + 1 :], states)
            nothing = tuple(map(np.zeros_like, last)) if isinstance(last, tuple) else np.zeros_like(last)
            gradients = list(pullback((dy[None, k + 1 :], nothing))[1 : 1 + len(states)])
        gradients[0] = gradients[0] + dy[k]
        squares[:, k] = [np.square(gradient).sum() for gradient in gradients]
    return squares


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "ragged"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("kind", LAYERS)
def test_equals_pullbacks_of_what_follows(kind, return_sequences, reverse, lengths):
    layer = LAYERS[kind](return_sequences=return_sequences, reverse=reverse)
    network = Sequential(layer).make(X.shape[1:], 1, X.dtype)
    for parameter in network.named_parameters().values():
        parameter.value += 0.1
    targets = np.random.default_rng(2).standard_normal((N, STEPS, UNITS) if return_sequences else (N, UNITS))
    if return_sequences and lengths is not None:
        targets[np.arange(STEPS) >= LENGTHS[:, None]] = 0  # as the outputs are there
    found = gradient_norms(network, X, targets, lengths=lengths)
    with recording(network) as passes:
        y, backward = network.vjp(X, Mode(lengths=lengths))
        backward(MeanSquaredError().vjp(y, targets)[1]())
    dy = passes[0].dy
    total = np.zeros((len(layer.states), STEPS))
    for i, length in enumerate(LENGTHS if lengths is not None else [STEPS] * N):
        order = np.arange(length)[:: -1 if reverse else 1]
        steps = np.zeros((length, UNITS))
        if return_sequences:
            steps = dy[i][order]
        else:
            steps[-1] = dy[i]
        total[:, order] += expected(layer, X[i, order], steps)
    assert list(found) == [f"0.{name[0]}" for name in layer.states]
    for norms, squares in zip(found.values(), total, strict=True):
        np.testing.assert_allclose(norms, np.sqrt(squares), rtol=1e-9, atol=1e-14)


def test_a_learned_start_and_classes():
    network = Sequential(LSTM(UNITS, learn_initial_state=True), Dense(3)).make(X.shape[1:], 0, X.dtype)
    network[0].c0.value += 1
    found = gradient_norms(network, X, np.array([0, 1, 2]))
    assert set(found) == {"0.h", "0.c"}
    again = gradient_norms(network, X[:, 1:], np.array([0, 1, 2]))
    assert not np.allclose(again["0.h"], found["0.h"][1:])


def test_a_picture_of_what_vanishes():
    network = Sequential(RNN(UNITS, return_sequences=True), RNN(UNITS), Dense(2))
    norms = gradient_norms(network, X, np.array([0, 1, 0]))
    ax = gradient_flow(norms)
    assert ax.get_yscale() == "log"
    assert [line.get_label() for line in ax.get_lines()] == ["0.h", "1.h"]
    np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), norms["1.h"])
    assert gradient_flow({"a": [0.0, 1.0]}, ax) is ax


def test_refuses_networks_without_states():
    with pytest.raises(ValueError, match="network: got one without recurrent layers"):
        gradient_norms(Sequential(Dense(2)), X[:, 0], np.zeros((N, 2)))
