"""Recurrent layers: start values, states, dropout, and what is made of them."""

import copy
import dataclasses

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.core.random import Key
from neurojit.inspection import gradient_norms
from neurojit.layers import (
    GRU,
    LSTM,
    RNN,
    BatchNorm,
    Bidirectional,
    Dense,
    Embedded,
    Embedding,
    Mode,
    Sequential,
    Stacked,
    TimeDistributed,
    from_config,
)
from neurojit.testing import gradcheck

LENGTHS = Mode(lengths=np.array([4, 1, 3]))
KINDS = {
    "rnn": lambda **options: RNN(3, **options),
    "lstm": lambda **options: LSTM(3, peephole=True, **options),
    "coupled": lambda **options: LSTM(3, coupled=True, **options),
    "gru": lambda **options: GRU(3, reset_after=True, **options),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def batch(n=3, t=4, f=2, seed=0):
    return np.random.default_rng(seed).standard_normal((n, t, f))


def randomize(layer, seed=5):
    """Give every parameter values of its own, zeros and ones included."""
    rng = np.random.default_rng(seed)
    for parameter in layer.named_parameters().values():
        parameter.value += 0.3 * rng.standard_normal(parameter.value.shape)
    return layer


@every_kind
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("mode", [Mode(), LENGTHS], ids=["whole", "lengths"])
def test_gradients(kind, return_sequences, mode):
    layer = KINDS[kind](return_sequences=return_sequences, learn_initial_state=True)
    randomize(layer.make((4, 2), 1, np.float64))
    gradcheck(layer, batch(), mode=mode)


@every_kind
def test_gradients_with_dropout_along_time(kind):
    layer = randomize(KINDS[kind](return_sequences=True, recurrent_dropout=0.5).make((4, 2), 1, np.float64))
    mode = Mode(training=True, key=Key(3))
    assert not np.array_equal(layer(batch(), mode), layer(batch()))
    np.testing.assert_array_equal(layer(batch(), mode), layer(batch(), mode))
    gradcheck(layer, batch(), mode=mode)
    with pytest.raises(ValueError, match=r"mode\.key: got None"):
        layer(batch(), Mode(training=True))


def test_dropped_units_are_not_seen_by_the_next_step():
    layer = RNN(50, recurrent_dropout=0.4, return_sequences=True).make((3, 2), 0)
    layer.weight_ih.value[...] = 1
    layer.weight_hh.value[...] = np.eye(50)
    x = np.zeros((1, 3, 2), np.float32)
    x[0, 0] = 0.01
    y = layer(x, Mode(training=True, key=Key(1)))[0]
    dropped = y[1] == 0
    assert 10 < dropped.sum() < 30
    np.testing.assert_array_equal(y[2] == 0, dropped)
    assert (y[0] > 0).all()
    np.testing.assert_allclose(y[1][~dropped], np.tanh(y[0][~dropped] / 0.6), rtol=1e-5)


def test_every_sequence_drops_units_of_its_own():
    layer = RNN(50, recurrent_dropout=0.5, return_sequences=True).make((3, 2), 0)
    layer.weight_hh.value[...] = np.eye(50)
    layer.weight_ih.value[...] = 1
    x = np.zeros((2, 3, 2), np.float32)
    x[:, 0] = 0.01
    dropped = layer(x, Mode(training=True, key=Key(1)))[:, 1] == 0
    assert 10 < (dropped[0] != dropped[1]).sum() < 40


@every_kind
def test_a_stream_goes_on_from_the_states_before(kind):
    layer = randomize(KINDS[kind](return_sequences=True, learn_initial_state=True).make((4, 2), 1, np.float64))
    x, stream = batch(), layer.stream(3)
    np.testing.assert_array_equal(np.stack([stream(x[:, t]) for t in range(4)], axis=1), layer(x))


def test_a_stream_needs_weights_and_runs_forward():
    with pytest.raises(ValueError, match="stream: got a layer without weights"):
        LSTM(3).stream()
    with pytest.raises(ValueError, match="stream: got a layer that runs backward"):
        GRU(3, reverse=True).make((4, 2), 1).stream()


@every_kind
@pytest.mark.parametrize("size", [5, 50])
def test_embedded_is_the_two_layers_one_after_another(kind, size):
    layer = KINDS[kind](return_sequences=True, recurrent_dropout=0.5, learn_initial_state=True)
    fused = randomize(Embedded(Embedding(size, 2), layer).make((4,), 1, np.float64))
    tokens = np.array([[0, 1, 2, 1], [4, 3, 4, 0], [2, 2, 2, 1]])
    plain = Sequential(*fused.layers)
    for mode in (Mode(), LENGTHS, Mode(training=True, key=Key(3))):
        np.testing.assert_allclose(fused(tokens, mode), plain(tokens, mode), rtol=1e-12)
        (y, backward), (wanted, wanted_backward) = fused.vjp(tokens, mode), plain.vjp(tokens, mode)
        np.testing.assert_allclose(y, wanted, rtol=1e-12)
        dy = np.random.default_rng(5).standard_normal(y.shape)
        dx, gradients = backward(dy, need_dx=False)
        _, wanted_gradients = wanted_backward(dy, need_dx=False)
        assert dx is None
        assert gradients.keys() == wanted_gradients.keys()
        for parameter, gradient in wanted_gradients.items():
            np.testing.assert_allclose(gradients[parameter], gradient, rtol=1e-10, atol=1e-12)


def test_embedded_with_frozen_parts():
    network = Embedded(Embedding(5, 2), LSTM(3)).make((4,), 1, np.float64)
    tokens = np.array([[0, 1, 2, 1], [4, 3, 4, 0]])
    network.layers[0].freeze()
    y, backward = network.vjp(tokens)
    gradients = backward(np.ones_like(y))[1]
    assert gradients.keys() == set(network.layers[1].named_parameters().values())
    network.freeze()
    y, backward = network.vjp(tokens)
    assert backward(np.ones_like(y)) == (None, {})


def test_embedded_parts_are_recorded_one_by_one():
    network = Sequential(Embedded(Embedding(5, 2), RNN(3)), Dense(2)).make((6,), 1)
    tokens = np.array([[0, 1, 2, 1, 3, 4]])
    assert list(gradient_norms(network, tokens, np.array([1]))) == ["0.1.h"]
    with pytest.raises(TypeError, match=r"layers: got \(Dense, RNN\), wanted an Embedding and a recurrent layer"):
        Embedded(Dense(3), RNN(4))


@every_kind
def test_weights_start_as_documented(kind):
    layer = KINDS[kind](learn_initial_state=True).make((4, 2), 7)
    size = layer.weight_hh.value.shape[1] // 3
    for block in np.split(layer.weight_hh.value, size, axis=1):
        np.testing.assert_allclose(block @ block.T, np.eye(3), atol=1e-6)
    assert np.abs(layer.weight_ih.value).max() <= np.sqrt(6 / 5)
    assert np.abs(layer.weight_ih.value).max() > 0.5 * np.sqrt(6 / 5)
    forget = {"lstm": slice(3, 6), "coupled": slice(0, 3)}.get(kind, slice(0, 0))
    expected = np.zeros_like(layer.bias.value)
    expected[forget] = 1
    np.testing.assert_array_equal(layer.bias.value, expected)
    assert not layer.h0.value.any()


@every_kind
def test_pieces_with_carried_states_equal_the_whole(kind):
    layer = randomize(KINDS[kind](return_sequences=True, learn_initial_state=True).make((4, 2), 1, np.float64))
    x = batch(t=9)
    carry = {}
    mode = Mode(carry=carry)
    pieces = [layer(x[:, :4], mode), layer.vjp(x[:, 4:5], mode)[0], layer(x[:, 5:], mode)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), layer(x), rtol=1e-12)
    assert list(carry) == [layer]
    with pytest.raises(ValueError, match=r"mode\.carry: got states of 3 sequences, wanted 2"):
        layer(x[:2], mode)


