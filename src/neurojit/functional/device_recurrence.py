"""Recurrent networks on the device, whose sequences are laid out by step: see kernels/cuda/recurrence.py."""

import functools

import numpy as np

from neurojit.core.cuda import current_target, device_empty, to_device
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.device_products import outer_product, product, transposed
from neurojit.functional.device_rows import scaled_steps, summed_rows, taken_rows
from neurojit.kernels.cuda import walks

_OVER = -1
_MOST_ROWS = 256  # more sequences keep the tiles of a product for each step busy


@functools.lru_cache(maxsize=64)
def _times(n, t, reverse):
    """The time of every step of sequences that all have t, (t, n)."""
    steps = np.arange(t)[:, np.newaxis]
    return np.broadcast_to(t - 1 - steps if reverse else steps, (t, n))


class DeviceSequences:
    """A checked batch and how it is walked, step by step.

    Parameters
    ----------
    x : DeviceArray, shape (n, t, f), or (n, t, 0) where inputs are tokens
    tokens : numpy.ndarray, shape (n, t), or (0, 0)
    h0 : DeviceArray, shape (n, h), or None
    ends : numpy.ndarray, shape (n,), or None
        Lengths, where they differ from t.
    reverse : bool
    units : int
        h.
    mask : array, shape (n, h), or None
        What products see of the states.
    """

    def __init__(self, x, tokens, h0, ends, reverse, units, mask):
        self.x, self.tokens, self.ends, self.units, self.dtype = x, tokens, ends, units, x.dtype
        self.n, self.steps, self.inputs = x.shape
        self.reads_tokens = self.inputs == 0
        self.mask = device_empty(0, x.dtype) if mask is None else to_device(mask)
        self.lengths = device_empty(0, np.int32) if ends is None else to_device(ends.astype(np.int32))
        self.states = self.room(self.steps + 1, units)
        self.h0 = self.zeros() if h0 is None else h0
        self.state = scaled_steps(self.h0, self.mask)
        if self.state is self.h0:
            self.state = self.h0.copy()
        self._lay_out(reverse)

    def _lay_out(self, reverse):
        """From steps to times and back: which row of the one each row of the other is."""
        n, t = self.n, self.steps
        times = _times(n, t, reverse)
        if self.ends is not None:
            steps = np.arange(t)[:, np.newaxis]
            times = np.where(steps < self.ends, self.ends - 1 - steps if reverse else steps, _OVER)
        rows = np.arange(n)
        self.times = times
        self.from_time = np.where(times == _OVER, _OVER, rows * t + times)
        self.from_step = np.full((n, t), _OVER)
        step, row = np.nonzero(times != _OVER)
        self.from_step[row, times[step, row]] = step * n + row

    def room(self, steps, columns):
        """Room for something of so many steps."""
        return device_empty((steps, self.n, columns), self.dtype)

    def zeros(self):
        """Zeros of the shape of the states."""
        return to_device(np.zeros((self.n, self.units), self.dtype))

    def by_step(self, array):
        """An array (n, t, columns) by step, (t, n, columns), zeros past the ends."""
        return taken_rows(array.reshape(-1, array.shape[-1]), self.from_time)

    def by_time(self, array, first=0):
        """An array by step as one by time, (n, t, columns), zeros past the ends; step s is at first + s."""
        numbers = np.where(self.from_step == _OVER, _OVER, self.from_step + first * self.n)
        return taken_rows(array.reshape(-1, array.shape[-1]), numbers)

    @functools.cached_property
    def _inputs(self):
        return self.by_step(self.x)

    @functools.cached_property
    def _tokens(self):
        """Tokens by step, below zero past the ends."""
        by_step = np.take_along_axis(self.tokens, np.maximum(self.times, 0).T, axis=1).T
        return np.where(self.times == _OVER, _OVER, by_step)

    def input_products(self, weight_ih, bias):
        """What the inputs of all steps give to the gates, (t, n, columns)."""
        if self.reads_tokens:
            return taken_rows(weight_ih, self._tokens, bias)
        return product(self._inputs, weight_ih, bias)

    def start(self):
        """Put the first states in their place; returns the states after each step, with room for these."""
        first = self.states.head(1)
        first[...] = self.h0.reshape(first.shape)
        return self.states

    def outputs(self):
        """y (n, t, h), and the states after each sequence's last step, (n, h)."""
        last = np.arange(self.n) + self.steps * self.n
        return self.by_time(self.states, 1), taken_rows(self.states.reshape(-1, self.units), last)

    def own_units(self, kernel):
        """Units of a block of a kernel of all steps; 0 where a product for each step is to be made."""
        own = walks.own_units(self.units)
        if own == 0 or not 0 < self.n <= _MOST_ROWS:
            return 0
        return own if -(-self.units // own) <= kernel.resident * current_target().processors else 0

    def exchange(self, own, width):
        """The last arguments of kernels that walk: units, own units, and room for `width` numbers a unit and row."""
        return self.units, own, device_empty(2 * self.n * self.units * width, self.dtype)

    def seen_states(self):
        """The states before each step, as products saw them, (t, n, h)."""
        return scaled_steps(self.states.head(self.steps), self.mask)

    def input_gradient(self, dgates, weight_ih):
        """dx (n, t, f)."""
        return self.by_time(product(dgates, transposed(weight_ih)))

    def input_weight_gradient(self, dgates, rows):
        """dweight_ih (rows, columns)."""
        if self.reads_tokens:
            return summed_rows(self._tokens, dgates, rows)
        return outer_product(self._inputs, dgates)

    def gradients(self, dgates, weight_ih, wrt):
        """dx, dweight_ih and dbias, as far as they are wanted."""
        dx = self.input_gradient(dgates, weight_ih) if wrt[0] and not self.reads_tokens else None
        dweight = self.input_weight_gradient(dgates, len(weight_ih)) if wrt[1] else None
        return dx, dweight, sum_over_rows(dgates) if wrt[2] else None


def check_no_checkpoints(every):
    """Raise for what is not there on the device."""
    if every is not None:
        raise NotImplementedError(
            f"checkpoint_every: got {every}, wanted None for arrays on the device, where all steps are kept"
        )
