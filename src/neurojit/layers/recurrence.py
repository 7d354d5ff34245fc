"""What recurrent layers share: weights, states to start from and to carry on, dropout along time."""

from typing import Any

import numpy as np

from neurojit.core.cuda import on_device, zeros_like
from neurojit.core.shapes import integers
from neurojit.functional.columns import sum_over_rows
from neurojit.functional.device_rows import repeated
from neurojit.functional.dropout import check_rate, dropout
from neurojit.functional.recurrence import check_checkpoint
from neurojit.layers.base import INFERENCE, Layer, Parameter
from neurojit.layers.initializers import glorot_uniform, orthogonal


class Recurrent(Layer):
    """What recurrent layers share; a subclass names its function, its gates and its states."""

    function: Any = None
    states: tuple[str, ...] = ("h0",)

    def __init__(
        self, units, return_sequences, reverse, learn_initial_state, recurrent_dropout, use_bias, checkpoint_every
    ):
        (self.units,) = integers(units, "units", 1)
        check_rate(recurrent_dropout)
        check_checkpoint(checkpoint_every)
        self.return_sequences = return_sequences
        self.reverse = reverse
        self.learn_initial_state = learn_initial_state
        self.recurrent_dropout = recurrent_dropout
        self.use_bias = use_bias
        self.checkpoint_every = checkpoint_every
        self.weight_ih = self.weight_hh = self.bias = self.h0 = None

    # -- what a subclass may change -------------------------------------------------------------------------------

    @property
    def gates(self):
        """Units of the weights for each unit of the layer."""
        return 1

    def make_bias(self, dtype):
        """What the bias starts from."""
        return np.zeros(self.gates * self.units, dtype)

    def keywords(self):
        """Options of the function."""
        return {}

    def keyword_parameters(self):
        """Parameters that the function takes as keywords, in its order."""
        return {}

    def options(self, mode):
        """Options of the function that depend on the pass, and those that all such functions have."""
        return {"lengths": mode.lengths, "reverse": self.reverse, "checkpoint_every": self.checkpoint_every}

    def state_shape(self, x):
        """Shape of the states for a batch."""
        return (len(x), self.units)

    # -- what follows ---------------------------------------------------------------------------------------------

    def build(self, input_shape, key, dtype=np.float32):
        if len(input_shape) != 2:
            raise ValueError(f"x: got shape (n, {', '.join(map(str, input_shape))}), wanted (n, t, f)")
        f, h = input_shape[-1], self.units
        inputs = [glorot_uniform((f, h), f, h, key.child(2 * gate), dtype) for gate in range(self.gates)]
        states = [orthogonal(h, h, key.child(2 * gate + 1), dtype) for gate in range(self.gates)]
        self.weight_ih, self.weight_hh = Parameter(np.hstack(inputs)), Parameter(np.hstack(states))
        self.bias = Parameter(self.make_bias(dtype)) if self.use_bias else None
        if self.learn_initial_state:
            for name in self.states:
                setattr(self, name, Parameter(np.zeros(h, dtype)))

    def output_shape(self, input_shape):
        return (input_shape[0], self.units) if self.return_sequences else (self.units,)

    def forward(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return self.forward_with(self.weight_ih, self.bias, x, mode)

    def vjp(self, x, mode=INFERENCE):
        self.ensure_built(x)
        return self.vjp_with(self.weight_ih, self.bias, x, mode)

    def forward_with(self, weight_ih, bias, x, mode):
        """`forward` with other parameters for the inputs."""
        states, _ = self._start(x, mode)
        arrays = (None if p is None else p.value for p in (weight_ih, self.weight_hh, bias))
        y, last = self.function(x, *states, *arrays, **self._keywords(x, mode))
        return self._finish(y, last, mode)

    def vjp_with(self, weight_ih, bias, x, mode):
        """`vjp` with other parameters for the inputs."""
        states, learned = self._start(x, mode)
        arrays = (None if p is None else p.value for p in (weight_ih, self.weight_hh, bias))
        (y, last), pullback = self.function.vjp(x, *states, *arrays, **self._keywords(x, mode))
        extra = self.keyword_parameters().values()
        weights = [p for p in (weight_ih, self.weight_hh, bias, *extra) if p is not None]
        starts = [getattr(self, name) for name in self.states] if self.learn_initial_state else []

        def backward(dy, need_dx=True):
            given = [k for k, state in enumerate(states) if state is not None]
            wanted = [learned and starts[k].trainable for k in given]
            wrt = (need_dx, *wanted, *(p.trainable for p in weights))
            gradients = {p: zeros_like(p.value) for p in starts if p.trainable}
            if not any(wrt):
                return None, gradients
            dx, *found = pullback(self._spread(dy, y, last), wrt)
            dstates, dweights = found[: len(given)], found[len(given) :]
            gradients |= {p: _over_batch(d) for p, d in zip(starts, dstates, strict=False) if d is not None}
            gradients |= {p: d for p, d in zip(weights, dweights, strict=True) if p.trainable}
            return dx, gradients

        return self._finish(y, last, mode), backward

    def stream(self, n_sequences=1):
        """The built layer as a function of the next step of sequences that go on, the least time a step can take.

        Parameters
        ----------
        n_sequences : int, default=1

        Returns
        -------
        callable
            Takes the inputs of a step, (n_sequences, f), and gives the states after it, (n_sequences, units). It starts
            from zeros or the learned states, with the weights of now.

        Raises
        ------
        ValueError
            Before the layer is built, or with `reverse`.
        NotImplementedError
            If the layer is on the device.
        """
        if not self.built or self.reverse:
            what = "a layer that runs backward" if self.reverse else "a layer without weights"
            raise ValueError(f"stream: got {what}, wanted one that is built and runs forward")
        if self.device == "cuda":
            raise NotImplementedError("stream: got a layer on the device, wanted one on the CPU (layer.to('cpu'))")
        (n,) = integers(n_sequences, "n_sequences", 1)
        shape, dtype = (n, self.units), self.weight_hh.value.dtype
        starts = [getattr(self, name) for name in self.states]
        states = [np.zeros(shape, dtype) if p is None else np.tile(p.value, (n, 1)) for p in starts]
        weights = [None if p is None else p.value for p in (self.weight_ih, self.weight_hh, self.bias)]
        given = {name: p.value for name, p in self.keyword_parameters().items() if p is not None}
        return self.function.stream(*states, *weights, **self.keywords(), **given)

    def _start(self, x, mode):
        """States to start from, and whether they are the learned ones."""
        held = None if mode.carry is None else mode.carry.get(self)
        if held is not None:
            if len(held[0]) != len(x):
                raise ValueError(f"mode.carry: got states of {len(held[0])} sequences, wanted {len(x)} as in the batch")
            return held, False
        if not self.learn_initial_state:
            return [None for _ in self.states], False
        shape = self.state_shape(x)
        return [_everywhere(getattr(self, name).value, shape) for name in self.states], True

    def _drop(self, x, mode):
        """Which units each sequence's products see, as the function's option; none where nothing is dropped."""
        if not (mode.training and self.recurrent_dropout):
            return {}
        if mode.key is None:
            raise ValueError(f"mode.key: got None, wanted a Key for {type(self).__name__}'s dropout in training")
        ones = np.ones((len(x), self.units), self.weight_hh.value.dtype)
        return {"recurrent_mask": dropout(ones, self.recurrent_dropout, mode.key)}

    def _keywords(self, x, mode):
        given = {name: p.value for name, p in self.keyword_parameters().items() if p is not None}
        return self.keywords() | given | self.options(mode) | self._drop(x, mode)

    def _finish(self, y, last, mode):
        """The layer's output; the last states go where they are carried on from."""
        h_n = last[0] if isinstance(last, tuple) else last
        if mode.carry is not None:
            mode.carry[self] = last if isinstance(last, tuple) else (last,)
        return y if self.return_sequences else h_n

    def _spread(self, dy, y, last):
        """dy as gradients nested like the function's results."""
        h_n = last[0] if isinstance(last, tuple) else last
        dy, dh_n = (dy, zeros_like(h_n)) if self.return_sequences else (zeros_like(y), dy)
        return (dy, (dh_n, zeros_like(h_n))) if isinstance(last, tuple) else (dy, dh_n)


def _everywhere(row, shape):
    """A row at every place but the last axis of arrays of a shape."""
    if on_device(row):
        return repeated(row, int(np.prod(shape[:-1]))).reshape(shape)
    return np.ascontiguousarray(np.broadcast_to(row, shape))


def _over_batch(d):
    """Sum over all axes but the last."""
    return sum_over_rows(d) if on_device(d) else d.reshape(-1, d.shape[-1]).sum(axis=0)
