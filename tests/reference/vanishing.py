"""Omega as in the code published with Pascanu, Mikolov and Bengio (2013), one step of one sequence at a time."""

import numpy as np

BOUND = 1e-20


def omega(dh, slopes, weight_hh):
    """Mean of (|dh f'(z) W^T|^2 / |dh|^2 - 1)^2 over steps with a gradient; dh and slopes f'(z) are (steps, h)."""
    total, counted = 0.0, 0
    for d, slope in zip(dh, slopes, strict=True):
        if d @ d >= BOUND:
            back = weight_hh @ (d * slope)
            total += (back @ back / (d @ d) - 1) ** 2
            counted += 1
    return total / max(counted, 1)


def immediate_gradient(dh, slopes, weight_hh):
    """Central differences of `omega` in the weights, gradients and slopes held constant."""
    gradient = np.zeros_like(weight_hh)
    for i in np.ndindex(weight_hh.shape):
        step = np.zeros_like(weight_hh)
        step[i] = 1e-6
        gradient[i] = (omega(dh, slopes, weight_hh + step) - omega(dh, slopes, weight_hh - step)) / 2e-6
    return gradient


def states_and_gradients(x, h0, weight_ih, weight_hh, bias, dy, dh_n, relu):
    """h, dE/dh and f'(z) of one sequence (t, f), by backpropagation through time; dy (t, h), dh_n (h,)."""
    states, slopes, h = [], [], h0
    for row in x:
        z = row @ weight_ih + h @ weight_hh + bias
        h = np.maximum(z, 0) if relu else np.tanh(z)
        states.append(h)
        slopes.append((z > 0) * 1.0 if relu else 1 - h**2)
    gradients, later = [], dh_n
    for k in reversed(range(len(x))):
        gradients.append(dy[k] + later)
        later = weight_hh @ (gradients[-1] * slopes[k])
    return np.array(states), np.array(gradients[::-1]), np.array(slopes)