@every_kind
def test_gradients_stop_at_carried_states(kind):
    layer = randomize(KINDS[kind](learn_initial_state=True).make((4, 2), 1, np.float64))
    carry = {}
    layer(batch(), Mode(carry=carry))
    start = dict(carry)
    _, backward = layer.vjp(batch(seed=1), Mode(carry=carry))
    _, gradients = backward(np.ones((3, 3)))
    assert not gradients[layer.h0].any()
    fixed = copy.deepcopy(layer)
    fixed.h0.value[...] = 7  # not looked at
    y = fixed(batch(seed=1), Mode(carry={fixed: start[layer]}))
    np.testing.assert_array_equal(y, carry[layer][0])


@every_kind
def test_frozen_parameters_cost_nothing_and_get_nothing(kind):
    layer = KINDS[kind](learn_initial_state=True).make((4, 2), 1, np.float64)
    _, backward = layer.vjp(batch())
    everything = backward(np.ones((3, 3)))[1]
    layer.weight_hh.trainable = layer.h0.trainable = False
    _, backward = layer.vjp(batch())
    dx, gradients = backward(np.ones((3, 3)), need_dx=False)
    assert dx is None
    assert gradients.keys() == everything.keys() - {layer.weight_hh, layer.h0}
    for parameter, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, everything[parameter])
    layer.freeze()
    assert layer.vjp(batch())[1](np.ones((3, 3)), need_dx=False) == (None, {})


