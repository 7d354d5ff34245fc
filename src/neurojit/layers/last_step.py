"""From sequences to their ends."""

import numpy as np

from neurojit.core.cuda import on_device
from neurojit.functional.device_rows import taken_entries
from neurojit.layers.base import INFERENCE, Layer


class LastStep(Layer):
    """The last valid step of each sequence, y_i = x_i[lengths_i - 1]: from a label a step to one a sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LastStep, Mode
    >>> x = np.arange(6.0).reshape(2, 3, 1)
    >>> LastStep()(x).ravel(), LastStep()(x, Mode(lengths=np.array([1, 3]))).ravel()
    (array([2., 5.]), array([0., 5.]))
    """

    def output_shape(self, input_shape):
        if len(input_shape) < 2:
            raise ValueError(f"LastStep: got samples of shape {tuple(input_shape)}, wanted (t, ...)")
        return tuple(input_shape[1:])

    def forward(self, x, mode=INFERENCE):
        return _taken(x, _ends(x, mode))

    def vjp(self, x, mode=INFERENCE):
        ends, shape = _ends(x, mode), x.shape

        def backward(dy, need_dx=True):
            if not need_dx:
                return None, {}
            if on_device(dy):
                rows = np.where(np.arange(shape[1]) == ends[1][:, np.newaxis], ends[0][:, np.newaxis], -1)
                return taken_entries(dy, rows), {}
            dx = np.zeros(shape, dy.dtype)
            dx[ends] = dy
            return dx, {}

        return _taken(x, ends), backward


def _taken(x, ends):
    """x at its ends."""
    if not on_device(x):
        return x[ends]
    n, t = x.shape[:2]
    return taken_entries(x.reshape(n * t, *x.shape[2:]), ends[0] * t + ends[1])


def _ends(x, mode):
    """Where the last valid steps lie."""
    if x.ndim < 3:
        raise ValueError(f"x: got shape {x.shape}, wanted sequences (n, t, ...) for LastStep")
    lengths = np.full(len(x), x.shape[1]) if mode.lengths is None else mode.lengths
    return np.arange(len(x)), lengths - 1
