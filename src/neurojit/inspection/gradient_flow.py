"""How gradients go back through time: their norms at every step, and a picture of what vanishes or explodes."""

import numpy as np

from neurojit.inspection.plots import _axes
from neurojit.layers.base import Mode
from neurojit.layers.recording import recording
from neurojit.layers.recurrent import Recurrent
from neurojit.training import CrossEntropy, MeanSquaredError


def gradient_norms(network, x, y, *, loss=None, lengths=None):
    """Norms of the gradients of a loss by the states of recurrent layers, for every step of time.

    Parameters
    ----------
    network : Layer
        With `RNN`, `LSTM` or `GRU` layers in it, wherever they are.
    x : array-like, shape (n, t, ...)
        A batch of inputs.
    y : array-like
        Its targets.
    loss : Loss or None, default=None
        None is `CrossEntropy` where targets are integers, else `MeanSquaredError`.
    lengths : array-like of int, shape (n,), optional
        Valid steps of each sequence.

    Returns
    -------
    dict of str to numpy.ndarray
        For each layer's state h (and the cell c of an LSTM), by the layer's place in the network, an array (t,): the
        Euclidean norm, over the batch and the units, of dE/dh_t as it goes back through h_t, what the steps before it
        will see. Of a layer that is used more than once, the last use.

    Raises
    ------
    ValueError
        If there are no such layers.

    Examples
    --------
    A state that halves at each step: so does the gradient on its way back.

    >>> import numpy as np
    >>> from neurojit.inspection import gradient_norms
    >>> from neurojit.layers import RNN
    >>> network = RNN(1, activation="relu").make((4, 1), 0, np.float64)
    >>> network.weight_ih.value[...], network.weight_hh.value[...] = 1, 0.5
    >>> gradient_norms(network, np.ones((1, 4, 1)), np.zeros((1, 1)))["h"] / 3.75
    array([0.125, 0.25 , 0.5  , 1.   ])
    """
    x, y = np.asarray(x), np.asarray(y)
    lengths = None if lengths is None else np.asarray(lengths, np.int64)
    if loss is None:
        loss = CrossEntropy() if y.dtype.kind in "iu" else MeanSquaredError()
    network.ensure_built(x)
    names = {id(layer): path for layer, path in network.walk()}
    with recording(network) as passes:
        outputs, backward = network.vjp(x, Mode(lengths=lengths))
        backward(loss.vjp(outputs, y)[1]())
    found = {}
    for use in passes:
        if isinstance(use.layer, Recurrent) and use.dy is not None:
            norms = _UseInSteps(use).norms()
            found |= {names[id(use.layer)] + state: norm for state, norm in norms.items()}
    if not found:
        raise ValueError("network: got one without recurrent layers, wanted RNN, LSTM or GRU in it")
    return found


def gradient_flow(norms, ax=None):
    """Draw the norms of gradients over time, on a logarithmic scale.

    Parameters
    ----------
    norms : dict of str to array-like
        What `gradient_norms` gave, or several of its arrays under names of your own.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = _axes(ax)
    for name, values in norms.items():
        values = np.asarray(values, np.float64)
        ax.plot(np.arange(1, len(values) + 1), np.where(values > 0, values, np.nan), label=name)
    ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("norm of the gradient")
    ax.set_title("Gradients through time")
    ax.legend()
    return ax


class _UseInSteps:
    """A recorded use of a recurrent layer, done again one step at a time, with the states between known."""

    def __init__(self, use):
        self.use, self.layer = use, use.layer
        n, steps = use.x.shape[:2]
        self.lengths = np.full(n, steps) if use.mode.lengths is None else use.mode.lengths
        self.order = np.tile(np.arange(steps), (n, 1))  # the step of time that is taken as number k, for each sequence
        if self.layer.reverse:
            backwards = self.lengths[:, np.newaxis] - 1 - self.order
            self.order = np.where(backwards >= 0, backwards, self.order)

    def norms(self):
        """For each state, the norm of its gradient at each step of time."""
        n, steps = self.order.shape
        pullbacks = self._forward()
        squares = {name[0]: np.zeros((n, steps)) for name in self.layer.states}
        gradients = [np.zeros((n, self.layer.units), self.use.y.dtype) for _ in self.layer.states]
        dy = self._output_gradients()
        for k in reversed(range(steps)):
            rows = np.flatnonzero(self.lengths > k)
            gradients[0][rows] += dy[rows, k]
            for square, gradient in zip(squares.values(), gradients, strict=True):
                square[rows, self.order[rows, k]] = np.square(gradient[rows]).sum(axis=-1)
            before = pullbacks[k]([gradient[rows] for gradient in gradients])
            for gradient, found in zip(gradients, before, strict=True):
                gradient[rows] = found
        return {name: np.sqrt(square.sum(axis=0)) for name, square in squares.items()}

    def _forward(self):
        """The pullback of each step, from gradients of the states after it to those before."""
        layer, x = self.layer, self.use.x
        states = [np.zeros((len(x), layer.units), self.use.y.dtype) for _ in layer.states]
        if layer.learn_initial_state:
            for state, name in zip(states, layer.states, strict=True):
                state[:] = getattr(layer, name).value
        weights = [p.value for p in (layer.weight_ih, layer.weight_hh, layer.bias) if p is not None]
        extra = {name: p.value for name, p in layer.keyword_parameters().items() if p is not None}
        wrt = (False, *[True] * len(states), *[False] * (len(weights) + len(extra)))
        pullbacks = []
        for k in range(x.shape[1]):
            rows = np.flatnonzero(self.lengths > k)
            arrays = x[rows, self.order[rows, k]][:, np.newaxis], *(state[rows] for state in states)
            (y, last), pullback = layer.function.vjp(*arrays, *weights, **layer.keywords(), **extra)
            for state, after in zip(states, last if isinstance(last, tuple) else (last,), strict=True):
                state[rows] = after
            pullbacks.append(_of_states(pullback, y, wrt))
        return pullbacks

    def _output_gradients(self):
        """dE/dy in the order in which steps are taken, (n, t, h)."""
        rows = np.arange(len(self.order))
        if self.layer.return_sequences:
            return self.use.dy[rows[:, np.newaxis], self.order]
        dy = np.zeros((*self.order.shape, self.layer.units), self.use.dy.dtype)
        dy[rows, self.lengths - 1] = self.use.dy
        return dy


def _of_states(pullback, y, wrt):
    """A step's pullback as a function from gradients of states to gradients of states."""

    def backward(dstates):
        last = dstates[0] if len(dstates) == 1 else tuple(dstates)
        return [found for found, wanted in zip(pullback((np.zeros_like(y), last), wrt), wrt, strict=True) if wanted]

    return backward
