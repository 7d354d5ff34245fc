"""How an echo state network learns and runs, in steps that estimators put together."""

import numpy as np

from neurojit.core.memory import empty
from neurojit.core.progress import progress_bar
from neurojit.estimators.linear_readout import make_readout
from neurojit.estimators.options import device_of
from neurojit.estimators.reservoir_options import ReservoirEstimator
from neurojit.estimators.series import check_series
from neurojit.reservoirs import FORCE, Drive, harvest
from neurojit.reservoirs.reservoir import check_finite

_NOISE = 100  # sub-stream of the estimator's random key


class TrainedReservoir(ReservoirEstimator):
    """Base of `EchoStateRegressor`: a reservoir, a readout, and where the two stand in time."""

    def _check_force(self):
        if (self.readout == "force" or isinstance(self.readout, FORCE)) and not self.feedback:
            raise ValueError("feedback: got False with a FORCE readout, wanted True: it learns in the loop")
        if (self.readout == "force" or isinstance(self.readout, FORCE)) and device_of(self) == "cuda":
            raise ValueError("device: got 'cuda' with a FORCE readout, wanted 'cpu': it learns in the loop, on the CPU")

    def _start(self, n_outputs, columns):
        self.n_outputs_ = n_outputs
        self._columns = columns
        self.reservoir_ = self._make_reservoir(self.n_features_in_, n_outputs if self.feedback else 0)
        self._start_readout()
        self.reset_state()

    def _start_readout(self, state=None):
        """A readout that knows nothing, or what another one gave as its state."""
        n_features = self.reservoir_.size + self._n_seen
        self.readout_ = make_readout(self.readout, self.ridge, n_features, self.n_outputs_, state)

    @property
    def _n_seen(self):
        """How many inputs the readout sees."""
        return self.n_features_in_ if self.input_to_readout else 0

    def _learn(self, series, targets):
        """Run the series through the reservoir and give what it makes of them to the readout."""
        state = self._start_states(len(series))
        washout, first = max(self.washout - self._n_steps, 0), self._n_steps
        if isinstance(getattr(getattr(self.readout_, "online", None), "rule", None), FORCE):
            self._learn_in_the_loop(series, targets, state)
        else:
            drive = Drive(series, targets if self.feedback else None, self._output)
            options = {"noise": self.noise, "key": self._key.child(_NOISE), "first": first}

            def rows_of(piece):
                z, which, steps = self._features(piece, washout)
                return z, stack_rows(targets, which, steps)

            n_steps = sum(max(len(u) - washout, 0) for u in series)
            with progress_bar("harvest", "steps", n_steps, shown=self.verbose) as update:
                for z, y in harvest(self.reservoir_, drive, state, take=rows_of, **options):
                    self.readout_.add(z, y)
                    update(len(z))
            self._output = targets[-1][-1].copy()
        self._finish()
        self._state, self._n_steps = state[-1].copy(), first + len(series[-1])

    def _finish(self):
        """Have the readout trained on what it was given."""
        self.readout_.finish()
        if self.readout_.linear is not None:
            self.coef_, self.intercept_ = self.readout_.linear
        if self.readout is None:
            self.ridge_ = self.readout_.fit.ridge

    def _learn_in_the_loop(self, series, targets, state):
        with progress_bar("harvest", "steps", sum(map(len, series)), shown=self.verbose) as update:
            for s, (u, y) in enumerate(zip(series, targets, strict=True)):
                last = np.array(self._output, self.reservoir_.dtype)
                self.readout_.online.force(self.reservoir_, u, y, state[s], last, self._n_seen)
                update(len(u))
        self._output = last.astype(np.float64)

    def _features(self, piece, washout=0):
        """Rows [inputs seen; state] of a piece in float64, all series in one; the series, and which steps of each."""
        parts = list(piece.rows(washout))
        n_rows = sum(rows.stop - rows.start for _, _, rows in parts)
        z = empty((n_rows, self._n_seen + self.reservoir_.size), np.float64)
        at = 0
        for i, _, rows in parts:
            stop = at + rows.stop - rows.start
            z[at:stop, : self._n_seen] = piece.inputs[i, rows, : self._n_seen]
            z[at:stop, self._n_seen :] = piece.states[i, rows]
            at = stop
        steps = [slice(piece.first + rows.start, piece.first + rows.stop) for _, _, rows in parts]
        return z, [s for _, s, _ in parts], steps

    def _start_states(self, n_series):
        """Where series start: one where the last ended, several at zero."""
        state = np.zeros((n_series, self.reservoir_.size), self.reservoir_.dtype)
        if n_series == 1:
            state[0] = self._state
        return state

    def _open(self, series, state):
        outputs = [np.empty((len(u), self.n_outputs_)) for u in series]
        for z, which, steps in harvest(self.reservoir_, Drive(series), state, take=self._features):
            y, at = self.readout_.predict(z), 0
            for s, rows in zip(which, steps, strict=True):
                outputs[s][rows] = y[at : at + rows.stop - rows.start]
                at += rows.stop - rows.start
        return outputs

    def _closed(self, series, state, before):
        outputs = []
        for s, u in enumerate(series):
            y, state[s] = self._loop(u, state[s], before, len(u))
            outputs.append(y.astype(np.float64))
        return outputs

    def _loop(self, u, state, before, n_steps):
        """Outputs that are fed back, and the last state; past the rows of u, outputs are the inputs."""
        if self.readout_.linear is not None:
            w_out, offset = self.readout_.linear
            return self.reservoir_.close_loop(u, w_out, offset, state, before, n_steps, inputs_to_readout=self._n_seen)
        outputs = np.empty((n_steps, self.n_outputs_))
        for t in range(n_steps):
            v = np.concatenate([u[t] if t < len(u) else before, before if self.feedback else []])
            state = self.reservoir_.run(v[None], state)[0]
            before = outputs[t] = self.readout_.predict(np.concatenate([v[: self._n_seen], state])[None])[0]
            if not np.isfinite(before).all():
                check_finite(t, n_steps)
        return outputs, state

    def _prime(self, prime):
        """Stand at the end of a series: its last row is the input that comes next."""
        (u,), many = check_series(self, prime, reset=False, name="prime")
        if many:
            raise ValueError("prime: got a list of series, wanted a single one")
        self.reset_state()
        state = self._start_states(1)
        drive = Drive([u[:-1]], [u[1:]] if self.feedback else None, u[0])
        for _ in harvest(self.reservoir_, drive, state):
            pass
        self._state, self._output, self._n_steps = state[0].copy(), np.array(u[-1], np.float64), len(u) - 1


def stack_rows(targets, series, steps):
    """The targets of some steps of some series, one after the other."""
    rows = [targets[s][rows] for s, rows in zip(series, steps, strict=True)]
    return np.concatenate(rows) if rows else np.empty((0, targets[0].shape[1]))
