"""How weights start."""

import math

import numpy as np


def he_normal(shape, fan_in, key, dtype=np.float32):
    """Normal draws with standard deviation sqrt(2 / fan_in): keeps the variance of signals through ReLU layers.

    Parameters
    ----------
    shape : tuple of int
        Shape of the weights.
    fan_in : int
        Inputs each output sums over.
    key : Key
        Stream of random numbers.
    dtype : dtype, default=float32

    Returns
    -------
    numpy.ndarray

    Notes
    -----
    He, Zhang, Ren and Sun, "Delving deep into rectifiers" (ICCV 2015), equation 10.

    Examples
    --------
    >>> from neurojit.core.random import Key
    >>> he_normal((3, 4), 3, Key(1)).shape
    (3, 4)
    """
    return key.normal(shape, math.sqrt(2.0 / max(fan_in, 1)), dtype)
