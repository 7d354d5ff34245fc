"""What a layer is: hyperparameters, parameters made when the input's shape is known, and a function with a pullback."""

import dataclasses
import inspect

import numpy as np

from neurojit.core.cuda import DeviceArray, on_device, to_device, to_host
from neurojit.core.random import Key


class Parameter:
    """A trainable array of a layer.

    Parameters
    ----------
    value : numpy.ndarray
        The array; optimizers change it in place.
    trainable : bool
        False for a frozen parameter, for which no gradient is computed.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Parameter
    >>> Parameter(np.zeros((3, 2)))
    Parameter(shape=(3, 2), dtype=float64)
    """

    def __init__(self, value, trainable=True):
        self.value = value
        self.trainable = trainable

    def __repr__(self):
        frozen = "" if self.trainable else ", frozen"
        return f"Parameter(shape={self.value.shape}, dtype={self.value.dtype}{frozen})"


@dataclasses.dataclass(frozen=True, eq=False)
class Mode:
    """How a pass through a network is run.

    Parameters
    ----------
    training : bool, default=False
        Whether dropout drops and batch normalization uses the batch's statistics.
    key : Key or None
        Source of the pass's random numbers; needed only in training.
    lengths : numpy.ndarray or None, default=None
        Valid steps of each sequence of the batch, shape (n,), int64; None where all steps are. Layers that look along
        time heed it; what they give past a sequence's length is zero or without meaning.
    carry : dict or None, default=None
        States of recurrent layers, by layer: a layer starts from the state it finds here and leaves its last one, so
        that the next pass goes on from there; the gradient stops between passes. None starts every pass anew.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.core.random import Key
    >>> from neurojit.layers import Dropout, Mode
    >>> x = np.ones((1, 1000), np.float32)
    >>> training = Mode(training=True, key=Key.from_random_state(0))
    >>> bool((Dropout(0.5)(x, training) == 0).any()), bool((Dropout(0.5)(x) == 0).any())
    (True, False)
    """

    training: bool = False
    key: Key | None = None
    lengths: np.ndarray | None = None
    carry: dict | None = None

    def child(self, index):
        """The mode for the `index`-th part of a network, with random numbers of its own."""
        return self if self.key is None else dataclasses.replace(self, key=self.key.child(index))


INFERENCE = Mode()


