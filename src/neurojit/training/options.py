"""Checks of training's options, with errors that name the option, what it got and what it wanted."""

import math
import numbers


def real(value, name, *, least=None, above=None, below=None):
    """A finite real number as a float.

    Raises
    ------
    TypeError
        If it is no real number.
    ValueError
        If it is NaN, infinite or outside the bounds.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: got {value!r}, wanted a number")
    bounds = [f"{sign} {bound}" for sign, bound in ((">=", least), (">", above), ("<", below)) if bound is not None]
    inside = (
        math.isfinite(value)
        and (least is None or value >= least)
        and (above is None or value > above)
        and (below is None or value < below)
    )
    if not inside:
        raise ValueError(f"{name}: got {value!r}, wanted a number {' and '.join(bounds) or 'that is finite'}")
    return float(value)


def whole(value, name, *, least=1):
    """An integer as an int.

    Raises
    ------
    TypeError
        If it is no integer.
    ValueError
        If it is below `least`.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: got {value!r}, wanted an integer")
    if value < least:
        raise ValueError(f"{name}: got {value!r}, wanted an integer >= {least}")
    return int(value)


def instance(value, kind, name):
    """The value itself, or a TypeError where it is no instance of a class."""
    if not isinstance(value, kind):
        raise TypeError(f"{name}: got {type(value).__name__}, wanted an instance of {kind.__name__}")
    return value


def check_source(data, name):
    """Raise TypeError unless `data` gives batches."""
    if not hasattr(data, "batches"):
        raise TypeError(f"{name}: got {type(data).__name__}, wanted a data source such as ArrayBatches")
