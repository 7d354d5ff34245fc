"""What happened in each epoch, to be indexed and plotted."""

import math

import numpy as np


class History:
    """The record of a training: one dict of numbers for each finished epoch.

    Parameters
    ----------
    records : iterable of dict, default=()
    stopped : str or None, default=None
        Why training ended before `max_epochs`; None when it did not.

    Examples
    --------
    >>> from neurojit.training import History
    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history["loss"]
    array([0.5 , 0.25])
    >>> history[-1]
    {'epoch': 2, 'loss': 0.25}
    >>> len(history)
    2
    """

    def __init__(self, records=(), stopped=None):
        self.records = [dict(record) for record in records]
        self.stopped = stopped

    def append(self, record):
        """Add one epoch's numbers."""
        self.records.append(dict(record))

    def keys(self):
        """Names of all numbers recorded, in order of appearance."""
        return list(dict.fromkeys(name for record in self.records for name in record))

    def __contains__(self, name):
        return name in self.keys()

    def __len__(self):
        return len(self.records)

    def __iter__(self):
        return iter(self.records)

    def __getitem__(self, index):
        """One epoch's dict by position, or a name's numbers over all epochs as an array (NaN where it has none)."""
        if not isinstance(index, str):
            return self.records[index]
        if index not in self.keys():
            raise KeyError(f"{index}: got an unknown name, wanted one of {self.keys()}")
        return np.array([record.get(index, math.nan) for record in self.records], dtype=np.float64)

    def __repr__(self):
        ended = "" if self.stopped is None else f", stopped: {self.stopped}"
        return f"<History of {len(self)} epochs: {', '.join(self.keys())}{ended}>"

    def plot(self, ax=None):
        """Draw training and validation loss over epochs.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        matplotlib.axes.Axes
        """
        if ax is None:
            from matplotlib import pyplot as plt

            ax = plt.subplots()[1]
        for name, label in (("loss", "training"), ("validation_loss", "validation")):
            if name in self:
                ax.plot(np.arange(1, len(self) + 1), self[name], label=label)
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.legend()
        return ax