def test_layer_equals_its_function():
    layer = randomize(GRU(3, reset_after=True, reverse=True).make((4, 2), 1, np.float64))
    expected = F.gru(
        batch(),
        None,
        layer.weight_ih.value,
        layer.weight_hh.value,
        layer.bias.value,
        bias_hh=layer.bias_hh.value,
        reset_after=True,
        reverse=True,
        lengths=LENGTHS.lengths,
    )
    np.testing.assert_array_equal(layer(batch(), LENGTHS), expected[1])


@pytest.mark.parametrize("mode", [Mode(), LENGTHS], ids=["whole", "lengths"])
def test_stacked_and_bidirectional_equal_pytorch(mode, torch):
    n, t, f, h = 3, 4, 2, 5
    network = Stacked(Bidirectional(LSTM(h)), Bidirectional(LSTM(h, return_sequences=True)))
    randomize(network.make((t, f), 1, np.float64))
    peer = torch.nn.LSTM(f, h, num_layers=2, bidirectional=True, batch_first=True).double()
    names = [f"l{k}{suffix}" for k in (0, 1) for suffix in ("", "_reverse")]
    parts = [layer for pair in network.layers for layer in pair.layers]
    with torch.no_grad():
        for name, part in zip(names, parts, strict=True):
            getattr(peer, f"weight_ih_{name}").copy_(torch.from_numpy(part.weight_ih.value.T.copy()))
            getattr(peer, f"weight_hh_{name}").copy_(torch.from_numpy(part.weight_hh.value.T.copy()))
            getattr(peer, f"bias_ih_{name}").copy_(torch.from_numpy(part.bias.value))
            getattr(peer, f"bias_hh_{name}").zero_()
    x = batch(n, t, f)
    tx = torch.from_numpy(x).requires_grad_()
    if mode.lengths is None:
        expected, _ = peer(tx)
    else:
        pack = torch.nn.utils.rnn.pack_padded_sequence
        packed = pack(tx, torch.from_numpy(mode.lengths), batch_first=True, enforce_sorted=False)
        expected, _ = torch.nn.utils.rnn.pad_packed_sequence(peer(packed)[0], batch_first=True, total_length=t)
    y, backward = network.vjp(x, mode)
    np.testing.assert_allclose(y, expected.detach(), atol=1e-11)
    dy = np.random.default_rng(3).standard_normal(y.shape)
    (expected * torch.from_numpy(dy)).sum().backward()
    dx, gradients = backward(dy)
    np.testing.assert_allclose(dx, tx.grad, atol=1e-11)
    for name, part in zip(names, parts, strict=True):
        np.testing.assert_allclose(gradients[part.weight_ih].T, getattr(peer, f"weight_ih_{name}").grad, atol=1e-11)
        np.testing.assert_allclose(gradients[part.weight_hh].T, getattr(peer, f"weight_hh_{name}").grad, atol=1e-11)
        np.testing.assert_allclose(gradients[part.bias], getattr(peer, f"bias_ih_{name}").grad, atol=1e-11)


@pytest.mark.parametrize("merge", ["concat", "sum"])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_bidirectional(merge, return_sequences):
    layer = Bidirectional(GRU(3, return_sequences=return_sequences), merge=merge).make((4, 2), 1, np.float64)
    one, other = layer.layers
    assert (one.reverse, other.reverse) == (False, True)
    parts = [one(batch(), LENGTHS), other(batch(), LENGTHS)]
    expected = parts[0] + parts[1] if merge == "sum" else np.concatenate(parts, axis=-1)
    np.testing.assert_array_equal(layer(batch(), LENGTHS), expected)
    assert layer.output_shape((4, 2)) == layer(batch()).shape[1:]
    gradcheck(layer, batch(), mode=LENGTHS)


def test_bidirectional_refuses_what_it_cannot_do():
    layer = Bidirectional(GRU(3))
    for run in (layer.forward, layer.vjp):
        with pytest.raises(ValueError, match=r"mode\.carry: got states to go on from, wanted None: Bidirectional"):
            run(batch(), Mode(carry={}))
    with pytest.raises(TypeError, match=r"layers: got \(Dense\)"):
        Bidirectional(Dense(3))
    with pytest.raises(ValueError, match="layers: got two that run the same way"):
        Bidirectional(GRU(3), GRU(3))
    with pytest.raises(ValueError, match="merge: got 'mul'"):
        Bidirectional(GRU(3), merge="mul")
    with pytest.raises(ValueError, match="cannot be merged by sum"):
        Bidirectional(GRU(3), LSTM(4, reverse=True), merge="sum")(batch())


