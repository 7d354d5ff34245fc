"""Small networks, losses and data that training is tested on, in plain NumPy."""

import numpy as np

from neurojit.layers.base import INFERENCE, Layer, Parameter
from neurojit.training import Adam, ArrayBatches, Loss, Trainer


class Linear(Layer):
    """y = x weight + bias, with multiplicative noise in training so that random numbers matter."""

    def __init__(self, units, noise=0.0):
        self.units = units
        self.noise = noise

    def build(self, input_shape, key, dtype=np.float32):
        self.weight = Parameter(key.normal((input_shape[0], self.units), 0.3, dtype))
        self.bias = Parameter(np.zeros(self.units, dtype))

    def output_shape(self, input_shape):
        return (self.units,)

    def forward(self, x, mode=INFERENCE):
        return self.vjp(x, mode)[0]

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        if mode.training and self.noise:
            x = x * mode.key.uniform(x.shape, 1 - self.noise, 1 + self.noise, x.dtype)
        y = x @ self.weight.value + self.bias.value

        def backward(dy, need_dx=True):
            gradients = {self.weight: x.T @ dy, self.bias: dy.sum(axis=0)}
            dx = dy @ self.weight.value.T if need_dx else None
            return dx, {p: g for p, g in gradients.items() if p.trainable}

        return y, backward


class Squared(Loss):
    """Mean of (output - target)^2, weighted."""

    def vjp(self, outputs, targets, sample_weight=None):
        weight = np.ones(len(outputs)) if sample_weight is None else sample_weight
        difference = outputs - targets
        share = (weight / weight.sum() / outputs.shape[1])[:, None]
        loss = float((share * difference.astype(np.float64) ** 2).sum())
        return loss, lambda: (2 * share * difference).astype(outputs.dtype)


def line(n=40, features=3, units=2, seed=0, dtype=np.float32):
    """Rows and targets of a noisy linear map."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features))
    y = x @ rng.normal(size=(features, units)) + 0.1 * rng.normal(size=(n, units))
    return x.astype(dtype), y.astype(dtype)


def line_batches(**options):
    return ArrayBatches(*line(**options))


def make_trainer(network=None, optimizer=None, **options):
    """A trainer of toys; the options given replace its own."""
    options = {"batch_size": 16, "max_epochs": 3, "random_state": 0} | options
    return Trainer(network or Linear(2, noise=0.1), Squared(), optimizer or Adam(0.05), **options)


def weights(trainer):
    """Copies of the network's arrays by name."""
    return {name: array.copy() for name, array in trainer.network.state().items()}


def assert_same_bits(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
