"""The block that temporal convolutional networks are made of."""

import numpy as np

from neurojit.core.shapes import integers
from neurojit.layers.base import Layer
from neurojit.layers.combinators import Residual, Sequential
from neurojit.layers.conv import Conv1d
from neurojit.layers.dropout import Dropout
from neurojit.layers.piecewise import ReLU
from neurojit.layers.weight_norm import WeightNorm


class TemporalBlock(Sequential):
    """Two causal convolutions with a shortcut around them: y = relu(f(x) + x).

    f is twice a dilated causal convolution with normalized weights, a rectifier and dropout; where it changes the
    number of channels, the shortcut is a convolution of one step (Bai, Kolter and Koltun, "An empirical evaluation of
    generic convolutional and recurrent networks for sequence modeling" (2018), figure 1b). An output depends on its own
    step and earlier ones alone, so what pads a sequence at its end changes nothing before.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int
        Steps a convolution sees.
    dilation : int, default=1
        Steps from one of them to the next.
    dropout : float, default=0.2
        Share of activations that are dropped in training, each by itself as in the authors' code.

    See Also
    --------
    neurojit.models.tcn : a stack of these.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import TemporalBlock
    >>> TemporalBlock(8, 3, dilation=2)(np.ones((2, 10, 1), np.float32)).shape
    (2, 10, 8)
    """

    def __init__(self, filters, kernel_size, dilation=1, dropout=0.2):
        (self.filters,) = integers(filters, "filters", 1)
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.dropout = dropout
        layers = []
        for _ in range(2):
            convolution = Conv1d(filters, kernel_size, padding="causal", dilation=dilation)
            layers += [WeightNorm(convolution), ReLU(), Dropout(dropout)]
        super().__init__(Residual(*layers), ReLU())

    def config(self):
        return Layer.config(self)

    def _expression(self):
        return Layer._expression(self)

    def build(self, input_shape, key, dtype=np.float32):
        if input_shape[-1] != self.filters:
            self.layers[0].projection = Conv1d(self.filters, 1)
        super().build(input_shape, key, dtype)
