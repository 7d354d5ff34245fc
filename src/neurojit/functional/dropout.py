"""Dropout."""

import numbers

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.memory import empty_like
from neurojit.core.random import Key
from neurojit.functional.devices import kernel_for
from neurojit.functional.op import op
from neurojit.kernels.cpu import dropout as kernels


def check_rate(rate):
    """Raise unless `rate` is a number in [0, 1).

    Raises
    ------
    TypeError
        If it is no number.
    ValueError
        If it is outside.
    """
    if not isinstance(rate, numbers.Real) or isinstance(rate, bool):
        raise TypeError(f"rate: got {rate!r}, wanted a number")
    if not 0 <= rate < 1:
        raise ValueError(f"rate: got {rate!r}, wanted 0 <= rate < 1")


def _check(x, rate, key):
    check_rate(rate)
    if not isinstance(key, Key):
        raise TypeError(f"key: got {type(key).__name__}, wanted a Key (neurojit.core.random)")
    return canonical(x, "x")


def _drop(x, rate, key):
    if rate == 0:
        return x
    y = empty_like(x)
    # An element is dropped when its word is below rate * 2^32.
    threshold = np.uint32(min(round(rate * 2**32), 2**32 - 1))
    kernel_for(kernels.dropout, x)(x.reshape(-1), threshold, 1.0 / (1.0 - rate), np.uint64(key.value), y.reshape(-1))
    return y


@op("x")
def dropout(x, rate, key):
    r"""Set a random share of the elements to zero and scale the others up, so that the expectation stays.

    .. math::

        y_i = x_i / (1 - rate) \text{ where } u_i \ge rate, \text{ else } 0

    with one u_i uniform in [0, 1) an element (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout"
    (JMLR 2014), section 4; scaled in training as in section 10).

    Parameters
    ----------
    x : array, any shape
        float32 or float64.
    rate : float
        Share of elements to drop, 0 <= rate < 1. With 0 the result is `x` itself.
    key : neurojit.core.random.Key
        Names the random numbers: u_i depends on the key and i alone, not on the number of threads.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers, `rate` no number or `key` no Key.
    ValueError
        If `rate` is outside [0, 1).

    Notes
    -----
    Dropout is linear in x, and the pullback is the same function of dy: it draws the same numbers again, which is
    cheaper than to keep a mask.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> from neurojit.core.random import Key
    >>> y = F.dropout(np.ones(1000, np.float32), 0.5, Key(1))
    >>> sorted({float(v) for v in y})
    [0.0, 2.0]
    """
    return _drop(_check(x, rate, key), rate, key)


@dropout.define_vjp
def _dropout_vjp(x, rate, key):
    y = _drop(_check(x, rate, key), rate, key)
    return y, lambda dy, wrt: (_drop(dy, rate, key) if wrt[0] else None,)
