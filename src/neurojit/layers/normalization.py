"""Normalization layers."""

import numpy as np

from neurojit.functional.normalization import batch_norm
from neurojit.layers.base import Layer, Parameter


class BatchNorm(Layer):
    """Normalize every channel: by the batch's moments in training, by their running averages in inference.

    Parameters
    ----------
    momentum : float, default=0.1
        How much a batch counts in the running averages: running = (1 - momentum) running + momentum batch. A batch's
        variance goes in unbiased, as in PyTorch.
    eps : float, default=1e-5
        Keeps the divisor from zero.

    Attributes
    ----------
    gamma, beta : Parameter, shape (channels,)
        Scale, at first 1, and shift, at first 0.
    running_mean, running_var : numpy.ndarray, shape (channels,)
        At first 0 and 1; changed by passes in training.

    See Also
    --------
    neurojit.functional.batch_norm : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import BatchNorm
    >>> from neurojit.layers.base import Mode
    >>> layer, x = BatchNorm(momentum=1.0), np.array([[1.0], [3.0]])
    >>> layer(x, Mode(training=True)).round(2).ravel()
    array([-1.,  1.])
    >>> layer.running_mean, layer.running_var
    (array([2.]), array([2.]))
    """

    def __init__(self, momentum=0.1, eps=1e-5):
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum: got {momentum!r}, wanted a number from 0 to 1")
        if not eps > 0:
            raise ValueError(f"eps: got {eps!r}, wanted a number > 0")
        self.momentum = momentum
        self.eps = eps
        self.gamma = self.beta = self.running_mean = self.running_var = None

    def build(self, input_shape, key, dtype=np.float32):
        channels = input_shape[-1]
        self.gamma = Parameter(np.ones(channels, dtype))
        self.beta = Parameter(np.zeros(channels, dtype))
        self.running_mean = np.zeros(channels, dtype)
        self.running_var = np.ones(channels, dtype)

    def operation(self, mode):
        if mode.training:
            options = {"observe": self._observe}
        else:
            options = {"mean": self.running_mean, "var": self.running_var}
        return batch_norm, (self.gamma, self.beta), {"eps": self.eps, **options}

    def _observe(self, mean, var, count):
        unbiased = var * (count / max(count - 1, 1))
        for running, batch in ((self.running_mean, mean), (self.running_var, unbiased)):
            running += self.momentum * (batch - running)
