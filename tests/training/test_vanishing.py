"""The penalty on vanishing gradients: against its definition, and the authors' formulas in PyTorch."""

import numpy as np
import pytest

from neurojit.core.random import Key
from neurojit.layers import GRU, INFERENCE, RNN, Bidirectional, Dense, Mode, Sequential
from neurojit.layers.recording import recording
from neurojit.training import SGD, ArrayBatches, CrossEntropy, Trainer, VanishingGradientPenalty
from tests.reference import vanishing as reference

N, STEPS, FEATURES, UNITS = 3, 6, 2, 4
X = np.random.default_rng(0).standard_normal((N, STEPS, FEATURES))
LENGTHS = np.array([6, 1, 4])


def penalty_of(network, dy, mode=INFERENCE, weight=1.0):
    with recording(network) as passes:
        y, backward = network.vjp(X, mode)
        backward(dy(y.shape))
    return VanishingGradientPenalty(weight).vjp(network, passes)


def random(shape):
    return np.random.default_rng(1).standard_normal(shape)


def expected(layer, dy, lengths=None, h0=None):
    """Omega and its gradient, sequence by sequence, in the order in which the layer takes the steps."""
    weights = layer.weight_ih.value, layer.weight_hh.value, layer.bias.value
    gradients, slopes = [], []
    for i, length in enumerate(LENGTHS if lengths is not None else [STEPS] * N):
        order = np.arange(length)[:: -1 if layer.reverse else 1]
        steps = dy[i][order] if layer.return_sequences else np.zeros((length, UNITS))
        last = np.zeros(UNITS) if layer.return_sequences else dy[i]
        start = np.zeros(UNITS) if h0 is None else h0[i]
        _, dh, slope = reference.states_and_gradients(
            X[i, order], start, *weights, steps, last, layer.activation == "relu"
        )
        gradients.append(dh)
        slopes.append(slope)
    given = np.concatenate(gradients), np.concatenate(slopes), layer.weight_hh.value
    return reference.omega(*given), reference.immediate_gradient(*given)


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "ragged"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_equals_the_definition(activation, return_sequences, reverse, lengths):
    layer = RNN(UNITS, activation, return_sequences=return_sequences, reverse=reverse).make(X.shape[1:], 3, X.dtype)
    layer.bias.value += 0.1
    value, gradients = penalty_of(layer, random, Mode(lengths=lengths))
    omega, gradient = expected(layer, random((N, STEPS, UNITS) if return_sequences else (N, UNITS)), lengths)
    assert omega > 0.01
    assert value == pytest.approx(omega, rel=1e-10)
    assert gradients.keys() == {layer.weight_hh}
    np.testing.assert_allclose(gradients[layer.weight_hh], gradient, rtol=1e-6, atol=1e-8)
    twice, doubled = penalty_of(layer, random, Mode(lengths=lengths), weight=2.0)
    assert twice == pytest.approx(2 * value)
    np.testing.assert_allclose(doubled[layer.weight_hh], 2 * gradients[layer.weight_hh])


def test_starts_from_learned_and_from_carried_states():
    layer = RNN(UNITS, learn_initial_state=True).make(X.shape[1:], 3, X.dtype)
    layer.h0.value += [0.5, -0.5, 0.2, 1]
    value, _ = penalty_of(layer, random)
    omega, _ = expected(layer, random((N, UNITS)), h0=np.tile(layer.h0.value, (N, 1)))
    assert value == pytest.approx(omega)
    carried = 0.5 * random((N, UNITS))
    value, _ = penalty_of(layer, random, Mode(carry={layer: (carried,)}))
    omega, _ = expected(layer, random((N, UNITS)), h0=carried)
    assert value == pytest.approx(omega)


def test_finds_the_layers_wherever_they_are():
    first, second = RNN(5, return_sequences=True), RNN(UNITS)
    network = Sequential(first, Bidirectional(second), Dense(2)).make(X.shape[1:], 0, X.dtype)
    value, gradients = penalty_of(network, random)
    mirrored = network[1].layers[1]
    assert gradients.keys() == {layer.weight_hh for layer in (first, second, mirrored)}
    first.weight_hh.trainable = False
    less, gradients = penalty_of(network, random)
    assert less < value
    assert gradients.keys() == {layer.weight_hh for layer in (second, mirrored)}


