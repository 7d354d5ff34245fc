"""Which number of a history to watch, and which way is better."""

import math

_LESS_IS_BETTER = ("loss", "error")
_MORE_IS_BETTER = ("accuracy", "score")


class Monitor:
    """Finds a number in an epoch's record and says whether it got better.

    Parameters
    ----------
    name : str
        A key of the record, such as "validation_loss".
    mode : {"min", "max"} or None, default=None
        Whether less or more is better; None reads it from the name, which then ends in "loss" or "error" (less), or in
        "accuracy" or "score" (more).

    Raises
    ------
    ValueError
        If the mode is unknown or cannot be read from the name.
    """

    def __init__(self, name, mode=None):
        if mode not in (None, "min", "max"):
            raise ValueError(f"mode: got {mode!r}, wanted 'min', 'max' or None")
        if mode is None and not name.endswith(_LESS_IS_BETTER + _MORE_IS_BETTER):
            raise ValueError(f"mode: got None for monitor {name!r}, wanted 'min' or 'max' since the name does not say")
        self.name = name
        self.less_is_better = mode == "min" or (mode is None and name.endswith(_LESS_IS_BETTER))
        self.worst = math.inf if self.less_is_better else -math.inf

    def value(self, record):
        """The number in an epoch's record.

        Raises
        ------
        ValueError
            If the record has none of that name.
        """
        if self.name not in record:
            raise ValueError(
                f"monitor: got {self.name!r}, wanted one of {sorted(record)} (validation numbers need validation data)"
            )
        return record[self.name]

    def better(self, value, best, min_delta=0.0):
        """Whether `value` beats `best` by more than `min_delta`; NaN beats nothing."""
        return value < best - min_delta if self.less_is_better else value > best + min_delta
