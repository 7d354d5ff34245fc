"""Schedules: the learning rate over a training.

A schedule is asked before every update. It counts in epochs or in updates (`unit`), from the start of the training, and
scales the learning rate that the optimizer had when the trainer was made.
"""

import math

from neurojit.training.monitor import Monitor
from neurojit.training.options import real, whole


class Schedule:
    """The learning rate as a function of the progress of a training.

    Parameters
    ----------
    unit : {"epoch", "step"}, default="epoch"
        What is counted: epochs finished, or updates done.

    Examples
    --------
    >>> from neurojit.training import Schedule
    >>> class InverseRoot(Schedule):
    ...     def rate(self, base, t):
    ...         return base / (1 + t) ** 0.5
    >>> InverseRoot(unit="step").learning_rate(1.0, epoch=0, step=3)
    0.5
    """

    def __init__(self, unit="epoch"):
        if unit not in ("epoch", "step"):
            raise ValueError(f"unit: got {unit!r}, wanted 'epoch' or 'step'")
        self.unit = unit

    def learning_rate(self, base, epoch, step):
        """The rate for the next update, after `epoch` finished epochs and `step` updates, from the optimizer's own."""
        return self.rate(base, epoch if self.unit == "epoch" else step)

    def rate(self, base, t):
        """The rate after t units."""
        raise TypeError(f"{type(self).__name__}: a schedule declares rate() or learning_rate()")

    def reset(self):
        """Forget what was observed: a new training begins."""

    def observe(self, record):
        """Look at a finished epoch's numbers."""

    def state(self):
        """What continuing needs, as plain values."""
        return {}

    def load_state(self, state):
        """Take back what `state` gave."""


