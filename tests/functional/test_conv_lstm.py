"""The convolutional LSTM: against its equations and central differences, and its layer."""

import numpy as np
import pytest

import neurojit.functional as F
from neurojit.layers import ConvLSTM, Mode
from neurojit.testing import gradcheck
from tests.reference import recurrent as reference


def arguments(n, t, height, width, c, h, window, peephole, dtype=np.float64):
    rng = np.random.default_rng(0)

    def draw(*shape):
        return (0.5 * rng.standard_normal(shape)).astype(dtype)

    maps = n, height, width, h
    arrays = [draw(n, t, height, width, c), draw(*maps), draw(*maps)]
    sizes = [dtype(np.sqrt(channels)) for channels in (c, h)]  # sums of about one size: Winograd's error goes with them
    arrays += [draw(*window, c, 4 * h) / sizes[0], draw(3, 3, h, 4 * h) / sizes[1], draw(4 * h)]
    shapes = {"none": None, "shared": (3, h), "by position": (3, height, width, h)}
    return arrays, {"peephole": None if peephole == "none" else draw(*shapes[peephole])}


CASES = [
    (2, 3, 4, 5, 2, 3, (3, 3), "none"),
    (1, 2, 3, 3, 2, 2, (1, 2), "shared"),
    (3, 2, 2, 3, 1, 2, (3, 1), "by position"),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "case", [*CASES, (2, 2, 9, 8, 16, 16, (3, 3), "by position"), (0, 2, 3, 3, 2, 2, (3, 3), "none")]
)
def test_equals_its_equations(case, dtype):
    arrays, options = arguments(*case, dtype=dtype)
    y, (h_n, c_n) = F.conv_lstm(*arrays, **options)
    expected, last = reference.conv_lstm(*arrays, **options)
    tolerance = 1e-11 if dtype == np.float64 else 1e-5
    for got, wanted in ((y, expected), (h_n, last[0]), (c_n, last[1])):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", CASES)
def test_pullback_equals_central_differences(case):
    arrays, options = arguments(*case)
    gradcheck(F.conv_lstm, *arrays, max_entries=60, **options)


def test_missing_states_and_bias_are_zeros():
    (x, h0, c0, w, u, bias), _ = arguments(*CASES[0])
    expected = F.conv_lstm(x, 0 * h0, 0 * c0, w, u, 0 * bias)[0]
    np.testing.assert_array_equal(F.conv_lstm(x, None, None, w, u)[0], expected)


def test_same_bits_on_one_thread_and_two(same_bits):
    arrays, options = arguments(3, 3, 9, 10, 5, 20, (3, 3), "by position", np.float32)

    def run():
        y, backward = F.conv_lstm.vjp(*arrays, **options)
        return y, backward((y[0], (y[1][0], y[1][1])))

    same_bits(run)


def test_errors_name_the_argument():
    (x, h0, c0, w, u, bias), _ = arguments(*CASES[0])
    for message, call in [
        (r"x: got 4 axes", lambda: F.conv_lstm(x[0], h0, c0, w, u)),
        (r"x: got shape \(2, 0, 4, 5, 2\)", lambda: F.conv_lstm(x[:, :0], h0, c0, w, u)),
        (
            r"weight_ih: got shape \(3, 3, 2, 12\), wanted \(any, any, 1, 12\)",
            lambda: F.conv_lstm(x[..., :1], h0, c0, w, u),
        ),
        (r"weight_hh: got shape", lambda: F.conv_lstm(x, h0, c0, w, u[..., :8])),
        (r"c0: got shape", lambda: F.conv_lstm(x, h0, c0[:1], w, u)),
        (r"bias: got shape", lambda: F.conv_lstm(x, h0, c0, w, u, bias[1:])),
        (r"peephole: got shape", lambda: F.conv_lstm(x, h0, c0, w, u, peephole=np.zeros((3, 4, 4, 3)))),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("return_sequences", [False, True])
def test_layer(return_sequences):
    options = {"peephole": True, "learn_initial_state": True, "return_sequences": return_sequences}
    layer = ConvLSTM(2, (3, 1), **options).make((3, 4, 5, 2), 1, np.float64)
    block = layer.weight_hh.value[..., :2].reshape(6, 2)
    np.testing.assert_allclose(block.T @ block, np.eye(2), atol=1e-12)
    rng = np.random.default_rng(1)
    for parameter in layer.named_parameters().values():
        parameter.value += 0.3 * rng.standard_normal(parameter.value.shape)
    x = rng.standard_normal((2, 3, 4, 5, 2))
    assert layer(x).shape[1:] == layer.output_shape((3, 4, 5, 2))
    gradcheck(layer, x, max_entries=40)
    mode = Mode(carry={})
    pieces = [layer(x[:, :1], mode), layer(x[:, 1:], mode)]
    whole = layer(x)
    joined = np.concatenate(pieces, axis=1) if return_sequences else pieces[-1]
    np.testing.assert_allclose(joined, whole, rtol=1e-12)
    with pytest.raises(ValueError, match=r"mode\.lengths: got lengths, wanted None: ConvLSTM"):
        layer(x, Mode(lengths=np.array([1, 2])))
    with pytest.raises(ValueError, match=r"x: got shape \(n, 3, 4, 5\)"):
        ConvLSTM(2, 3)(x[..., 0])
