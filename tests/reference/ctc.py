"""CTC as Graves, Fernandez, Gomez and Schmidhuber (ICML 2006) define it: all paths one by one, and their recursions."""

import itertools
import math

import numpy as np


def read(path, blank):
    """The labels a path reads as: repetitions merged, then blanks dropped (B of section 3.1)."""
    merged = [symbol for symbol, _ in itertools.groupby(path)]
    return tuple(symbol for symbol in merged if symbol != blank)


def readings(log_probs, blank):
    """The probability of every reading of one sequence: the sum over all its paths (equation 3)."""
    steps, classes = log_probs.shape
    found = {}
    for path in itertools.product(range(classes), repeat=steps):
        probability = math.exp(sum(float(log_probs[t, symbol]) for t, symbol in enumerate(path)))
        reading = read(path, blank)
        found[reading] = found.get(reading, 0.0) + probability
    return found


def _forward(y, states, blank):
    """alpha_t(s), equations 5 to 7."""
    alpha = np.zeros((len(y), len(states)))
    alpha[0, 0] = y[0, blank]
    if len(states) > 1:
        alpha[0, 1] = y[0, states[1]]
    for t in range(1, len(y)):
        for s, symbol in enumerate(states):
            total = alpha[t - 1, s] + (alpha[t - 1, s - 1] if s >= 1 else 0.0)
            if s >= 2 and symbol not in (blank, states[s - 2]):
                total += alpha[t - 1, s - 2]
            alpha[t, s] = total * y[t, symbol]
    return alpha


def _backward(y, states, blank):
    """beta_t(s), equations 9 to 11: the mirror image of alpha."""
    return _forward(y[::-1], states[::-1], blank)[::-1, ::-1]


def ctc_loss(log_probs, target, blank):
    """-log p(target | one sequence) and its gradient of the log-probabilities, in float64.

    From equation 15, dp/dy_tk = sum over s with symbol k of alpha_t(s) beta_t(s) / y_tk^2; so of log y it is the sum of
    alpha beta / y, and of -log p that over -p.
    """
    y = np.exp(np.asarray(log_probs, np.float64))
    states = [blank]
    for label in target:
        states += [int(label), blank]
    if not len(y):
        return (0.0 if len(states) == 1 else np.inf), np.zeros_like(y)
    alpha, beta = _forward(y, states, blank), _backward(y, states, blank)
    p = alpha[-1, -1] + (alpha[-1, -2] if len(states) > 1 else 0.0)
    if p == 0:
        return np.inf, np.full_like(y, np.nan)
    gradient = np.zeros_like(y)
    for t in range(len(y)):
        for s, symbol in enumerate(states):
            if y[t, symbol] > 0:
                gradient[t, symbol] -= alpha[t, s] * beta[t, s] / y[t, symbol] / p
    return -math.log(p), gradient