class Layer:
    """A differentiable function with parameters.

    A subclass names its hyperparameters in ``__init__`` (and keeps each as an attribute of the same name), makes its
    parameters in `build`, and says in `operation` which function of `neurojit.functional` it applies. Everything
    else, forward, pullback, freezing, saving, follows from these three.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> from neurojit.layers import Layer, Parameter
    >>> class Bilinear(Layer):  # y = (x A) (x B), element by element
    ...     def __init__(self, units):
    ...         self.units = units
    ...
    ...     def build(self, input_shape, key, dtype=np.float32):
    ...         shape = (input_shape[-1], self.units)
    ...         self.a = Parameter(key.child(0).normal(shape, dtype=dtype))
    ...         self.b = Parameter(key.child(1).normal(shape, dtype=dtype))
    ...
    ...     def operation(self, mode):
    ...         return bilinear, (self.a, self.b), {}
    ...
    ...     def output_shape(self, input_shape):
    ...         return (*input_shape[:-1], self.units)
    >>> @F.op("x", "a", "b")
    ... def bilinear(x, a, b):
    ...     return (x @ a) * (x @ b)
    >>> @bilinear.define_vjp
    ... def _(x, a, b):
    ...     left, right = x @ a, x @ b
    ...
    ...     def pullback(dy, wrt):
    ...         dleft, dright = dy * right, dy * left
    ...         return dleft @ a.T + dright @ b.T, x.T @ dleft, x.T @ dright
    ...
    ...     return left * right, pullback
    >>> Bilinear(2)(np.ones((4, 3), np.float32)).shape
    (4, 2)
    >>> from neurojit.testing import gradcheck
    >>> gradcheck(Bilinear(2), np.ones((4, 3)))
    """

    built = False
    made_for: tuple | None = None  # the shape of one sample of its first input

    # -- what a layer declares ------------------------------------------------------------------------------------

    def build(self, input_shape, key, dtype=np.float32):
        """Make the parameters for inputs of `input_shape` (without the batch axis); a layer without any needs none."""

    def operation(self, mode):
        """The layer's function as ``(op, parameters, options)``, to be called as ``op(x, *parameters, **options)``."""
        raise TypeError(f"{type(self).__name__}: a layer declares operation(), or forward() and vjp()")

    def output_shape(self, input_shape):
        """Shape of one output (without the batch axis) for inputs of `input_shape`."""
        return tuple(input_shape)

    # -- what follows ---------------------------------------------------------------------------------------------

    def __call__(self, x, mode=INFERENCE):
        return self.forward(x, mode)

    def forward(self, x, mode=INFERENCE):
        """The layer's output for a batch `x`."""
        self.ensure_built(x)
        op, parameters, options = self.operation(mode)
        return op(x, *_values(parameters), **options)

    def vjp(self, x, mode=INFERENCE):
        """The output for a batch `x` and its pullback.

        Returns
        -------
        y : numpy.ndarray
        backward : callable
            ``backward(dy, need_dx=True)`` returns ``(dx, gradients)``: the gradient to `x` (None where not needed) and
            a dict from each trainable `Parameter` to its gradient.
        """
        self.ensure_built(x)
        op, parameters, options = self.operation(mode)
        y, pullback = op.vjp(x, *_values(parameters), **options)
        given = [p for p in parameters if p is not None]

        def backward(dy, need_dx=True):
            wrt = (need_dx, *(p.trainable for p in given))
            if not any(wrt):
                return None, {}
            found = pullback(dy, wrt)
            dx, *gradients = found if given else (found,)
            return dx, {p: g for p, g in zip(given, gradients, strict=True) if p.trainable}

        return y, backward

    def ensure_built(self, x):
        """Build on first use, with the shapes and the precision of the batch `x` and a fixed key."""
        if not self.built:
            dtype = x.dtype if x.dtype in (np.float32, np.float64) else np.float32
            self.make(x.shape[1:], Key.from_random_state(0), dtype)
            if on_device(x):
                self.to("cuda")

    def make(self, input_shape, random_state=None, dtype=np.float32):
        """Make all parameters for inputs of `input_shape` (without the batch axis), once; returns the layer."""
        if not self.built:
            self.build(tuple(input_shape), Key.from_random_state(random_state), np.dtype(dtype))
            self.built, self.made_for = True, tuple(input_shape)
        return self

    # -- parts, parameters and state ------------------------------------------------------------------------------

    def children(self):
        """The layers this one is made of, by name."""
        return {}

    def named_parameters(self, prefix=""):
        """Every `Parameter` of the layer and its children by dotted name, each once (tied ones by the first name)."""
        found = {}
        for layer, path in self.walk(prefix):
            for name, value in vars(layer).items():
                if isinstance(value, Parameter) and not any(value is other for other in found.values()):
                    found[path + name] = value
        return found

    def named_buffers(self, prefix=""):
        """Arrays that are state but not trained (running statistics) by dotted name."""
        return {
            path + name: value
            for layer, path in self.walk(prefix)
            for name, value in vars(layer).items()
            if isinstance(value, np.ndarray | DeviceArray)
        }

    def walk(self, prefix=""):
        """Every distinct layer from this one down, each with its dotted path ('' or ending in a dot)."""
        seen = set()

        def visit(layer, path):
            if id(layer) in seen:
                return
            seen.add(id(layer))
            yield layer, path
            for name, child in layer.children().items():
                yield from visit(child, f"{path}{name}.")

        yield from visit(self, prefix)

    def state(self):
        """All arrays of the layer, parameters and buffers, by dotted name: what a file or a checkpoint holds."""
        values = {name: parameter.value for name, parameter in self.named_parameters().items()}
        return values | self.named_buffers()

    def load_state(self, state):
        """Copy arrays by dotted name into a built layer.

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a shape differs.
        """
        own = self.state()
        if own.keys() != state.keys():
            raise ValueError(
                f"state: missing {sorted(own.keys() - state.keys())}, unknown {sorted(state.keys() - own.keys())}"
            )
        for name, array in state.items():
            if array.shape != own[name].shape:
                raise ValueError(f"state[{name!r}]: got shape {array.shape}, wanted {own[name].shape}")
        for name, array in state.items():
            own[name][...] = array

    def to(self, device):
        """Move all parameters and buffers of a built layer to ``"cuda"`` or to ``"cpu"``; returns the layer.

        An optimizer's memory does not follow: move a network before it is trained.

        Raises
        ------
        ValueError
            If the device is neither of them, or the layer is not built yet.
        neurojit.core.cuda.CudaUnavailable
            If there is no GPU, with what is missing.
        """
        if device not in ("cpu", "cuda"):
            raise ValueError(f"device: got {device!r}, wanted 'cpu' or 'cuda'")
        if not self.built:
            raise ValueError("device: got a layer that is not built, wanted make(input_shape) to be called first")
        move = to_device if device == "cuda" else to_host
        for parameter in self.named_parameters().values():
            parameter.value = move(parameter.value)
        for layer, _ in self.walk():
            for name, value in vars(layer).items():
                if isinstance(value, np.ndarray | DeviceArray):
                    setattr(layer, name, move(value))
        return self

    @property
    def device(self):
        """Where the parameters are, ``"cpu"`` or ``"cuda"``."""
        return "cuda" if any(on_device(array) for array in self.state().values()) else "cpu"

    def freeze(self, frozen=True):
        """Stop (or with ``frozen=False`` resume) training of all parameters of a built layer; returns the layer."""
        for parameter in self.named_parameters().values():
            parameter.trainable = not frozen
        return self

    # -- inference ------------------------------------------------------------------------------------------------

    def absorb(self, scale, shift):
        """Make y -> scale y + shift, by channel, part of the layer where it ends in a linear map; whether it did."""
        return False

    def fold(self):
        """A copy for inference with every `BatchNorm` made part of the convolution or dense layer before it.

        A max pooling may stand between them where all scales are positive. The copy's outputs differ by rounding; a
        normalization of a layer that is used twice, or behind another kind of layer, stays.

        Returns
        -------
        Layer
            Shares nothing with this one.
        """
        from neurojit.layers.folding import folded

        return folded(self)

    # -- description ----------------------------------------------------------------------------------------------

    def config(self):
        """The hyperparameters as plain JSON values, from which `layers.from_config` makes the layer anew."""
        names = inspect.signature(type(self)).parameters
        return {"layer": type(self).__name__} | {name: getattr(self, name) for name in names}

    def __repr__(self):
        return self._expression()

    def _expression(self):
        """The call that makes the layer anew."""
        shown = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name)
            if parameter.default is parameter.empty:
                shown.append(repr(value))
            elif value != parameter.default:
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _values(parameters):
    return tuple(None if p is None else p.value for p in parameters)


def add_gradients(total, more):
    """Add gradients in `more` into the dict `total`: a parameter used twice in a pass collects from both uses."""
    for parameter, gradient in more.items():
        total[parameter] = total[parameter] + gradient if parameter in total else gradient
    return total
