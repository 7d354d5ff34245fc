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


def glorot_uniform(shape, fan_in, fan_out, key, dtype=np.float32):
    """Uniform draws within sqrt(6 / (fan_in + fan_out)): keeps the variance of signals and of gradients through tanh.

    Parameters
    ----------
    shape : tuple of int
        Shape of the weights.
    fan_in, fan_out : int
        Inputs each output sums over, and outputs each input goes to.
    key : Key
        Stream of random numbers.
    dtype : dtype, default=float32

    Returns
    -------
    numpy.ndarray

    Notes
    -----
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (AISTATS 2010),
    equation 16.

    Examples
    --------
    >>> from neurojit.core.random import Key
    >>> bool(abs(glorot_uniform((3, 4), 3, 3, Key(1))).max() <= 1)
    True
    """
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    return key.uniform(shape, -limit, limit, dtype)


def orthogonal(rows, columns, key, dtype=np.float32):
    """A random matrix with orthonormal columns: signals that go round a square one keep their length.

    Parameters
    ----------
    rows, columns : int
        At least as many rows as columns.
    key : Key
        Stream of random numbers.
    dtype : dtype, default=float32

    Returns
    -------
    numpy.ndarray, shape (rows, columns)

    Notes
    -----
    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks"
    (ICLR 2014), section 3. The signs of Q of a QR decomposition are set so that all such matrices are equally likely
    (Mezzadri, "How to generate random matrices from the classical compact groups" (2007), section 5).

    Examples
    --------
    >>> from neurojit.core.random import Key
    >>> q = orthogonal(3, 3, Key(1))
    >>> (q @ q.T).round(5) + 0.0
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    q, r = np.linalg.qr(key.normal((rows, columns), dtype=np.float64))
    return (q * np.where(np.diag(r) < 0, -1.0, 1.0)).astype(dtype)
