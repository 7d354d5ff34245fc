"""Recurrent networks by their equations, one sequence, step and unit at a time."""

import math

import numpy as np


def sigmoid(v):
    return 1 / (1 + math.exp(-v))


def _affine(x, h, weight_ih, weight_hh, bias, column):
    """One column of x W + h U + b."""
    total = float(bias[column])
    for k, v in enumerate(x):
        total += float(v) * float(weight_ih[k, column])
    for k, v in enumerate(h):
        total += float(v) * float(weight_hh[k, column])
    return total


def _walk(x, lengths, reverse, state, step):
    """Run step(x_t, state) -> state, state[0] being h; y by time and the last states."""
    n, t, _ = x.shape
    states = []
    y = np.zeros((n, t, state[0].shape[1]))
    for i in range(n):
        now = [np.array(part[i], np.float64) for part in state]
        length = t if lengths is None else lengths[i]
        times = range(length)
        for time in reversed(times) if reverse else times:
            now = step(x[i, time], *now)
            y[i, time] = now[0]
        states.append(now)
    return y, [np.array([s[part] for s in states]).reshape(state[part].shape) for part in range(len(state))]


def rnn(x, h0, weight_ih, weight_hh, bias, *, activation="tanh", lengths=None, reverse=False):
    """Elman 1990: h = f(x W + h U + b)."""
    f = math.tanh if activation == "tanh" else lambda v: max(v, 0.0)

    def step(x_t, h):
        return [np.array([f(_affine(x_t, h, weight_ih, weight_hh, bias, j)) for j in range(len(h))])]

    y, (h_n,) = _walk(x, lengths, reverse, [h0], step)
    return y, h_n


def lstm(x, h0, c0, weight_ih, weight_hh, bias, *, peephole=None, coupled=False, lengths=None, reverse=False):
    """Greff et al. 2017, section III; coupled as in its appendix: i = 1 - f."""
    units = h0.shape[1]
    p = np.zeros((3, units)) if peephole is None else peephole
    gates = "fgo" if coupled else "ifgo"

    def step(x_t, h, c):
        new_h, new_c = np.zeros(units), np.zeros(units)
        for j in range(units):
            a = {
                name: _affine(x_t, h, weight_ih, weight_hh, bias, place * units + j) for place, name in enumerate(gates)
            }
            f = sigmoid(a["f"] + p[1, j] * c[j])
            i = 1 - f if coupled else sigmoid(a["i"] + p[0, j] * c[j])
            new_c[j] = f * c[j] + i * math.tanh(a["g"])
            o = sigmoid(a["o"] + p[2, j] * new_c[j])
            new_h[j] = o * math.tanh(new_c[j])
        return [new_h, new_c]

    y, (h_n, c_n) = _walk(x, lengths, reverse, [h0, c0], step)
    return y, (h_n, c_n)


def gru(x, h0, weight_ih, weight_hh, bias, *, bias_hh=None, reset_after=False, lengths=None, reverse=False):
    """Cho et al. 2014, equations 5 to 8, or with the reset after the product."""
    units = h0.shape[1]
    second = np.zeros(3 * units) if bias_hh is None else bias_hh
    nothing = np.zeros(3 * units)

    def step(x_t, h):
        r, z = (
            [sigmoid(_affine(x_t, h, weight_ih, weight_hh, bias + second, gate * units + j)) for j in range(units)]
            for gate in (0, 1)
        )
        new = np.zeros(units)
        for j in range(units):
            column = 2 * units + j
            inputs = _affine(x_t, (), weight_ih, weight_hh, bias, column)
            if reset_after:
                inside = r[j] * _affine((), h, weight_ih, weight_hh, second, column)
            else:
                reset = [a * b for a, b in zip(r, h, strict=True)]
                inside = _affine((), reset, weight_ih, weight_hh, nothing, column) + second[column]
            new[j] = (1 - z[j]) * math.tanh(inputs + inside) + z[j] * h[j]
        return [new]

    y, (h_n,) = _walk(x, lengths, reverse, [h0], step)
    return y, h_n


def _same(image, weight):
    """conv2d with padding "same" of one image (height, width, c), tap by tap."""
    (kh, kw, _, c_out), (height, width, _) = weight.shape, image.shape
    out = np.zeros((height, width, c_out))
    for i in range(height):
        for j in range(width):
            for u in range(kh):
                for v in range(kw):
                    y, x = i + u - (kh - 1) // 2, j + v - (kw - 1) // 2
                    if 0 <= y < height and 0 <= x < width:
                        out[i, j] += image[y, x].astype(np.float64) @ weight[u, v]
    return out


def conv_lstm(x, h0, c0, weight_ih, weight_hh, bias, *, peephole=None):
    """Shi et al. 2015, equation 3, an image at a time."""
    p = np.zeros(3) if peephole is None else peephole
    logistic = np.vectorize(sigmoid)

    def step(x_t, h, c):
        a_i, a_f, a_g, a_o = np.split(_same(x_t, weight_ih) + _same(h, weight_hh) + bias, 4, axis=-1)
        i, f = logistic(a_i + p[0] * c), logistic(a_f + p[1] * c)
        new = f * c + i * np.tanh(a_g)
        return [logistic(a_o + p[2] * new) * np.tanh(new), new]

    n, t = x.shape[:2]
    y, last = np.zeros((n, t, *h0.shape[1:])), []
    for i in range(n):
        now = [h0[i].astype(np.float64), c0[i].astype(np.float64)]
        for time in range(t):
            now = step(x[i, time], *now)
            y[i, time] = now[0]
        last.append(now)
    return y, tuple(np.array([states[k] for states in last]).reshape(h0.shape) for k in (0, 1))
