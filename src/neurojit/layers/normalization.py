"""Normalization layers."""

import numpy as np

from neurojit import functional as F
from neurojit.core.shapes import integers
from neurojit.functional.normalization import follow
from neurojit.layers.base import Layer, Parameter


def _check_eps(eps):
    if not eps > 0:
        raise ValueError(f"eps: got {eps!r}, wanted a number > 0")


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
        _check_eps(eps)
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
        return F.batch_norm, (self.gamma, self.beta), {"eps": self.eps, **options}

    def _observe(self, mean, var, count):
        unbiased = var * (count / max(count - 1, 1))
        for running, batch in ((self.running_mean, mean), (self.running_var, unbiased)):
            follow(running, batch, self.momentum)


class _Affine(Layer):
    """A normalization with a scale, at first 1, and a shift, at first 0, for each channel."""

    def __init__(self, eps=1e-5):
        _check_eps(eps)
        self.eps = eps
        self.gamma = self.beta = None

    def build(self, input_shape, key, dtype=np.float32):
        self._make_affine(input_shape[-1:], dtype)

    def _make_affine(self, shape, dtype):
        self.gamma = Parameter(np.ones(shape, dtype))
        self.beta = Parameter(np.zeros(shape, dtype))


class InstanceNorm(_Affine):
    """Normalize every channel of every sample by its own moments.

    Parameters
    ----------
    eps : float, default=1e-5
        Keeps the divisor from zero.

    Attributes
    ----------
    gamma, beta : Parameter, shape (channels,)
        Scale, at first 1, and shift, at first 0.

    See Also
    --------
    neurojit.functional.instance_norm : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import InstanceNorm
    >>> InstanceNorm()(np.array([[[1.0], [3.0]]])).round(2).ravel()
    array([-1.,  1.])
    """

    def operation(self, mode):
        return F.instance_norm, (self.gamma, self.beta), {"eps": self.eps}


class GroupNorm(_Affine):
    """Normalize groups of channels of every sample by their own moments.

    Parameters
    ----------
    groups : int, default=32
        A divisor of the channels; 32 is the paper's (Wu and He 2018, section 4).
    eps : float, default=1e-5
        Keeps the divisor from zero.

    Attributes
    ----------
    gamma, beta : Parameter, shape (channels,)
        Scale, at first 1, and shift, at first 0.

    See Also
    --------
    neurojit.functional.group_norm : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import GroupNorm
    >>> GroupNorm(groups=2)(np.array([[1.0, 3.0, 10.0, 30.0]])).round(2)
    array([[-1.,  1., -1.,  1.]])
    """

    def __init__(self, groups=32, eps=1e-5):
        super().__init__(eps)
        (self.groups,) = integers(groups, "groups", 1)

    def build(self, input_shape, key, dtype=np.float32):
        if input_shape[-1] % self.groups:
            raise ValueError(f"groups: got {self.groups}, wanted a divisor of the {input_shape[-1]} channels")
        super().build(input_shape, key, dtype)

    def operation(self, mode):
        return F.group_norm, (self.gamma, self.beta), {"groups": self.groups, "eps": self.eps}


class LayerNorm(_Affine):
    """Normalize the features of every position.

    Parameters
    ----------
    axis : int or tuple of int, default=-1
        The axes normalized over, of arrays with the batch axis: ``(1, 2, 3)`` for whole images.
    eps : float, default=1e-5
        Keeps the divisor from zero.

    Attributes
    ----------
    gamma, beta : Parameter, shape of the input along `axis`
        Scale, at first 1, and shift, at first 0.

    See Also
    --------
    neurojit.functional.layer_norm : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LayerNorm
    >>> LayerNorm()(np.array([[1.0, 3.0], [10.0, 30.0]])).round(2)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    def __init__(self, axis=-1, eps=1e-5):
        super().__init__(eps)
        self.axis = axis

    def build(self, input_shape, key, dtype=np.float32):
        self._make_affine(_along(self.axis, input_shape), dtype)

    def operation(self, mode):
        return F.layer_norm, (self.gamma, self.beta), {"axis": self.axis, "eps": self.eps}


class RMSNorm(Layer):
    """Divide the features of every position by their root mean square.

    Parameters
    ----------
    axis : int or tuple of int, default=-1
        The axes normalized over, of arrays with the batch axis.
    eps : float, default=1e-5
        Keeps the divisor from zero.

    Attributes
    ----------
    gamma : Parameter, shape of the input along `axis`
        Scale, at first 1.

    See Also
    --------
    neurojit.functional.rms_norm : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import RMSNorm
    >>> RMSNorm()(np.array([[3.0, -3.0]])).round(2)
    array([[ 1., -1.]])
    """

    def __init__(self, axis=-1, eps=1e-5):
        _check_eps(eps)
        self.axis = axis
        self.eps = eps
        self.gamma = None

    def build(self, input_shape, key, dtype=np.float32):
        self.gamma = Parameter(np.ones(_along(self.axis, input_shape), dtype))

    def operation(self, mode):
        return F.rms_norm, (self.gamma,), {"axis": self.axis, "eps": self.eps}


class LocalResponseNorm(Layer):
    """Divide every channel by a power of the squares of its neighbours, as AlexNet does.

    Parameters
    ----------
    size : int, default=5
    alpha : float, default=1e-4
    beta : float, default=0.75
    k : float, default=1.0
        As in `neurojit.functional.local_response_norm`.

    See Also
    --------
    neurojit.functional.local_response_norm : the equation.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import LocalResponseNorm
    >>> LocalResponseNorm(1, alpha=3.0, beta=1.0)(np.array([[1.0, 0.0]]))
    array([[0.25, 0.  ]])
    """

    def __init__(self, size=5, alpha=1e-4, beta=0.75, k=1.0):
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def operation(self, mode):
        options = {name: getattr(self, name) for name in ("size", "alpha", "beta", "k")}
        return F.local_response_norm, (), options


def _along(axis, input_shape):
    """Lengths of a batch's axes, the batch axis left out of `input_shape`; no axis is the batch's."""
    shape = (None, *input_shape)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    if not all(isinstance(a, int) and -len(shape) < a < len(shape) and a != 0 for a in axes):
        raise ValueError(f"axis: got {axis!r}, wanted axes after the batch's of an array of shape (n, *{input_shape})")
    return tuple(shape[a] for a in axes)
