"""Dropout."""

from neurojit.functional.dropout import check_rate, dropout
from neurojit.layers.base import INFERENCE, Layer


class Dropout(Layer):
    """Set a random share of the inputs to zero in training; do nothing in inference.

    Parameters
    ----------
    rate : float, default=0.5
        Share of inputs to drop, 0 <= rate < 1.

    Raises
    ------
    TypeError, ValueError
        If `rate` is no number in [0, 1); in training, if the mode has no key to draw with.

    See Also
    --------
    neurojit.functional.dropout : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Dropout
    >>> Dropout(0.5)(np.ones((1, 3), np.float32))
    array([[1., 1., 1.]], dtype=float32)
    """

    def __init__(self, rate=0.5):
        check_rate(rate)
        self.rate = rate

    def operation(self, mode):
        if mode.key is None:
            raise ValueError("mode.key: got None, wanted a Key for Dropout in training")
        return dropout, (), {"rate": self.rate, "key": mode.key}

    def forward(self, x, mode=INFERENCE):
        return super().forward(x, mode) if mode.training else x

    def vjp(self, x, mode=INFERENCE):
        if mode.training:
            return super().vjp(x, mode)
        return x, lambda dy, need_dx=True: (dy if need_dx else None, {})
