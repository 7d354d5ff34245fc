"""Watching a pass: what went into each layer of a network, and what gradient came back to it."""

import contextlib
import dataclasses
from typing import Any

import numpy as np

from neurojit.layers.base import INFERENCE, Mode


@dataclasses.dataclass
class Pass:
    """One use of a layer in a pass through a network.

    Parameters
    ----------
    layer : Layer
    x : numpy.ndarray
        Its input.
    mode : Mode
        How it was run, with the states it started from.
    y : numpy.ndarray
        Its output.
    dy : numpy.ndarray or None
        The gradient that came back to it; None where none did.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Dense
    >>> from neurojit.layers.recording import recording
    >>> layer = Dense(2)
    >>> with recording(layer) as passes:
    ...     y, backward = layer.vjp(np.ones((1, 3), np.float32))
    ...     dx, gradients = backward(np.ones((1, 2), np.float32))
    >>> passes[0].layer is layer, passes[0].dy
    (True, array([[1., 1.]], dtype=float32))
    """

    layer: Any
    x: np.ndarray
    mode: Mode
    y: np.ndarray
    dy: np.ndarray | None = None


@contextlib.contextmanager
def recording(network):
    """Record all uses of a network's layers by ``vjp`` inside a ``with`` block, the network's own among them.

    Parameters
    ----------
    network : Layer

    Yields
    ------
    list of Pass
        In the order in which outputs were ready; it fills as layers are used.
    """
    passes = []
    watched = [layer for layer, _ in network.walk()]
    for layer in watched:
        layer.vjp = _recorded(layer, layer.vjp, passes)  # hides the method of the class from all who use this layer
    try:
        yield passes
    finally:
        for layer in watched:
            del layer.vjp


def is_recorded(layer):
    """Whether uses of a layer are being recorded."""
    return "vjp" in vars(layer)


def _recorded(layer, vjp, passes):
    def recorded_vjp(x, mode=INFERENCE):
        started = mode if mode.carry is None else dataclasses.replace(mode, carry=dict(mode.carry))
        y, backward = vjp(x, mode)
        use = Pass(layer, x, started, y)
        passes.append(use)

        def recorded_backward(dy, need_dx=True):
            use.dy = dy
            return backward(dy, need_dx)

        return y, recorded_backward

    return recorded_vjp
