"""Recurrent networks that are fed one step at a time, with all but the step prepared."""

import numpy as np

from neurojit.core.arrays import canonical


class RecurrentStream:
    """Sequences side by side that go on: each call takes their next step.

    Made by ``F.lstm.stream``, ``F.gru.stream`` and ``F.rnn.stream``, whose arguments are those of the operation but x,
    with a state to start from, and by the `stream` of a layer. Weights are checked and made ready once, so that
    a step is little more than its arithmetic; later changes to them may or may not be seen.

    Parameters
    ----------
    prepare : callable
        ``prepare(x, before, after)`` gives a kernel and its arguments for a step from the states `before` (n, h) to
        those `after` (n, 1, h), of the inputs x (n, 1, f).
    inputs : int
        f.
    h0 : numpy.ndarray, shape (n, h)

    Raises
    ------
    TypeError, ValueError
        In a call: if x is not (n, f), or of another precision.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> x, h0, w = np.ones((1, 2, 1), np.float32), np.zeros((1, 1), np.float32), np.ones((1, 4), np.float32)
    >>> stream = F.lstm.stream(h0, None, w, w)
    >>> stream(x[:, 0]).round(2), stream(x[:, 1]).round(2)
    (array([[0.37]], dtype=float32), array([[0.65]], dtype=float32))
    >>> F.lstm(x, None, None, w, w)[0].ravel().round(2)
    array([0.37, 0.65], dtype=float32)
    """

    def __init__(self, prepare, inputs, h0):
        n, h = h0.shape
        self._x = np.empty((n, inputs), h0.dtype)
        self._states = [h0.copy(), np.empty_like(h0)]  # before a step and after it, in turn
        x = self._x.reshape(n, 1, inputs)
        turns = (self._states, self._states[::-1])
        self._steps = [prepare(x, before, after.reshape(n, 1, h)) for before, after in turns]
        self._turn = 0

    def __call__(self, x):
        held = self._x
        if type(x) is not np.ndarray or x.shape != held.shape or x.dtype != held.dtype:
            x = canonical(x, "x", dtype=held.dtype, shape=held.shape)
        held[...] = x
        kernel, arguments = self._steps[self._turn]
        kernel(*arguments)
        self._turn = 1 - self._turn
        return self._states[self._turn].copy()


def check_start(h0, weight_ih):
    """A step of zeros, (n, 1, f), for a stream that starts from h0 and has weights of f inputs."""
    h0, weight_ih = canonical(h0, "h0", ndim=2), canonical(weight_ih, "weight_ih", ndim=2)
    return np.zeros((len(h0), 1, len(weight_ih)), h0.dtype)
