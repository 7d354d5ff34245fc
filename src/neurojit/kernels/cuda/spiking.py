"""Leaky integrate-and-fire neurons, spike by spike; a block of threads takes a series, a thread some neurons.

As in kernels/cpu/spiking.py, but that each neuron gathers what comes to it: connections are listed by their receiver,
the sender with the lowest number first, so that sums have the order they have there. Flat arrays:

    spikes_in (all steps, C), first_step (S + 1,): the steps of each series    traces (all frames, N), first_frame (S,)
    starts (N + 1,), senders, weights: a neuron's connections from neurons; in_starts and so on: from channels
    excited, inhibited, voltage, trace (S, N)    resting, fired (S, N) int32    counts (S,) int32
"""

from neurojit.core.cuda import Eight, Floats, Int, Ints, Launch, cuda, cuda_kernel, quotient

THREADS = 256


def _plan(spikes_in, first_step, *others):
    return Launch(first_step.size - 1, THREADS)


@cuda_kernel(_plan, registers=64)
def liquids(
    spikes_in: Floats,
    first_step: Ints,
    in_starts: Ints,
    in_senders: Ints,
    in_weights: Floats,
    starts: Ints,
    senders: Ints,
    weights: Floats,
    numbers: Eight,
    refractory: Ints,
    excited: Floats,
    inhibited: Floats,
    voltage: Floats,
    resting: Ints,
    fired: Ints,
    trace: Floats,
    every: Int,
    first_frame: Ints,
    traces: Floats,
    counts: Ints,
):
    """Run the liquid along each series; the equations are those of `liquid` on the CPU.

    numbers : d_m, d_e, d_i, d_t (decay in a step), background, threshold, reset, 1 - d_m.
    """
    s, n, one = cuda.blockIdx.x, refractory.size, voltage.dtype.type(1)
    steps = first_step[s + 1] - first_step[s]
    channels = quotient(spikes_in.size, max(1, first_step[first_step.size - 1]))
    for t in range(steps):
        row, frame = (first_step[s] + t) * channels, quotient(t + 1, every)
        for i in range(cuda.threadIdx.x, n, THREADS):
            plus, minus = excited[s * n + i] * numbers[1], inhibited[s * n + i] * numbers[2]
            for k in range(starts[i], starts[i + 1]):
                if fired[s * n + senders[k]] != 0:
                    plus += max(weights[k], voltage.dtype.type(0))
                    minus += min(weights[k], voltage.dtype.type(0))
            for k in range(in_starts[i], in_starts[i + 1]):
                w = spikes_in[row + in_senders[k]] * in_weights[k]
                plus += max(w, voltage.dtype.type(0))
                minus += min(w, voltage.dtype.type(0))
            excited[s * n + i], inhibited[s * n + i] = plus, minus
        cuda.syncthreads()  # all have seen who fired
        for i in range(cuda.threadIdx.x, n, THREADS):
            at = s * n + i
            v = numbers[0] * voltage[at] + numbers[7] * (excited[at] + inhibited[at] + numbers[4])
            filtered, fires = trace[at] * numbers[3], 0
            if resting[at] > 0:
                resting[at] -= 1
                v = numbers[6]
            elif v >= numbers[5]:
                v, fires = numbers[6], 1
                resting[at] = refractory[i]
                filtered += one
                cuda.atomic.add(counts, s, 1)
            voltage[at], trace[at], fired[at] = v, filtered, fires
            if frame * every == t + 1:
                traces[(first_frame[s] + frame - 1) * n + i] = filtered
        cuda.syncthreads()
