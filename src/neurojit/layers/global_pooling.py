"""Layers that pool over all positions of a sample."""

from neurojit import functional as F
from neurojit.layers.base import Layer


class GlobalAvgPool(Layer):
    """Mean over all positions of a sample, channel by channel.

    See Also
    --------
    neurojit.functional.global_avg_pool : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import GlobalAvgPool
    >>> GlobalAvgPool()(np.ones((2, 5, 5, 3), np.float32)).shape
    (2, 3)
    """

    def operation(self, mode):
        return F.global_avg_pool, (), {}

    def output_shape(self, input_shape):
        return (input_shape[-1],)


class GlobalMaxPool(Layer):
    """Largest value over all positions of a sample, channel by channel.

    See Also
    --------
    neurojit.functional.global_max_pool : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import GlobalMaxPool
    >>> GlobalMaxPool()(np.ones((2, 5, 5, 3), np.float32)).shape
    (2, 3)
    """

    def operation(self, mode):
        return F.global_max_pool, (), {}

    def output_shape(self, input_shape):
        return (input_shape[-1],)
