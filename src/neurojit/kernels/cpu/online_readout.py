"""Linear readouts that learn step by step.

w (O, D)    p (D, D), the running inverse of Z'Z    z (T, D), a row of features a step    y (T, O), targets
"""

import numpy as np

from neurojit.core.jit import kernel
from neurojit.kernels.cpu.reservoir import buffers, is_finite, load_units, step, store_units, take_inputs


@kernel
def dot(a, b):
    """Inner product of two vectors."""
    total = a.dtype.type(0)
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@kernel
def rls_step(z, y, forgetting, w, p, gain):
    """Recursive least squares for one row: k = P z / (forgetting + z'P z), w += (y - w z) k', P = (P - k z'P) / f."""
    one = z.dtype.type(1)
    for i in range(z.size):
        gain[i] = dot(p[i], z)
    scale = one / (forgetting + dot(gain, z))
    for o in range(w.shape[0]):
        error = scale * (y[o] - dot(w[o], z))
        for i in range(z.size):
            w[o, i] += error * gain[i]
    for i in range(z.size):
        factor = scale * gain[i]
        for j in range(z.size):
            p[i, j] = (p[i, j] - factor * gain[j]) / forgetting


@kernel
def rls(z, y, forgetting, w, p):
    """`rls_step` for row after row."""
    gain = np.empty(z.shape[1], z.dtype)
    for t in range(z.shape[0]):
        rls_step(z[t], y[t], forgetting, w, p, gain)


@kernel
def lms(z, y, rate, w):
    """Least mean squares: w += rate (y - w z) z' for row after row (Widrow and Hoff 1960)."""
    for t in range(z.shape[0]):
        for o in range(w.shape[0]):
            error = rate * (y[t, o] - dot(w[o], z[t]))
            for i in range(z.shape[1]):
                w[o, i] += error * z[t, i]


@kernel
def force(
    u,
    w_in,
    bias,
    panels,
    codes,
    weight,
    index,
    starts,
    shift,
    leak,
    activation,
    targets,
    forgetting,
    inputs,
    w,
    p,
    state,
    last,
):
    """FORCE (Sussillo and Abbott 2009): the output fed back is the network's own, while its readout is learnt.

    Features are [1; the first `inputs` of u; state], w and p their readout; `state` and `last`, the output, come in as
    those before step 0 and end as the last ones. Returns the number of steps done: fewer than u has when an output is
    no longer finite.
    """
    layers, n = bias.shape
    x, pre, words = buffers(state, n, layers)
    load_units(state, layers, x)
    v = np.zeros(w_in.shape[0], state.dtype)
    z, gain = np.ones(w.shape[1]), np.empty(w.shape[1])
    silent, seed = state.dtype.type(0), np.uint64(0)
    for t in range(u.shape[0]):
        take_inputs(u, t, last, v)
        step(
            v, w_in, bias, panels, codes, weight, index, starts, shift, leak, activation, silent, seed, t, x, pre, words
        )
        store_units(x, n, state)
        for f in range(inputs):
            z[1 + f] = v[f]
        for i in range(state.size):
            z[1 + inputs + i] = state[i]
        for o in range(w.shape[0]):
            last[o] = dot(w[o], z)
            if not is_finite(last[o]):
                return t
        rls_step(z, targets[t], forgetting, w, p, gain)
    return u.shape[0]