def test_stacked_layers_pass_sequences_on():
    network = Stacked(LSTM(3), RNN(4), dropout=0.5).make((4, 2), 1, np.float64)
    assert [layer.return_sequences for layer in network] == [True, False]
    np.testing.assert_array_equal(network(batch()), network[1](network[0](batch())))
    training = Mode(training=True, key=Key(2))
    assert not np.array_equal(network(batch(), training), network(batch()))
    gradcheck(network, batch(), mode=training)
    gradcheck(network, batch(), mode=dataclasses.replace(training, lengths=LENGTHS.lengths))
    network.return_sequences = True
    assert network(batch()).shape == (3, 4, 4)
    with pytest.raises(TypeError, match=r"layers\[1\]: got Dense, wanted a recurrent layer"):
        Stacked(LSTM(3), Dense(3))


def test_stacked_carries_every_layer_on():
    network = Stacked(LSTM(3), GRU(4, return_sequences=True)).make((4, 2), 1, np.float64)
    x, mode = batch(t=6), Mode(carry={})
    pieces = [network(x[:, :2], mode), network(x[:, 2:], mode)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), network(x), rtol=1e-12)
    assert mode.carry.keys() == set(network)


def test_time_distributed_sees_valid_steps_alone():
    layer = TimeDistributed(Dense(3), BatchNorm()).make((4, 2), 1, np.float64)
    x = batch()
    np.testing.assert_array_equal(layer(x)[1, 2], layer.layers[1](layer.layers[0](x[1, 2][None]))[0])
    past = np.arange(4) >= LENGTHS.lengths[:, None]
    training = dataclasses.replace(LENGTHS, training=True, key=Key(1))
    gradcheck(layer, x, mode=training)
    expected = layer(x, training)
    assert not expected[past].any()
    x[past] = np.nan
    np.testing.assert_array_equal(layer(x, training), expected)


def test_embedding():
    tokens = np.random.default_rng(0).integers(0, 6, (3, 4))
    layer = Embedding(6, 40).make((4,), 1, np.float64)
    np.testing.assert_array_equal(layer(tokens), layer.weight.value[tokens])
    assert layer.output_shape((4,)) == (4, 40)
    gradcheck(layer, tokens)
    assert layer.vjp(tokens)[1](np.ones((3, 4, 40)))[0] is None
    for wrong in (6, -1):
        with pytest.raises(ValueError, match=f"tokens: got {wrong}, wanted 0 to 5"):
            layer(np.array([[0, wrong]]))
    with pytest.raises(TypeError, match="tokens: got dtype float64"):
        layer(np.array([[0.5]]))
    assert repr(from_config(layer.config())) == "Embedding(6, 40)"
    layer.freeze()
    assert layer.vjp(tokens)[1](np.ones((3, 4, 40))) == (None, {})


def test_embedding_gradient_is_summed_in_order(same_bits):
    rng = np.random.default_rng(0)
    tokens, weight = rng.integers(0, 50, 3000), np.zeros((50, 70), np.float32)
    dy = rng.standard_normal((3000, 70)).astype(np.float32)
    expected = np.zeros_like(weight)
    np.add.at(expected, tokens, dy)
    _, backward = F.embedding.vjp(tokens, weight)
    np.testing.assert_array_equal(backward(dy), expected)
    same_bits(lambda: backward(dy))


def test_a_network_of_all_of_them_learns_its_gradients():
    network = Sequential(
        Embedding(5, 4), Stacked(Bidirectional(GRU(3)), LSTM(3, return_sequences=True)), TimeDistributed(Dense(2))
    )
    network.make((4,), 1, np.float64)
    gradcheck(network, np.random.default_rng(0).integers(0, 5, (3, 4)), mode=LENGTHS)


def test_bad_hyperparameters():
    for make, message in [
        (lambda: LSTM(0), "units: got 0"),
        (lambda: LSTM(3, recurrent_dropout=1.0), "rate: got 1.0"),
        (lambda: RNN(3, activation="elu"), "activation: got 'elu'"),
        (lambda: GRU(3, checkpoint_every=0), "checkpoint_every: got 0"),
        (lambda: GRU(3)(np.ones((2, 3, 4, 5))), r"x: got shape \(n, 3, 4, 5\), wanted \(n, t, f\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
