"""Optimizers: how gradients change parameters, and what is remembered about each parameter in between."""

import inspect

from neurojit.core.cuda import zeros_like
from neurojit.functional.optimizer import adam_update, rmsprop_update, sgd_update
from neurojit.training.options import real


class _Memory:
    """What an optimizer remembers of one parameter: how often it was updated, and arrays of its shape."""

    def __init__(self, value, slots):
        self.updates = 0
        self.arrays = {slot: zeros_like(value) for slot in slots}


class Optimizer:
    """Changes parameters in place, given their gradients.

    A subclass names in `slots` the arrays it keeps for each parameter and declares `update_value`.

    Parameters
    ----------
    learning_rate : float
        May be changed at any time; schedules do.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Parameter
    >>> from neurojit.training import Optimizer
    >>> class SignDescent(Optimizer):
    ...     def update_value(self, value, gradient, updates):
    ...         value -= self.learning_rate * np.sign(gradient)
    >>> weight = Parameter(np.ones(2))
    >>> SignDescent(0.25).update({weight: np.array([3.0, -0.1])})
    >>> weight.value
    array([0.75, 1.25])
    """

    slots: tuple[str, ...] = ()

    def __init__(self, learning_rate):
        self.learning_rate = real(learning_rate, "learning_rate", least=0)
        self._memories = {}

    def update(self, gradients):
        """Take one step.

        Parameters
        ----------
        gradients : dict
            From `Parameter` to the gradient of its value, as a layer's pullback gives them. A parameter that is not in
            it (a frozen one) stays as it is.
        """
        for parameter, gradient in gradients.items():
            memory = self._memories.get(parameter) or self._remember(parameter)
            memory.updates += 1
            self.update_value(parameter.value, gradient, memory.updates, **memory.arrays)

    def update_value(self, value, gradient, updates, **arrays):
        """Change one parameter's value in place; `updates` counts its steps including this one."""
        raise TypeError(f"{type(self).__name__}: an optimizer declares update_value()")

    def state(self, parameters):
        """What continuing needs, with live arrays: the learning rate and each parameter's memory by name.

        Parameters
        ----------
        parameters : dict
            From name to `Parameter`: ``network.named_parameters()``.

        Returns
        -------
        dict
        """
        memories = {}
        for name, parameter in parameters.items():
            memory = self._memories.get(parameter)
            if memory is not None:
                memories[name] = {"updates": memory.updates, **memory.arrays}
        return {"learning_rate": self.learning_rate, "parameters": memories}

    def load_state(self, state, parameters):
        """Copy back what `state` gave, for parameters of the same names.

        Raises
        ------
        ValueError
            If a name is unknown, or its arrays are not those this optimizer keeps.
        """
        unknown = sorted(state["parameters"].keys() - parameters.keys())
        if unknown:
            raise ValueError(f"state: got unknown parameters {unknown}, wanted names among {sorted(parameters)}")
        memories = {}
        for name, saved in state["parameters"].items():
            memories[parameters[name]] = self._restored(name, saved, parameters[name].value)
        self._memories = memories
        self.learning_rate = state["learning_rate"]

    def _remember(self, parameter):
        self._memories[parameter] = memory = _Memory(parameter.value, self.slots)
        return memory

    def _restored(self, name, saved, value):
        if saved.keys() != {"updates", *self.slots}:
            raise ValueError(
                f"state[{name!r}]: got {sorted(saved)}, wanted {sorted(('updates', *self.slots))} for {self!r}"
            )
        memory = _Memory(value, self.slots)
        memory.updates = int(saved["updates"])
        for slot, array in memory.arrays.items():
            if saved[slot].shape != array.shape:
                raise ValueError(f"state[{name!r}][{slot!r}]: got shape {saved[slot].shape}, wanted {array.shape}")
            array[...] = saved[slot]
        return memory

    def __repr__(self):
        options = list(inspect.signature(type(self).__init__).parameters)[1:]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in options)})"


