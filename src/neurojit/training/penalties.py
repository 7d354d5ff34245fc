"""What is added to a training's gradients beside those of the loss."""

import numpy as np

from neurojit.functional.dense import dense
from neurojit.functional.rnn import rnn
from neurojit.layers.base import add_gradients
from neurojit.layers.recurrent import RNN
from neurojit.training.options import real

# Squared norm of a gradient that came back to a state, under which it says nothing of how it goes on (authors' code).
_BOUND = 1e-20


class Penalty:
    """Something that adds to the gradients of a training, after the loss and before they are clipped.

    A subclass declares `vjp`. Give instances as ``Trainer(..., penalties=[...])``.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import Penalty
    >>> class WeightDecay(Penalty):  # of matrices alone
    ...     def vjp(self, network, passes):
    ...         matrices = [p for p in network.named_parameters().values() if p.value.ndim > 1]
    ...         value = 0.005 * sum(float(np.square(p.value).sum()) for p in matrices)
    ...         return value, {p: 0.01 * p.value for p in matrices}
    """

    def vjp(self, network, passes):
        """The value of the penalty and its gradients.

        Parameters
        ----------
        network : Layer
        passes : list of Pass
            Every use of its layers in this update, with inputs, outputs and the gradients that came back.

        Returns
        -------
        value : float
        gradients : dict of Parameter to numpy.ndarray
        """
        raise TypeError(f"{type(self).__name__}: a penalty declares vjp()")


class VanishingGradientPenalty(Penalty):
    r"""Omega: keeps the norm of gradients that go back through vanilla recurrent layers.

    .. math::

        \Omega = \frac{1}{K} \sum_k \left(
            \frac{\left\| \frac{\partial E}{\partial h_{k+1}} \frac{\partial h_{k+1}}{\partial h_k} \right\|^2}
            {\left\| \frac{\partial E}{\partial h_{k+1}} \right\|^2} - 1 \right)^2

    over the steps k of all sequences of a batch, K in number, whose gradient is not zero (squared norm at least 1e-20).
    (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (ICML 2013), equation 9,
    with squared norms and the mean as in the code published with it.) A gradient that is too small or too large in all
    directions at once is no harm; one that shrinks or grows on its way along the error's own direction is pushed back.

    Parameters
    ----------
    weight : float
        What Omega is multiplied by, at least 0.

    Notes
    -----
    The gradient is that of the recurrent weights alone, and "immediate" (equation 10): states and the gradients dE/dh
    that came back to them are held constant, as in the authors' code. Given these it is exact. With activation f and
    d = dE/dh at a step, ``v = (d * f'(z)) @ weight_hh.T`` and the ratio r of their squared norms:

    .. math::

        \frac{d\Omega}{dW_{hh}} = \frac{1}{K} \sum \frac{4 (r - 1)}{\|d\|^2} \, v \, (d * f'(z))^T,
        \qquad r = \frac{\|v\|^2}{\|d\|^2}

    `RNN` layers are penalized, wherever in a network they are; others have ways of their own to keep gradients.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import RNN, Dense, Sequential
    >>> from neurojit.training import SGD, ArrayBatches, CrossEntropy, Trainer, VanishingGradientPenalty
    >>> x, y = np.random.default_rng(0).standard_normal((8, 20, 2)), np.arange(8) % 2
    >>> network = Sequential(RNN(16), Dense(2))
    >>> trainer = Trainer(
    ...     network, CrossEntropy(), SGD(0.01), clip_norm=1.0, penalties=[VanishingGradientPenalty(2.0)], max_epochs=1
    ... )
    >>> history = trainer.fit(ArrayBatches(x, y))
    """

    def __init__(self, weight):
        self.weight = real(weight, "weight", least=0)

    def vjp(self, network, passes):
        uses = [use for use in passes if isinstance(use.layer, RNN)]
        if not uses:
            raise ValueError("penalties: got a VanishingGradientPenalty, wanted a network with RNN layers for it")
        if network.device == "cuda":
            raise NotImplementedError("VanishingGradientPenalty has no CUDA kernels yet: train the network on the CPU")
        value, gradients = 0.0, {}
        for use in uses:
            if use.dy is None or not use.layer.weight_hh.trainable:
                continue
            omega, gradient = _omega(use)
            value += self.weight * omega
            add_gradients(gradients, {use.layer.weight_hh: gradient * gradient.dtype.type(self.weight)})
        return value, gradients


def _omega(use):
    """Omega of one use of a vanilla recurrent layer, and its immediate gradient of the recurrent weights."""
    dy, dh_n, dz = _gradients_back(use)
    back, pullback = dense.vjp(dz, use.layer.weight_hh.value.T)
    size = np.square(_gradients_of_states(use, dy, dh_n, back)).sum(axis=-1)
    counted = size >= _BOUND
    size = np.where(counted, size, 1)
    excess = np.where(counted, np.square(back).sum(axis=-1) / size - 1, 0)
    count = max(np.count_nonzero(counted), 1)
    dback = back * (4 / count * excess / size)[..., np.newaxis].astype(back.dtype)
    _, transposed = pullback(dback, wrt=(False, True))
    return float(np.square(excess, dtype=np.float64).sum() / count), transposed.T


def _gradients_of_states(use, dy, dh_n, back):
    """dE/dh of all steps, (n, t, h): what came from outside and what came back from the step after; else 0."""
    n, steps, _ = back.shape
    ends = np.full(n, steps) if use.mode.lengths is None else use.mode.lengths
    dh = np.array(dy)
    if use.layer.reverse:
        dh[:, 1:] += back[:, :-1]
        dh[:, 0] += dh_n
    else:
        dh[:, :-1] += back[:, 1:]
        dh[np.arange(n), ends - 1] += dh_n
    dh[np.arange(steps) >= ends[:, np.newaxis]] = 0
    return dh


def _gradients_back(use):
    """The gradients that came to a layer's states from outside, at all steps and at the end, and dE/dz of all steps.

    z is what the activation is taken of. Fed with what z is without the state, through weights that are the identity,
    the layer has dE/dz as the gradient of its input.
    """
    layer, weight_hh = use.layer, use.layer.weight_hh.value
    if layer.recurrent_dropout and use.mode.training:
        raise ValueError("penalties: got an RNN with recurrent_dropout, wanted 0 for VanishingGradientPenalty")
    inputs = dense(use.x, layer.weight_ih.value, None if layer.bias is None else layer.bias.value)
    arrays = inputs, _start(use), np.eye(len(weight_hh), dtype=weight_hh.dtype), weight_hh
    options = {"activation": layer.activation, "lengths": use.mode.lengths, "reverse": layer.reverse}
    (y, h_n), pullback = rnn.vjp(*arrays, **options)
    dy, dh_n = (use.dy, np.zeros_like(h_n)) if layer.return_sequences else (np.zeros_like(y), use.dy)
    dz, *_ = pullback((dy, dh_n), wrt=(True, *[False] * (sum(array is not None for array in arrays) - 1)))
    return dy, dh_n, dz


def _start(use):
    """The states a use of a recurrent layer started from, (n, h), or None for zeros."""
    held = None if use.mode.carry is None else use.mode.carry.get(use.layer)
    if held is not None:
        return held[0]
    if use.layer.learn_initial_state:
        return np.tile(use.layer.h0.value, (len(use.x), 1))
    return None
