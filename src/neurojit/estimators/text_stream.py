"""A language model in the middle of a text: what it expects next, and the state that all before has left."""

import numpy as np

from neurojit import functional as F
from neurojit.core.cuda import to_device, to_host
from neurojit.layers.base import Mode


class TextStream:
    """What a fitted `LanguageModel` keeps of the text so far; the model itself is not changed.

    Attributes
    ----------
    log_probabilities : numpy.ndarray, shape (n_symbols,)
        Natural logarithms of what may come next. Before any text they say how often each symbol was seen in training.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> model = nj.LanguageModel(units=8, n_layers=1, max_epochs=1, random_state=0).fit("to be or not to be " * 20)
    >>> stream = model.stream()
    >>> stream.feed("to ").feed("be").log_probabilities.shape
    (7,)
    >>> np.array_equal(stream.log_probabilities, model.stream().feed("to be").log_probabilities)
    True
    """

    def __init__(self, network, symbols):
        self._network = network
        self._symbols = symbols
        self._carry = {}
        counts = np.maximum(symbols.vocabulary.counts, 1)
        self.log_probabilities = np.log(counts / counts.sum())

    def feed(self, text):
        """Read on; returns the stream.

        Parameters
        ----------
        text : str

        Raises
        ------
        TypeError, ValueError
            If it is no string, or has a character that is not known.
        """
        numbers = self._symbols.encode(text)
        return self.feed_numbers(numbers) if len(numbers) else self

    def feed_numbers(self, numbers):
        """The same for symbols by their numbers, at least one."""
        outputs = self._network.forward(np.asarray(numbers, np.int64)[None], Mode(carry=self._carry))
        self.log_probabilities = F.log_softmax(to_host(outputs)[0, -1:])[0]
        return self

    def copy(self):
        """A stream that goes on from here by itself."""
        other = TextStream(self._network, self._symbols)
        other._carry = dict(self._carry)
        other.log_probabilities = self.log_probabilities
        return other

    def state(self):
        """What going on needs, as a nested dict of arrays."""
        paths = dict(self._network.walk())
        carried = {
            paths[layer].rstrip("."): {str(i): to_host(part) for i, part in enumerate(state)}
            for layer, state in self._carry.items()
        }
        return {"log_probabilities": self.log_probabilities, "carry": carried}

    def load_state(self, state):
        """Take back what `state` gave, in this model or one that was loaded from its file; returns the stream."""
        layers = {path.rstrip("."): layer for layer, path in self._network.walk()}
        unknown = state["carry"].keys() - layers.keys()
        if unknown:
            raise ValueError(f"state: got states of unknown layers {sorted(unknown)}, wanted those of this network")
        move = to_device if self._network.device == "cuda" else np.asarray
        self._carry = {
            layers[path]: tuple(move(carried[str(i)]) for i in range(len(carried)))
            for path, carried in state["carry"].items()
        }
        self.log_probabilities = state["log_probabilities"]
        return self
