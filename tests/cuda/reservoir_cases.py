"""Reservoirs and liquids on the device, and on the CPU."""

import dataclasses

import numpy as np

from neurojit.core.random import Key
from neurojit.reservoirs import Liquid, make_reservoir
from neurojit.reservoirs.liquid import run_all


@dataclasses.dataclass(frozen=True)
class States:
    """The states of some series of one length, and how the first goes on by itself."""

    options: dict
    noise: float = 0.0
    tolerance: float = 2e-6

    def __str__(self):
        return f"reservoir {','.join(f'{name}={value}' for name, value in self.options.items())}"

    def run(self, dtype, move):
        made = make_reservoir(2, dtype=dtype, random_state=0, **self.options)
        made.to("cpu" if move is np.array else "cuda")
        rng = np.random.default_rng(0)
        u, start = rng.standard_normal((3, 4, 2)), rng.standard_normal((3, made.size))
        keys = [Key(i) for i in range(3)]
        return [made.run_batch(u, start, noise=self.noise, keys=keys, first=5), made.run(u[0])]

    value = run


@dataclasses.dataclass(frozen=True)
class Spikes:
    """The filtered spikes of trains of different lengths, and how many spikes there were; in float64 wherever."""

    tolerance: float = 1e-12

    def __str__(self):
        return "liquid"

    def run(self, dtype, move):
        liquid = Liquid(2, shape=(2, 2, 3), strength=2.0, random_state=1)
        liquid.to("cpu" if move is np.array else "cuda")
        rng = np.random.default_rng(0)
        trains = [rng.integers(0, 3, (steps, 2)) for steps in (11, 6)]
        traces, spikes = liquid.run(trains[0], 2)
        assert spikes > 0
        return [traces, np.array([spikes]), *run_all(liquid, trains, 3)]

    value = run


CASES = [
    States({"n_units": 37, "fan_in": 3, "leak_rate": 0.3, "n_layers": 2}, noise=0.1),
    States({"n_units": 21, "topology": "random", "density": 0.2, "activation": "sigmoid", "n_layers": 2}),
    States({"n_units": 9, "topology": "random", "fan_in": 9, "activation": "relu"}, noise=0.2),
    Spikes(),
]