class StepDecay(Schedule):
    """The rate times gamma after every `step_size` units: base * gamma^floor(t / step_size).

    Parameters
    ----------
    step_size : int
    gamma : float, default=0.1
    unit : {"epoch", "step"}, default="epoch"

    Examples
    --------
    >>> from neurojit.training import StepDecay
    >>> [StepDecay(2, gamma=0.5).rate(1.0, t) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, step_size, gamma=0.1, unit="epoch"):
        super().__init__(unit)
        self.step_size = whole(step_size, "step_size")
        self.gamma = real(gamma, "gamma", above=0)

    def rate(self, base, t):
        return base * self.gamma ** (t // self.step_size)


class CosineDecay(Schedule):
    """Half a cosine from the rate to `minimum` over `length` units (Loshchilov and Hutter, ICLR 2017, equation 5).

    minimum + (base - minimum) (1 + cos(pi t / length)) / 2, and `minimum` from `length` on.

    Parameters
    ----------
    length : int
        Epochs (or updates) until the minimum is reached.
    minimum : float, default=0.0
    unit : {"epoch", "step"}, default="epoch"

    Examples
    --------
    >>> from neurojit.training import CosineDecay
    >>> [round(CosineDecay(4, minimum=0.2).rate(1.0, t), 3) for t in range(6)]
    [1.0, 0.883, 0.6, 0.317, 0.2, 0.2]
    """

    def __init__(self, length, minimum=0.0, unit="epoch"):
        super().__init__(unit)
        self.length = whole(length, "length")
        self.minimum = real(minimum, "minimum", least=0)

    def rate(self, base, t):
        done = min(t, self.length) / self.length
        return self.minimum + (base - self.minimum) * (1 + math.cos(math.pi * done)) / 2


class WarmUp(Schedule):
    """A linear rise over the first `length` units (Goyal et al., arXiv:1706.02677, section 2.2).

    rate(t) = then's rate * min(1, (t + 1) / length). Both schedules count from the start of the training, so
    ``WarmUp(500, then=CosineDecay(10))`` is at the cosine's minimum after 10 epochs.

    Parameters
    ----------
    length : int
        Updates (or epochs) until the full rate is reached.
    then : Schedule or None, default=None
        What the rise is multiplied with; None is a constant rate.
    unit : {"epoch", "step"}, default="step"

    Examples
    --------
    >>> from neurojit.training import StepDecay, WarmUp
    >>> schedule = WarmUp(4, then=StepDecay(1, gamma=0.5))
    >>> [schedule.learning_rate(1.0, epoch=0, step=step) for step in range(4)]
    [0.25, 0.5, 0.75, 1.0]
    >>> schedule.learning_rate(1.0, epoch=1, step=100)
    0.5
    """

    def __init__(self, length, then=None, unit="step"):
        super().__init__(unit)
        self.length = whole(length, "length")
        if then is not None and not isinstance(then, Schedule):
            raise TypeError(f"then: got {type(then).__name__}, wanted a Schedule or None")
        self.then = then

    def rate(self, base, t):
        return base * min(1.0, (t + 1) / self.length)

    def learning_rate(self, base, epoch, step):
        full = base if self.then is None else self.then.learning_rate(base, epoch, step)
        return super().learning_rate(full, epoch, step)

    def reset(self):
        if self.then is not None:
            self.then.reset()

    def observe(self, record):
        if self.then is not None:
            self.then.observe(record)

    def state(self):
        return {} if self.then is None else self.then.state()

    def load_state(self, state):
        if self.then is not None:
            self.then.load_state(state)


class ReduceOnPlateau(Schedule):
    """The rate times `factor` whenever a number has not improved for more than `patience` epochs in a row.

    Counts in epochs.

    Parameters
    ----------
    monitor : str, default="validation_loss"
        Which number of the history to watch.
    factor : float, default=0.1
    patience : int, default=10
        Epochs without improvement that are forgiven.
    threshold : float, default=1e-4
        An improvement is one by more than this share of the best value's size.
    cooldown : int, default=0
        Epochs after a reduction in which nothing is counted.
    minimum : float, default=0.0
        The rate never goes below this.
    mode : {"min", "max"} or None, default=None
        Whether less or more is better; None reads it from the name of the number.

    Examples
    --------
    >>> from neurojit.training import ReduceOnPlateau
    >>> schedule = ReduceOnPlateau("loss", factor=0.5, patience=1)
    >>> for loss in (1.0, 0.5, 0.5, 0.5):
    ...     schedule.observe({"loss": loss})
    >>> schedule.rate(0.1, t=4)
    0.05
    """

    def __init__(
        self,
        monitor="validation_loss",
        factor=0.1,
        patience=10,
        threshold=1e-4,
        cooldown=0,
        minimum=0.0,
        mode=None,
    ):
        super().__init__()
        self.monitor = Monitor(monitor, mode)
        self.factor = real(factor, "factor", above=0, below=1)
        self.patience = whole(patience, "patience", least=0)
        self.threshold = real(threshold, "threshold", least=0)
        self.cooldown = whole(cooldown, "cooldown", least=0)
        self.minimum = real(minimum, "minimum", least=0)
        self.reset()

    def reset(self):
        self.reductions = self.bad_epochs = self.cooling = 0
        self.best = self.monitor.worst

    def rate(self, base, t):
        return max(base * self.factor**self.reductions, min(base, self.minimum))

    def observe(self, record):
        value = self.monitor.value(record)
        margin = abs(self.best) * self.threshold if math.isfinite(self.best) else 0.0
        if self.monitor.better(value, self.best, margin):
            self.best, self.bad_epochs = value, 0
        else:
            self.bad_epochs += 1
        if self.cooling:
            self.cooling, self.bad_epochs = self.cooling - 1, 0
        if self.bad_epochs > self.patience:
            self.reductions, self.cooling, self.bad_epochs = self.reductions + 1, self.cooldown, 0

    def state(self):
        return {name: getattr(self, name) for name in ("reductions", "bad_epochs", "cooling", "best")}

    def load_state(self, state):
        for name in ("reductions", "bad_epochs", "cooling", "best"):
            setattr(self, name, state[name])
