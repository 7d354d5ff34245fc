"""Tasks of the literature that told recurrent networks apart, in the form that benchmarks measure them."""

import os

import pytest

from benchmarks import bench_recurrent_results as results


@pytest.mark.slow
def test_adding_problem_is_solved_by_the_lstm_and_not_by_the_vanilla_network():
    """Over 100 steps (Hochreiter and Schmidhuber 1997); 0.01 is their bound, 0.167 the error of the mean."""
    assert results.adding("lstm") < 0.001
    assert results.adding("rnn") > 0.01


@pytest.mark.slow
def test_temporal_order_is_learnt_by_the_lstm_and_not_by_the_vanilla_network():
    """Task 6a over 100 to 110 steps (Hochreiter and Schmidhuber 1997); 0.25 is chance."""
    assert results.temporal_order("lstm") > 0.99
    assert results.temporal_order("rnn") < 0.4


@pytest.mark.slow
@pytest.mark.skipif("NEUROJIT_DATA" not in os.environ, reason="NEUROJIT_DATA names no folder of data sets")
@pytest.mark.parametrize(
    ("measure", "wanted"),
    [
        (results.japanese_vowels, 0.96),
        (results.mnist_rows, 0.985),
        (lambda: 1 - results.spoken_digits(), 0.9),
    ],
    ids=["Japanese Vowels", "MNIST row by row", "FSDD digit strings"],
)
def test_data_sets(measure, wanted):
    assert measure() >= wanted
