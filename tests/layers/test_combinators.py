"""Sequential, Residual and Concat: values, gradients, names, freezing and tied layers."""

import numpy as np
import pytest

from neurojit.core.random import Key
from neurojit.layers import BatchNorm, Concat, Conv2d, Dense, Dropout, Flatten, Mode, ReLU, Residual, Sequential, Tanh
from neurojit.testing import gradcheck

TRAINING = Mode(training=True, key=Key.from_random_state(1))
X = np.random.default_rng(1).standard_normal((3, 5, 4, 2))
ROWS = X.reshape(6, 20)


def network():
    return Sequential(
        Conv2d(4, 3, padding=1),
        BatchNorm(),
        Residual(Conv2d(4, 3, padding=1), Tanh()),
        Concat(Conv2d(3, 1), Sequential(Conv2d(2, 1), Tanh())),
        Residual(Conv2d(3, 3, stride=2), projection=Conv2d(3, 3, stride=2)),
        Flatten(),
        Dropout(0.2),
        Dense(2),
    )


@pytest.mark.parametrize("mode", [Mode(), TRAINING], ids=["inference", "training"])
def test_gradients_of_a_whole_network(mode):
    gradcheck(network(), X, mode=mode, max_entries=20)


def test_values():
    first, second = Dense(20), Tanh()
    both = Sequential(first, second)
    np.testing.assert_array_equal(both(ROWS), second(first(ROWS)))
    np.testing.assert_array_equal(Residual(first)(ROWS), first(ROWS) + ROWS)
    np.testing.assert_array_equal(Residual(second, projection=first)(ROWS), second(ROWS) + first(ROWS))
    np.testing.assert_array_equal(Concat(first, second)(ROWS), np.concatenate([first(ROWS), second(ROWS)], axis=-1))


def test_shapes_are_known_without_a_batch():
    layer = network()
    shape = layer.output_shape(X.shape[1:])
    assert shape == layer(X).shape[1:] == (2,)


def test_nothing_inside():
    y, backward = Sequential().vjp(ROWS)
    np.testing.assert_array_equal(y, ROWS)
    np.testing.assert_array_equal(backward(ROWS)[0], ROWS)
    np.testing.assert_array_equal(Residual()(ROWS), 2 * ROWS)


def test_names_of_parameters():
    layer = network().make(X.shape[1:])
    names = list(layer.named_parameters())
    assert names[:4] == ["0.weight", "0.bias", "1.gamma", "1.beta"]
    assert {"2.0.weight", "3.1.0.bias", "4.projection.weight", "7.bias"} <= set(names)
    assert set(layer.state()) - set(names) == {"1.running_mean", "1.running_var"}


def test_a_tied_layer_collects_gradients_from_both_uses():
    shared = Dense(20)
    tied = Sequential(shared, Tanh(), shared)
    gradcheck(tied, ROWS, max_entries=40)
    assert list(tied.named_parameters()) == ["0.weight", "0.bias"]
    gradcheck(Concat(shared, Sequential(shared, Tanh())), ROWS, max_entries=40)
    gradcheck(Residual(shared, projection=shared), ROWS, max_entries=40)


def test_the_same_dropout_twice_draws_twice():
    drop = Dropout(0.5)
    x = np.ones((4, 100))
    once = drop(x, TRAINING.child(0))
    twice = Sequential(drop, drop)(x, TRAINING)
    assert (twice == 4).any()
    assert ((twice == 0) & (once != 0)).any()


def test_frozen_layers_get_no_gradient_and_do_no_work():
    layer = network().make(X.shape[1:], 0, np.float64)
    for part in layer.layers[:3]:
        part.freeze()
    frozen = {p for part in layer.layers[:3] for p in part.named_parameters().values()}
    y, backward = layer.vjp(X, TRAINING)
    dx, gradients = backward(y)
    assert dx.shape == X.shape
    assert set(gradients) == set(layer.named_parameters().values()) - frozen
    none, again = backward(y, need_dx=False)
    assert none is None
    for parameter, gradient in gradients.items():
        np.testing.assert_array_equal(again[parameter], gradient)
    gradcheck(layer, X, mode=TRAINING, max_entries=10)


def test_backward_stops_at_the_first_layer_that_learns(monkeypatch):
    layer = Sequential(Dense(4), Tanh(), Dense(3), ReLU(), Dense(2)).make((20,), 0, np.float64)
    layer[0].freeze()
    monkeypatch.setattr("neurojit.kernels.cpu.activation.tanh_backward", lambda *arrays: pytest.fail("tanh ran back"))
    y, backward = layer.vjp(ROWS)
    _, gradients = backward(y, need_dx=False)
    assert len(gradients) == 4


def test_a_residual_of_frozen_layers_still_passes_the_gradient_on():
    layer = Sequential(Dense(4), Residual(Dense(4))).make((20,), 0, np.float64)
    layer[1].freeze()
    gradcheck(layer, ROWS, max_entries=20)


def test_slices_share_the_layers():
    layer = network()
    assert layer[1:3].layers == layer.layers[1:3]
    assert layer[-1] is layer.layers[-1]
    assert len(layer) == 8
    assert list(layer) == layer.layers


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Sequential(Dense(3), "relu"), TypeError, "layers[1]: got str"),
        (lambda: Sequential([Dense(3)]), TypeError, "layers[0]: got list"),
        (lambda: Residual(Dense(3)).make((20,)), ValueError, "Residual: the layers give (3,), the shortcut (20,)"),
        (lambda: Concat(Conv2d(2, 3), Conv2d(2, 1)).make((5, 5, 1)), ValueError, "Concat: the branches give"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error) as raised:
        make()
    assert str(raised.value).startswith(message)