def test_equals_the_authors_code_in_pytorch(torch):
    """Their Theano, line by line: dC/dh of every step, and with these held constant the gradient of the regularizer."""
    network = Sequential(RNN(UNITS), Dense(3)).make(X.shape[1:], 5, X.dtype)
    layer, head = network
    targets = np.array([0, 2, 1])
    with recording(network) as passes:
        logits, backward = network.vjp(X)
        backward(CrossEntropy().vjp(logits, targets)[1]())
    value, gradients = VanishingGradientPenalty(1.0).vjp(network, passes)

    w_hh = torch.from_numpy(layer.weight_hh.value.copy()).requires_grad_()
    w_uh, b = torch.from_numpy(layer.weight_ih.value), torch.from_numpy(layer.bias.value)
    h, states = torch.zeros(N, UNITS, dtype=torch.float64), []
    for t in range(STEPS):
        h = torch.tanh(h @ w_hh + torch.from_numpy(X[:, t]) @ w_uh + b)
        states.append(h)
    scores = h @ torch.from_numpy(head.weight.value) + torch.from_numpy(head.bias.value)
    cost = torch.nn.functional.cross_entropy(scores, torch.from_numpy(targets))
    d_ht = torch.stack(torch.autograd.grad(cost, states, retain_graph=True))
    ht = torch.stack(states).detach()
    tmp_x = ((d_ht * (1 - ht**2)) @ w_hh.T).square().sum(2)
    tmp_y = d_ht.square().sum(2)
    tmp_reg = (torch.where(tmp_y >= 1e-20, tmp_x / tmp_y, 1.0) - 1.0) ** 2
    n_elems = (tmp_y >= 1e-20).double().mean(1)
    tmp_reg = tmp_reg.mean(1).sum() / n_elems.sum()
    (wanted,) = torch.autograd.grad(tmp_reg, w_hh)
    assert value == pytest.approx(tmp_reg.item(), rel=1e-11)
    np.testing.assert_allclose(gradients[layer.weight_hh], wanted, rtol=1e-9, atol=1e-12)


def test_where_nothing_comes_back_nothing_is_asked():
    layer = RNN(UNITS).make(X.shape[1:], 3, X.dtype)
    value, gradients = penalty_of(layer, np.zeros)
    assert value == 0
    np.testing.assert_array_equal(gradients[layer.weight_hh], 0)


def test_gradients_that_would_vanish_are_kept():
    """Targets that depend on the first of 30 steps: with the penalty, gradients shrink less on their way there."""
    rng = np.random.default_rng(0)
    x = np.zeros((40, 30, 1), np.float32)
    x[:, 0, 0] = rng.choice([-1, 1], 40)
    data = ArrayBatches(x, (x[:, 0, 0] > 0).astype(np.int64))

    def omega_after(penalties):
        network = Sequential(RNN(8), Dense(2)).make((30, 1), 0)
        network[0].weight_hh.value *= 0.6
        trainer = Trainer(
            network,
            CrossEntropy(),
            SGD(0.02),
            batch_size=40,
            max_epochs=30,
            clip_norm=1.0,
            penalties=penalties,
            random_state=0,
        )
        trainer.fit(data)
        with recording(network) as passes:
            logits, backward = network.vjp(x)
            backward(CrossEntropy().vjp(logits, data.y)[1]())
        return VanishingGradientPenalty(1.0).vjp(network, passes)[0]

    assert omega_after([VanishingGradientPenalty(2.0)]) < 0.4 * omega_after([])


def test_refuses_networks_it_is_not_for():
    with pytest.raises(ValueError, match="penalties: got a VanishingGradientPenalty, wanted a network with RNN layers"):
        penalty_of(GRU(UNITS), random)
    dropping = RNN(UNITS, recurrent_dropout=0.5).make(X.shape[1:], 0, X.dtype)
    assert penalty_of(dropping, random)[0] > 0  # none is dropped but in training
    with pytest.raises(ValueError, match="penalties: got an RNN with recurrent_dropout, wanted 0"):
        penalty_of(dropping, random, Mode(training=True, key=Key(0)))
    with pytest.raises(ValueError, match="weight: got -1, wanted a number >= 0"):
        VanishingGradientPenalty(-1)
