"""Searches that look at every sequence there is."""

import itertools
import math

from tests.reference.ctc import readings


def best_of_table(probabilities, count):
    """The `count` sequences of least -log p, each with it; ties by the symbols."""
    steps, symbols = probabilities.shape
    found = []
    for sequence in itertools.product(range(symbols), repeat=steps):
        factors = [probabilities[t, symbol] for t, symbol in enumerate(sequence)]
        found.append((-sum(math.log(p) for p in factors) if all(factors) else math.inf, sequence))
    return [(sequence, cost) for cost, sequence in sorted(found)[:count]]


def best_of_model(log_p, start, end, max_length, length_penalty, count):
    """Of all sequences that end or have `max_length` symbols, those that score least; log_p(history) -> list."""
    found = []

    def extend(history, total):
        length = len(history) - 1
        if length == max_length or (length and history[-1] == end):
            found.append((-total / ((5 + length) / 6) ** length_penalty, tuple(history[1:])))
            return
        for symbol, more in enumerate(log_p(history)):
            if more > -math.inf:
                extend([*history, symbol], total + more)

    extend([start], 0.0)
    return [(sequence, score) for score, sequence in sorted(found)[:count]]


def best_readings(log_probs, blank, count, language_model=None, alpha=1.0, beta=0.0):
    """Labels by log P_CTC + alpha log P_LM + beta length, with the negative of it, the best first."""
    found = []
    for labels, probability in readings(log_probs, blank).items():
        prior = beta * len(labels)
        if language_model is not None:
            prior += alpha * sum(language_model(labels[:i])[label] for i, label in enumerate(labels))
        found.append((-(math.log(probability) + prior) if probability else math.inf, labels))
    return [(labels, score) for score, labels in sorted(found)[:count]]
