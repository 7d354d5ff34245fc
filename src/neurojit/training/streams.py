"""Batches of one long sequence: cut into streams that run side by side, a part of each in every batch."""

import numpy as np

from neurojit.core.arrays import canonical_integers
from neurojit.training.batches import Batch
from neurojit.training.options import whole


class StreamBatches:
    """Every symbol of a text as target, the one before it as input.

    The text is cut into as many streams as a batch has rows. Row i of each batch goes on where row i of the batch
    before ended, so that a `Trainer` with ``stateful=True`` can carry the states of recurrent layers on: truncated
    backpropagation through time (Williams and Peng 1990).

    Parameters
    ----------
    symbols : array-like of int, shape (n_symbols,)
        The text as numbers, at least two.
    steps : int, default=64
        Steps in a batch, over which gradients are propagated.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two symbols, or they are no integers.

    Examples
    --------
    >>> from neurojit.training import StreamBatches
    >>> for batch in StreamBatches(range(9), steps=3).batches(2):
    ...     print(batch.x.tolist(), batch.targets.tolist(), len(batch))
    [[0, 1, 2], [4, 5, 6]] [[1, 2, 3], [5, 6, 7]] 6
    [[3], [7]] [[4], [8]] 2
    """

    def __init__(self, symbols, steps=64):
        symbols = np.asarray(symbols) if isinstance(symbols, np.ndarray) else np.array(list(symbols))
        self.symbols = canonical_integers(symbols, "symbols", ndim=1)
        if len(self.symbols) < 2:
            raise ValueError(f"symbols: got {len(self.symbols)}, wanted at least two: one to predict from the other")
        self.steps = whole(steps, "steps")

    def __len__(self):
        """The number of symbols that are predicted."""
        return len(self.symbols) - 1

    def batches(self, batch_size, key=None):
        """The whole text once; of symbols that do not fill a step of all streams, the last ones are left out.

        Parameters
        ----------
        batch_size : int
            Streams side by side; fewer where the text is too short for each to fill a batch's steps.
        key : Key or None, default=None
            Not looked at: a text has its order.

        Yields
        ------
        Batch
            Inputs and targets of shape (streams, steps).
        """
        streams = max(1, min(whole(batch_size, "batch_size"), len(self) // self.steps))
        length = len(self) // streams
        inputs = self.symbols[: streams * length].reshape(streams, length)
        targets = self.symbols[1 : streams * length + 1].reshape(streams, length)
        for start in range(0, length, self.steps):
            part = np.s_[:, start : start + self.steps]
            yield Batch(inputs[part], targets[part], None, n_samples=targets[part].size)