class SGD(Optimizer):
    """Stochastic gradient descent with momentum; the equations are `functional.optimizer.sgd_update`'s.

    Parameters
    ----------
    learning_rate : float, default=0.01
    momentum : float, default=0.0
    nesterov : bool, default=False
        Nesterov's look-ahead; needs momentum > 0.
    weight_decay : float, default=0.0
        L2 penalty, added to the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Parameter
    >>> from neurojit.training import SGD
    >>> weight = Parameter(np.ones(2))
    >>> SGD(learning_rate=0.1).update({weight: np.array([1.0, -1.0])})
    >>> weight.value
    array([0.9, 1.1])
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=0.0):
        super().__init__(learning_rate)
        self.momentum = real(momentum, "momentum", least=0)
        self.nesterov = bool(nesterov)
        self.weight_decay = real(weight_decay, "weight_decay", least=0)
        if self.nesterov and not self.momentum:
            raise ValueError(f"momentum: got {momentum!r}, wanted a number > 0 for nesterov=True")
        self.slots = ("velocity",) if self.momentum else ()

    def update_value(self, value, gradient, updates, velocity=None):
        sgd_update(
            value,
            gradient,
            velocity,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=self.weight_decay,
        )


class RMSprop(Optimizer):
    """Steps scaled by the root of the mean squared gradient; the equations are `functional.optimizer.rmsprop_update`'s.

    Parameters
    ----------
    learning_rate : float, default=0.01
    alpha : float, default=0.99
        How much of the running means is kept at each step.
    eps : float, default=1e-8
        Added to the root.
    weight_decay : float, default=0.0
        L2 penalty, added to the gradient.
    momentum : float, default=0.0
    centered : bool, default=False
        Divide by the standard deviation of the gradient instead.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Parameter
    >>> from neurojit.training import RMSprop
    >>> weight = Parameter(np.ones(2))
    >>> RMSprop(learning_rate=0.01).update({weight: np.array([0.5, -5.0])})  # 0.01 / sqrt(1 - alpha) at first
    >>> weight.value.round(3)
    array([0.9, 1.1])
    """

    def __init__(self, learning_rate=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
        super().__init__(learning_rate)
        self.alpha = real(alpha, "alpha", least=0, below=1)
        self.eps = real(eps, "eps", least=0)
        self.weight_decay = real(weight_decay, "weight_decay", least=0)
        self.momentum = real(momentum, "momentum", least=0)
        self.centered = bool(centered)
        self.slots = ("square", "mean", "velocity") if self.momentum or self.centered else ("square",)

    def update_value(self, value, gradient, updates, square, mean=None, velocity=None):
        rmsprop_update(
            value,
            gradient,
            square,
            mean,
            velocity,
            learning_rate=self.learning_rate,
            alpha=self.alpha,
            eps=self.eps,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            centered=self.centered,
        )


class Adam(Optimizer):
    """Adam (Kingma and Ba, ICLR 2015, algorithm 1); the equations are `functional.optimizer.adam_update`'s.

    Parameters
    ----------
    learning_rate : float, default=0.001
    betas : (float, float), default=(0.9, 0.999)
        How much of the running means of the gradient and of its square is kept at each step.
    eps : float, default=1e-8
        Added to the root of the second.
    weight_decay : float, default=0.0
        L2 penalty, added to the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Parameter
    >>> from neurojit.training import Adam
    >>> weight = Parameter(np.ones(2))
    >>> Adam(learning_rate=0.1).update({weight: np.array([0.5, -5.0])})  # the first step is the learning rate
    >>> weight.value.round(3)
    array([0.9, 1.1])
    """

    slots = ("mean", "square")
    decoupled = False

    def __init__(self, learning_rate=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(learning_rate)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(f"betas: got {betas!r}, wanted two numbers")
        self.betas = tuple(real(beta, f"betas[{i}]", least=0, below=1) for i, beta in enumerate(betas))
        self.eps = real(eps, "eps", least=0)
        self.weight_decay = real(weight_decay, "weight_decay", least=0)

    def update_value(self, value, gradient, updates, mean, square):
        adam_update(
            value,
            gradient,
            mean,
            square,
            updates=updates,
            learning_rate=self.learning_rate,
            betas=self.betas,
            eps=self.eps,
            weight_decay=self.weight_decay,
            decoupled=self.decoupled,
        )


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019, algorithm 2).

    Parameters
    ----------
    learning_rate : float, default=0.001
    betas : (float, float), default=(0.9, 0.999)
    eps : float, default=1e-8
    weight_decay : float, default=0.01
        Each step first multiplies the value by 1 - learning_rate * weight_decay.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.layers import Parameter
    >>> from neurojit.training import AdamW
    >>> weight = Parameter(np.ones(2))
    >>> AdamW(learning_rate=0.1, weight_decay=0.5).update({weight: np.zeros(2)})  # the decay alone
    >>> weight.value
    array([0.95, 0.95])
    """

    decoupled = True

    def __init__(self, learning_rate=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(learning_rate, betas, eps, weight_decay)
