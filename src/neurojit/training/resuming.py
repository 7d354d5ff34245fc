"""What of a training goes into a file, and how it comes back."""

import numpy as np

from neurojit.core.cuda import on_host
from neurojit.core.random import Key
from neurojit.core.statefile import read_state, write_state
from neurojit.training.history import History

CHECKPOINT = "neurojit.checkpoint"  # the kind of file that holds a training


class Resumable:
    """What of `Trainer` writes and reads files."""

    def state(self):
        """All that going on to the same bits needs: a nested dict of live arrays and plain JSON values."""
        return {
            **self._weights(),
            "input_shape": None if self._input_shape is None else list(self._input_shape),
            "dtype": None if self._dtype is None else self._dtype.name,
            "epoch": self.epoch,
            "updates": self.updates,
            "key": self.key.value,
            "base_learning_rate": self.base_learning_rate,
            "schedule": {} if self.schedule is None else self.schedule.state(),
            "callbacks": {name: callback.state() for name, callback in self._named_callbacks().items()},
            "history": {"records": self.history.records, "stopped": self.history.stopped},
        }

    def load_state(self, state):
        """Take back what `state` gave, into a trainer made with the same arguments.

        A network that is not built yet is built. Callbacks are told apart by class and order; one that the state does
        not know starts anew.

        Raises
        ------
        ValueError
            If the state is not one of this network and optimizer.
        """
        if state["input_shape"] is not None:
            self._build(tuple(state["input_shape"]), np.dtype(state["dtype"]))
        self._restore(state)
        self.updates = state["updates"]
        self.key = Key(state["key"])
        self.base_learning_rate = state["base_learning_rate"]
        if self.schedule is not None:
            self.schedule.load_state(state["schedule"])
        for name, callback in self._named_callbacks().items():
            if name in state["callbacks"]:
                callback.load_state(state["callbacks"][name])
        self.history = History(**state["history"])

    def save(self, path):
        """Write `state` to a safetensors file, whole or not at all."""
        write_state(path, on_host(self.state()), CHECKPOINT)

    def resume(self, path):
        """Load a file that `save` or a `Checkpoint` wrote; `fit` then goes on to the bits of an unbroken training.

        Returns
        -------
        Trainer
            This one.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged, of another kind or a newer version, or does not fit the network or the optimizer.
        """
        self.load_state(read_state(path, CHECKPOINT))
        return self

    def _weights(self):
        return {
            "network": self.network.state(),
            "optimizer": self.optimizer.state(self.network.named_parameters()),
        }

    def _restore(self, weights):
        self.network.load_state(weights["network"])
        self.optimizer.load_state(weights["optimizer"], self.network.named_parameters())

    def _named_callbacks(self):
        """Callbacks by class name, the second of a class as "Name-2"."""
        named = {}
        for callback in self.callbacks:
            kind = type(callback).__name__
            count = 1 + sum(type(other).__name__ == kind for other in named.values())
            named[kind if count == 1 else f"{kind}-{count}"] = callback
        return named
