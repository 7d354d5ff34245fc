"""Recurrent networks: against their equations, central differences and PyTorch."""

import gc
import tracemalloc

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neurojit.functional as F
from neurojit.core import memory
from neurojit.testing import gradcheck
from tests.functional.awkward import check_forms
from tests.reference import recurrent as reference

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
VARIANTS = [
    ("rnn", {}),
    ("rnn", {"activation": "relu"}),
    ("lstm", {}),
    ("lstm", {"peephole": True}),
    ("lstm", {"coupled": True}),
    ("lstm", {"peephole": True, "coupled": True}),
    ("gru", {}),
    ("gru", {"bias_hh": True}),
    ("gru", {"reset_after": True}),
    ("gru", {"reset_after": True, "bias_hh": True}),
]
NAMES = ["-".join([cell, *options]) for cell, options in VARIANTS]
every_variant = pytest.mark.parametrize(("cell", "options"), VARIANTS, ids=NAMES)


def arguments(cell, options, n, t, f, h, dtype=np.float64, seed=0):
    """Random arrays for a call, and its keyword arguments: those that are True become arrays."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return (0.6 * rng.standard_normal(shape)).astype(dtype)

    columns = (3 if options.get("coupled") else GATES[cell]) * h
    states = [draw(n, h) for _ in range(2 if cell == "lstm" else 1)]
    arrays = [draw(n, t, f), *states, draw(f, columns), draw(h, columns), draw(columns)]
    shapes = {"peephole": (3, h), "bias_hh": (columns,)}
    return arrays, {k: draw(*shapes[k]) if k in shapes else v for k, v in options.items()}


def leaves(value):
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def assert_close(got, wanted, tolerance):
    for a, b in zip(leaves(got), leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def random_like(y, seed=1):
    """Gradients nested like the results."""
    if isinstance(y, tuple):
        return tuple(random_like(part, seed + k) for k, part in enumerate(y))
    return np.random.default_rng(seed).standard_normal(y.shape).astype(y.dtype)


@every_variant
@hypothesis.given(st.data())
@hypothesis.settings(max_examples=8)
def test_equals_its_equations(cell, options, data):
    n, t = data.draw(st.integers(0, 12)), data.draw(st.integers(1, 4))
    f, h = data.draw(st.sampled_from([1, 2, 17])), data.draw(st.sampled_from([1, 3, 8, 33]))
    dtype, tolerance = data.draw(st.sampled_from([(np.float32, 1e-5), (np.float64, 1e-11)]))
    arrays, keywords = arguments(cell, options, n, t, f, h, dtype)
    lengths = data.draw(st.none() | st.lists(st.integers(1, t), min_size=n, max_size=n).map(np.array))
    keywords |= {"lengths": None if n == 0 else lengths, "reverse": data.draw(st.booleans())}
    got = getattr(F, cell)(*arrays, **keywords)
    assert all(part.dtype == dtype for part in leaves(got))
    assert_close(got, getattr(reference, cell)(*arrays, **keywords), tolerance)


@every_variant
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, [3, 1, 2]])
def test_pullbacks_equal_central_differences(cell, options, lengths, reverse):
    arrays, keywords = arguments(cell, options, 3, 3, 2, 3)
    gradcheck(getattr(F, cell), *arrays, lengths=lengths, reverse=reverse, **keywords)


@pytest.mark.parametrize("cell", GATES)
def test_missing_states_and_biases_are_zeros(cell):
    (x, *states, w, u, bias), _ = arguments(cell, {}, 2, 3, 2, 4)
    f = getattr(F, cell)
    zeros = [np.zeros_like(state) for state in states]
    y, backward = f.vjp(x, *zeros, w, u, np.zeros_like(bias))
    short, short_backward = f.vjp(x, *[None for _ in states], w, u)
    assert_close(short, y, 0)
    dy = random_like(y)
    dx, *_, dw, du, _ = backward(dy)
    assert_close(short_backward(dy), (dx, dw, du), 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 5, 3, 4), (5, 7, 16, 32), (13, 6, 20, 40)])
@pytest.mark.parametrize("cell", GATES)
def test_equals_pytorch(cell, shape, dtype, torch):
    n, t, f, h = shape
    options = {"gru": {"reset_after": True, "bias_hh": True}}.get(cell, {})
    (x, *states, w, u, bias), keywords = arguments(cell, options, n, t, f, h, dtype)
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](f, h, batch_first=True)
    module = module.to(getattr(torch, dtype))
    second = keywords.get("bias_hh", np.zeros_like(bias))
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), (w.T, u.T, bias, second), strict=True):
            parameter.copy_(torch.from_numpy(value.copy()))
    tx, *tstates = (torch.from_numpy(v)[None].requires_grad_() for v in (x, *states))
    expected, last = module(tx[0], tuple(tstates) if cell == "lstm" else tstates[0])

    y, backward = getattr(F, cell).vjp(x, *states, w, u, bias, **keywords)
    tolerance = 1e-5 if dtype == "float32" else 1e-11
    last = tuple(part[0] for part in last) if cell == "lstm" else last[0]
    assert_close(y, (expected.detach().numpy(), _arrays(last)), tolerance)
    dy = random_like(y)
    loss = sum((a * torch.from_numpy(b)).sum() for a, b in zip(leaves((expected, last)), leaves(dy), strict=True))
    loss.backward()
    found = [tx.grad[0], *(s.grad[0] for s in tstates), *(p.grad for p in module.parameters())]
    dx, *others = (g.numpy() for g in found)
    dstates, (dw, du, dbias, dsecond) = others[: len(states)], others[len(states) :]
    wanted = (dx, *dstates, dw.T, du.T, dbias, *([dsecond] if cell == "gru" else []))
    for got, want in zip(backward(dy), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * np.abs(want).max())


def _arrays(value):
    return tuple(map(_arrays, value)) if isinstance(value, tuple) else value.detach().numpy()


@every_variant
def test_steps_past_the_lengths_do_not_matter(cell, options):
    arrays, keywords = arguments(cell, options, 3, 4, 2, 3)
    lengths = np.array([4, 1, 2])
    y, backward = getattr(F, cell).vjp(*arrays, lengths=lengths, **keywords)
    dy = random_like(y)
    gradients = backward(dy)
    past = np.arange(4) >= lengths[:, None]
    assert not y[0][past].any()
    assert not gradients[0][past].any()
    arrays[0][past], dy[0][past] = np.nan, np.nan
    other, other_backward = getattr(F, cell).vjp(*arrays, lengths=lengths, **keywords)
    assert_close(other, y, 0)
    assert_close(other_backward(dy), gradients, 0)


@every_variant
@pytest.mark.parametrize("every", [1, 3, 7, 100])
def test_checkpoints_change_no_bit(cell, options, every):
    arrays, keywords = arguments(cell, options, 5, 7, 3, 4, np.float32)
    keywords |= {"lengths": [7, 2, 5, 7, 1], "reverse": True}
    y, backward = getattr(F, cell).vjp(*arrays, **keywords)
    again, backward_again = getattr(F, cell).vjp(*arrays, checkpoint_every=every, **keywords)
    assert_close(again, y, 0)
    dy = random_like(y)
    for a, b in zip(backward_again(dy), backward(dy), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@every_variant
@pytest.mark.parametrize("n", [1, 9, 17, 21])
def test_same_bits_on_one_thread_and_two(cell, options, n, same_bits):
    arrays, keywords = arguments(cell, options, n, 5, 20, 33, np.float32)
    for lengths in (None, 1 + np.arange(n) % 5):

        def run(lengths=lengths):
            y, backward = getattr(F, cell).vjp(*arrays, lengths=lengths, **keywords)
            return y, backward(random_like(y))

        same_bits(run)


@every_variant
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, [3, 1, 2]])
def test_tokens_are_one_hot_vectors(cell, options, lengths, reverse):
    (_, *arrays), keywords = arguments(cell, options, 3, 3, 5, 4)
    keywords |= {"lengths": lengths, "reverse": reverse}
    tokens = np.array([[4, 1, 1], [0, 2, 4], [3, 1, 0]])
    y, backward = getattr(F, cell).vjp(tokens, *arrays, **keywords)
    wanted, wanted_backward = getattr(F, cell).vjp(np.eye(5)[tokens], *arrays, **keywords)
    assert_close(y, wanted, 1e-12)
    assert_close(getattr(F, cell)(tokens, *arrays, **keywords), y, 0)
    dy = random_like(y)
    dtokens, *gradients = backward(dy)
    assert dtokens is None
    assert_close(tuple(gradients), wanted_backward(dy)[1:], 1e-12)


def test_gradients_of_tokens_are_summed_in_order(same_bits):
    (_, *arrays), _ = arguments("lstm", {}, 21, 50, 7, 33, np.float32)
    tokens = np.random.default_rng(0).integers(0, 7, (21, 50))

    def run():
        y, backward = F.lstm.vjp(tokens, *arrays, checkpoint_every=9)
        return y, backward(random_like(y))[1:]

    same_bits(run)


@every_variant
@pytest.mark.parametrize("lengths", [None, [3, 1, 2]])
def test_every_sequence_has_its_own_mask(cell, options, lengths):
    arrays, keywords = arguments(cell, options, 3, 3, 2, 5)
    mask = np.random.default_rng(2).choice([0.0, 1.0, 2.0], (3, 5))
    x, *states, w, u, bias = arrays
    f = getattr(F, cell)
    y = leaves(f(*arrays, recurrent_mask=mask, lengths=lengths, **keywords))[0]
    for i in range(3):
        alone = [x[i : i + 1], *(s[i : i + 1] for s in states), w, mask[i][:, None] * u, bias]
        length = None if lengths is None else lengths[i : i + 1]
        assert_close(y[i : i + 1], leaves(f(*alone, lengths=length, **keywords))[0], 1e-12)
    gradcheck(f, *arrays, recurrent_mask=mask, lengths=lengths, **keywords)
    gradcheck(f, *arrays, recurrent_mask=mask, lengths=lengths, checkpoint_every=2, **keywords)


@every_variant
@pytest.mark.parametrize("n", [1, 3, 20])
def test_a_stream_has_the_bits_of_the_sequence(cell, options, n):
    (x, *others), keywords = arguments(cell, options, n, 4, 5, 12, np.float32)
    stream = getattr(F, cell).stream(*others, **keywords)
    y = leaves(getattr(F, cell)(x, *others, **keywords))[0]
    for t in range(4):
        np.testing.assert_array_equal(stream(x[:, t]), y[:, t])
    with pytest.raises(ValueError, match=r"x: got shape"):
        stream(x[:, :2])
    with pytest.raises(TypeError, match=r"x: got float64"):
        stream(x[:, 0].astype(np.float64))


def test_what_has_no_steps_has_no_stream():
    with pytest.raises(TypeError, match="relu does not go step by step"):
        F.relu.stream()


@pytest.mark.parametrize("cell", GATES)
def test_any_form_of_input_will_do(cell):
    (x, *others), _ = arguments(cell, {}, 3, 4, 2, 5, np.float32)
    check_forms(lambda form: leaves(getattr(F, cell)(form, *others))[0], x)


@pytest.mark.parametrize("cell", GATES)
def test_errors_name_the_argument(cell):
    (x, *states, w, u, bias), _ = arguments(cell, {}, 2, 3, 4, 5)
    f = getattr(F, cell)
    columns = w.shape[1]

    def call(x=x, states=states, w=w, u=u, bias=bias, **keywords):
        return f(x, *states, w, u, bias, **keywords)

    for error, name, arguments_ in [
        (ValueError, "lengths: got 4 at 1, wanted 1 to 3", {"lengths": [3, 4]}),
        (ValueError, "lengths: got 0 at 0, wanted 1 to 3", {"lengths": [0, 3]}),
        (ValueError, r"lengths: got shape \(3,\), wanted \(2\)", {"lengths": [1, 1, 1]}),
        (TypeError, "lengths: got dtype float64", {"lengths": [1.5, 2]}),
        (ValueError, r"x: got shape \(2, 0, 4\)", {"x": x[:, :0]}),
        (ValueError, "x: got 2 axes", {"x": x[0]}),
        (ValueError, "x: got token 4, wanted 0 to 3", {"x": np.array([[0, 1], [4, 0]])}),
        (ValueError, "x: got token -1, wanted 0 to 3", {"x": np.array([[0, -1], [3, 0]])}),
        (ValueError, r"x: got shape \(2, 0\), wanted tokens", {"x": np.zeros((2, 0), int)}),
        (ValueError, r"weight_ih: got shape .* wanted \(symbols, ", {"x": np.zeros((2, 3), int), "w": w[:, 1:]}),
        (ValueError, "recurrent_mask: got shape", {"recurrent_mask": np.ones((1, 5))}),
        (ValueError, rf"weight_ih: got shape \(4, {columns}\), wanted \(3, {columns}\)", {"x": x[:, :, :3]}),
        (ValueError, "weight_hh: got shape", {"u": u[:4]}),
        (ValueError, "bias: got shape", {"bias": bias[1:]}),
        (ValueError, "h0: got shape", {"states": [s[:1] for s in states]}),
        (TypeError, "weight_hh: got float32, wanted float64", {"u": u.astype(np.float32)}),
        (ValueError, "checkpoint_every: got 0", {"checkpoint_every": 0}),
        (TypeError, "checkpoint_every: got 1.5", {"checkpoint_every": 1.5}),
    ]:
        with pytest.raises(error, match=name):
            call(**arguments_)


def test_errors_of_one_cell_alone():
    arrays, _ = arguments("rnn", {}, 2, 3, 4, 5)
    with pytest.raises(ValueError, match="activation: got 'elu', wanted one of"):
        F.rnn(*arrays, activation="elu")
    arrays, _ = arguments("lstm", {}, 2, 3, 4, 5)
    with pytest.raises(ValueError, match="peephole: got shape"):
        F.lstm(*arrays, peephole=np.zeros((2, 5)))
    with pytest.raises(ValueError, match="weight_hh: got shape"):
        F.lstm(*arrays, coupled=True)
    _, backward = F.lstm.vjp(*arrays)
    with pytest.raises(ValueError, match=r"dy\[1\]: got ndarray, wanted a tuple of 2 gradients"):
        backward((np.zeros((2, 3, 5)), np.zeros((2, 5))))


def test_an_infinite_cell_gives_a_finite_state():
    arrays, _ = arguments("lstm", {}, 1, 1, 1, 1)
    arrays[2][...] = np.inf
    y, (_, c_n) = F.lstm(*arrays)
    assert np.isfinite(y).all()
    assert np.isinf(c_n).all()


def bytes_kept(cell, t, n, h, every):
    """Bytes that a vjp holds on to, and the most its pullback had beside them, as tracemalloc sees NumPy's memory."""
    arrays, _ = arguments(cell, {}, n, t, 4, h, np.float32)
    f = getattr(F, cell)
    y, backward = f.vjp(*arrays, checkpoint_every=every)  # compiled code and caches are not what is asked for
    backward(random_like(y))
    del y, backward
    memory._free.clear()  # what waits for use would not be seen
    memory._kept = 0
    gc.collect()
    tracemalloc.start()
    try:
        y, backward = f.vjp(*arrays, checkpoint_every=every)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
        dy = random_like(y)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        backward(dy)
        return kept, tracemalloc.get_traced_memory()[1] - before + kept
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cell", GATES)
def test_memory_of_backpropagation_through_time(cell):
    t, n, h = 1024, 8, 64
    bound = t * n * (2 * GATES[cell] + 2) * h * 4
    kept, most = bytes_kept(cell, t, n, h, None)
    assert kept < most < bound
    if cell != "rnn":  # which keeps nothing but its states
        assert most > 0.4 * bound
    kept, most = bytes_kept(cell, t, n, h, 32)
    assert kept < most < bound / 3
