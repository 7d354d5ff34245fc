"""Leaky integrate-and-fire neurons, spike by spike.

N neurons in steps of constant length. A spike of neuron j reaches targets[starts[j] : starts[j + 1]] one step later
with these weights; an input spike of channel c reaches those of the input's own lists at once.

spikes_in (T, C), counts    excited, inhibited, voltage, trace (N,)    resting (N,) int32    traces (frames, N)
"""

from neurojit.core.jit import kernel


@kernel
def deliver(count, targets, weights, first, last, excited, inhibited):
    """Add `count` spikes along a list of connections; a negative weight inhibits."""
    for i in range(first, last):
        w = count * weights[i]
        if w > 0:
            excited[targets[i]] += w
        else:
            inhibited[targets[i]] += w


@kernel
def liquid(
    spikes_in,
    in_starts,
    in_targets,
    in_weights,
    starts,
    targets,
    weights,
    numbers,
    refractory,
    excited,
    inhibited,
    voltage,
    resting,
    trace,
    every,
    traces,
):
    """Run a liquid; traces[k] are the filtered spikes after step (k + 1) * every. Returns the number of spikes.

    i_e <- d_e i_e + spikes, i_i <- d_i i_i + spikes, v <- d_m v + (1 - d_m) (i_e + i_i + background); at v >= threshold
    a spike, v <- reset, and silence for `refractory` steps. trace <- d_t trace + spikes.

    numbers : d_m, d_e, d_i, d_t (decay in a step), background, threshold, reset.
    """
    keep_voltage, keep_excited, keep_inhibited, keep_trace, background, threshold, reset = numbers
    n = voltage.size
    total = 0
    fired = resting.copy()
    n_fired = 0
    for t in range(spikes_in.shape[0]):
        for i in range(n):
            excited[i] *= keep_excited
            inhibited[i] *= keep_inhibited
        for k in range(n_fired):
            j = fired[k]
            deliver(1.0, targets, weights, starts[j], starts[j + 1], excited, inhibited)
        for c in range(spikes_in.shape[1]):
            if spikes_in[t, c] != 0:
                deliver(spikes_in[t, c], in_targets, in_weights, in_starts[c], in_starts[c + 1], excited, inhibited)
        n_fired = 0
        for i in range(n):
            voltage[i] = keep_voltage * voltage[i] + (1.0 - keep_voltage) * (excited[i] + inhibited[i] + background)
            trace[i] *= keep_trace
            if resting[i] > 0:
                resting[i] -= 1
                voltage[i] = reset
            elif voltage[i] >= threshold:
                voltage[i] = reset
                resting[i] = refractory[i]
                trace[i] += 1.0
                fired[n_fired] = i
                n_fired += 1
        total += n_fired
        if (t + 1) % every == 0:
            traces[(t + 1) // every - 1] = trace
    return total
