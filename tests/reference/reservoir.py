"""Reservoirs in plain NumPy, from Lukoševičius 2012, equations 2 to 9, and Gallicchio et al. 2017 for layers."""

import numpy as np

FUNCTIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "identity": lambda x: x,
}


def states(u, w_in, recurrent, links=(), biases=(), leak_rate=1.0, activation="tanh", start=None):
    """States (T, L * N) along a series u (T, F), step by step; w_in (N, 1 + F), matrices dense."""
    n = len(w_in)
    x = np.zeros((len(recurrent), n)) if start is None else np.array(start).reshape(-1, n)
    found = []
    for v in u:
        for layer, W in enumerate(recurrent):
            if layer == 0:
                drive = w_in @ np.concatenate([[1.0], v])
            else:
                drive = biases[layer - 1] + links[layer - 1] @ x[layer - 1]
            x[layer] = (1 - leak_rate) * x[layer] + leak_rate * FUNCTIONS[activation](drive + W @ x[layer])
        found.append(x.reshape(-1).copy())
    return np.array(found).reshape(len(u), x.size)


def ridge(z, y, penalty):
    """W_out [1; z], the intercept not penalised: the minimum of |y - W_out [1; z]|^2 + penalty |W_out z part|^2."""
    rows = np.hstack([np.ones((len(z), 1)), z])
    penalties = penalty * np.diag([0.0] + [1.0] * z.shape[1])
    return np.linalg.solve(rows.T @ rows + penalties, rows.T @ y)


def closed_loop(n_steps, w_in, W, w_out, leak_rate, state, last):
    """Outputs that are the next inputs; w_out (1 + F + N, F) of [1; u; x]."""
    outputs = []
    for _ in range(n_steps):
        u = last
        state = (1 - leak_rate) * state + leak_rate * np.tanh(w_in @ np.concatenate([[1.0], u]) + W @ state)
        last = np.concatenate([[1.0], u, state]) @ w_out
        outputs.append(last)
    return np.array(outputs)


def driven_loop(u, w_in, W, w_out, leak_rate, state, last):
    """Outputs that are fed back beside the inputs u; w_in (N, 1 + F + O), w_out (1 + F + N, O)."""
    outputs = []
    for v in u:
        drive = np.concatenate([[1.0], v, last])
        state = (1 - leak_rate) * state + leak_rate * np.tanh(w_in @ drive + W @ state)
        last = np.concatenate([[1.0], v, state]) @ w_out
        outputs.append(last)
    return np.array(outputs)


def recursive_least_squares(z, y, penalty, forgetting=1.0):
    """Weights (1 + D, O) after all rows; Haykin, "Adaptive filter theory", table 10.1, the constant feature first."""
    rows = np.hstack([np.ones((len(z), 1)), z])
    p, w = np.eye(rows.shape[1]) / penalty, np.zeros((rows.shape[1], y.shape[1]))
    for row, target in zip(rows, y, strict=True):
        gain = p @ row / (forgetting + row @ p @ row)
        w = w + np.outer(gain, target - row @ w)
        p = (p - np.outer(gain, row @ p)) / forgetting
    return w
