"""One row of features of each series: pooled states of a reservoir."""

import numpy as np

from neurojit.core.device import threads
from neurojit.core.progress import progress_bar
from neurojit.estimators.reservoir_options import ReservoirEstimator
from neurojit.reservoirs import Drive, harvest

POOLINGS = ("mean", "last", "concat")


class SeriesFeatures(ReservoirEstimator):
    """Base of estimators that make one row of features of each series."""

    def _check_pooling(self, allowed):
        if self.pooling not in allowed:
            raise ValueError(f"pooling: got {self.pooling!r}, wanted one of {', '.join(map(repr, allowed))}")
        if self.n_states < 1:
            raise ValueError(f"n_states: got {self.n_states!r}, wanted an integer >= 1")

    def _check_length(self, series):
        for i, u in enumerate(series):
            if len(u) <= self.washout:
                raise ValueError(f"washout: got {self.washout}, wanted fewer than the {len(u)} steps of series {i}")

    def _rows(self, series):
        """Features of each series, (n_series, n_features): pooled states, and pooled inputs where these are seen."""
        reservoir = self.reservoir_
        state = np.zeros((len(series), reservoir.size), reservoir.dtype)
        seen = series[0].shape[1] if self.input_to_readout else 0
        parts = self.n_states if self.pooling == "concat" else 1
        rows = np.zeros((len(series), parts, seen + reservoir.size))
        wanted = [self._steps_wanted(len(u)) for u in series]
        with threads(self.n_threads):
            for piece in self._pieces(series, state):
                for i, s, steps in piece.rows(self.washout):
                    z = np.concatenate([piece.inputs[i, steps, :seen], piece.states[i, steps]], axis=1)
                    if self.pooling == "mean":
                        rows[s, 0] += z.sum(axis=0, dtype=np.float64) / (len(series[s]) - self.washout)
                        continue
                    for part, step in enumerate(wanted[s]):
                        at = step - piece.first - steps.start
                        if 0 <= at < len(z):
                            rows[s, part] = z[at]
        return rows.reshape(len(series), -1)

    def _pieces(self, series, state):
        """The reservoir's states along the series, piece by piece, with a bar if one is wanted."""
        with progress_bar("harvest", "steps", sum(map(len, series)), shown=self.verbose) as update:
            for piece in harvest(self.reservoir_, Drive(series), state):
                yield piece
                update(int(piece.lengths.sum()))

    def _steps_wanted(self, length):
        """The steps whose states are joined: evenly spaced, the last one of the series among them."""
        if self.pooling != "concat":
            return [length - 1]
        left = length - self.washout
        return [self.washout + max(-(-left * (k + 1) // self.n_states) - 1, 0) for k in range(self.n_states)]
