"""Spiking: a liquid against its equations, its wiring against the paper, encoders against their definitions."""

import numpy as np
import pytest

from neurojit.reservoirs import Liquid, encode_delta, encode_latency, encode_rate
from neurojit.reservoirs.liquid import run_all
from tests.reference import spiking as reference


@pytest.mark.parametrize("shape", [(3, 3, 15), (2, 2, 1), (1,)])
def test_a_liquid_equals_the_equations(shape, rng):
    liquid = Liquid(4, shape=shape, random_state=1)
    spikes = rng.poisson(0.1, (300, 4)).astype(float)
    expected, trains = reference.liquid(
        spikes, liquid.input_weights, liquid.weights, liquid.numbers, liquid.refractory, liquid.start
    )
    traces, n_spikes = liquid.run(spikes)
    np.testing.assert_allclose(traces, expected, atol=1e-10)
    assert n_spikes == trains.sum()
    if len(shape) == 3:
        assert n_spikes > 100
    every = liquid.run(spikes, every=7)[0]
    np.testing.assert_allclose(every, expected[6::7], atol=1e-10)


def test_wiring_is_that_of_the_paper():
    liquid = Liquid(3, shape=(6, 6, 20), random_state=0)
    inhibits = liquid.kinds == "I"
    assert inhibits.mean() == 0.2
    assert (liquid.weights[~inhibits] >= 0).all()
    assert (liquid.weights[inhibits] <= 0).all()
    assert (np.diag(liquid.weights) == 0).all()
    places = np.stack(np.unravel_index(np.arange(720), (6, 6, 20)), 1)
    distance = np.sqrt(((places[:, None] - places) ** 2).sum(2))
    for sender, receiver, chance, strength in (("E", "E", 0.3, 30), ("E", "I", 0.2, 60), ("I", "E", 0.4, -19)):
        near = np.outer(liquid.kinds == sender, liquid.kinds == receiver) & (distance == 1)
        connected = liquid.weights[near] != 0
        assert abs(connected.mean() - chance * np.exp(-1 / 4)) < 0.05
        assert abs(liquid.weights[near][connected].mean() / strength - 1) < 0.1
    far = distance > 8
    assert (liquid.weights[far] == 0).mean() > 0.999


def test_silence_without_input():
    liquid = Liquid(1, random_state=0)
    traces, n_spikes = liquid.run(np.zeros((100, 1)))
    assert n_spikes == 0
    assert (traces == 0).all()


def test_same_bits_on_any_number_of_threads(rng, same_bits):
    liquid = Liquid(2, random_state=0)
    trains = [rng.poisson(0.2, (50 + i, 2)) for i in range(9)]
    same_bits(lambda: run_all(liquid, trains, 5))


def test_rate():
    x = np.array([[0.0, 0.5, 1.0, 7.0]])
    spikes = encode_rate(x, 20_000, max_rate=0.4)
    np.testing.assert_allclose(spikes.mean(axis=0), [0, 0.2, 0.4, 0.4], atol=0.01)
    np.testing.assert_array_equal(spikes, encode_rate(x, 20_000, max_rate=0.4))


def test_latency():
    spikes = encode_latency(np.array([[0.0, 0.1, 1.0], [1.0, 0.5, -1.0]]), 5)
    assert spikes.shape == (10, 3)
    assert [tuple(np.flatnonzero(spikes[:, c])) for c in range(3)] == [(5,), (4, 7), (0,)]


def test_delta():
    x = np.array([[0.0], [0.1], [0.35], [0.3], [0.0]])
    spikes = encode_delta(x, 2, threshold=0.1)
    assert spikes.shape == (10, 2)
    np.testing.assert_array_equal(spikes[::2], [[0, 0], [1, 0], [2, 0], [0, 0], [0, 3]])
    assert (spikes[1::2] == 0).all()
    assert np.abs(0.1 * (spikes[::2, 0] - spikes[::2, 1]).cumsum() - x[:, 0]).max() < 0.1
