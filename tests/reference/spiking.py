"""Leaky integrate-and-fire neurons with dense matrices, from the equations."""

import numpy as np


def liquid(spikes, input_weights, weights, numbers, refractory, start):
    """Traces (T, N) and all spikes (T, N); weights[j, i] from j to i, those below zero inhibit."""
    keep_voltage, keep_excited, keep_inhibited, keep_trace, background, threshold, reset = numbers
    n = len(weights)
    voltage, excited, inhibited, trace = start.copy(), np.zeros(n), np.zeros(n), np.zeros(n)
    silent, fired = np.zeros(n, int), np.zeros(n)
    traces, trains = [], []
    for row in spikes:
        excited = keep_excited * excited + fired @ np.maximum(weights, 0) + row @ np.maximum(input_weights, 0)
        inhibited = keep_inhibited * inhibited + fired @ np.minimum(weights, 0) + row @ np.minimum(input_weights, 0)
        voltage = keep_voltage * voltage + (1 - keep_voltage) * (excited + inhibited + background)
        fired = ((silent == 0) & (voltage >= threshold)).astype(float)
        voltage = np.where((silent > 0) | (fired > 0), reset, voltage)
        silent = np.where(fired > 0, refractory, np.maximum(silent - 1, 0))
        trace = keep_trace * trace + fired
        traces.append(trace)
        trains.append(fired)
    return np.array(traces), np.array(trains)
