"""Optimizer steps on one array, in place, and the norm of many: the only functions here that change an argument."""

import math

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import DeviceArray, on_device
from neurojit.functional import arithmetic
from neurojit.functional.devices import kernel_for
from neurojit.kernels.cpu import optimizer as kernels

# From here on waking the threads costs less than they save (100 000 elements on 2 cores: 35 us against 25).
_PARALLEL_SIZE = 1 << 17


def sgd_update(value, gradient, velocity=None, *, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
    """One step of stochastic gradient descent, in place.

    With g = gradient + weight_decay * value::

        velocity = momentum * velocity + g
        value -= learning_rate * (g + momentum * velocity if nesterov else velocity)

    and without `velocity`, value -= learning_rate * g. Momentum is Polyak's (1964), the look-ahead form Nesterov's in
    the version of Sutskever, Martens, Dahl and Hinton (ICML 2013, section 2); both as in PyTorch.

    Parameters
    ----------
    value : numpy.ndarray
        The parameter, float32 or float64, C-contiguous; changed in place.
    gradient : array-like
        dL/dvalue, of the same shape and precision.
    velocity : numpy.ndarray or None, default=None
        Running sum of gradients, zeros at the start; changed in place. None is no momentum.
    learning_rate, momentum, weight_decay : float
    nesterov : bool, default=False

    Raises
    ------
    TypeError
        If precisions differ, or `value` or `velocity` is not a float array.
    ValueError
        If shapes differ, or an array that is to change is read-only or not contiguous.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.functional.optimizer import sgd_update
    >>> value = np.ones(2)
    >>> sgd_update(value, np.array([1.0, -1.0]), learning_rate=0.5)
    >>> value
    array([0.5, 1.5])
    """
    flat, g = _parameter(value, gradient)
    if velocity is None:
        kernel_for(kernels.sgd, flat)(flat, g, learning_rate, weight_decay)
        return
    run = _choose(flat, kernels.momentum_sgd, kernels.parallel_momentum_sgd)
    run(flat, g, _memory(velocity, value, "velocity"), learning_rate, momentum, nesterov, weight_decay)


def rmsprop_update(
    value,
    gradient,
    square,
    mean=None,
    velocity=None,
    *,
    learning_rate,
    alpha=0.99,
    eps=1e-8,
    weight_decay=0.0,
    momentum=0.0,
    centered=False,
):
    """One step of RMSprop, in place.

    With g = gradient + weight_decay * value::

        square = alpha * square + (1 - alpha) * g**2
        value -= learning_rate * g / (sqrt(square) + eps)

    (Tieleman and Hinton, Coursera lecture 6.5, 2012). With `mean` and `velocity` given, the general form:
    mean = alpha * mean + (1 - alpha) * g is squared and taken off `square` under the root where `centered`
    (Graves, arXiv:1308.0850, equations 38 to 45), and momentum runs over the scaled gradients; as in PyTorch.

    Parameters
    ----------
    value : numpy.ndarray
        The parameter, float32 or float64, C-contiguous; changed in place.
    gradient : array-like
        dL/dvalue, of the same shape and precision.
    square : numpy.ndarray
        Running mean of squared gradients, zeros at the start; changed in place.
    mean, velocity : numpy.ndarray or None, default=None
        Running mean of gradients and running sum of steps, zeros at the start; changed in place. Both or neither.
    learning_rate, alpha, eps, weight_decay, momentum : float
    centered : bool, default=False

    Raises
    ------
    TypeError
        If precisions differ, or an array that is to change is not a float array.
    ValueError
        If shapes differ, an array that is to change is read-only or not contiguous, or `momentum` or `centered` is
        asked for without `mean` and `velocity`.
    """
    flat, g = _parameter(value, gradient)
    square = _memory(square, value, "square")
    if mean is None and velocity is None:
        if momentum or centered:
            raise ValueError(f"mean, velocity: got None, wanted arrays for momentum={momentum}, centered={centered}")
        run = _choose(flat, kernels.rmsprop, kernels.parallel_rmsprop)
        run(flat, g, square, learning_rate, alpha, eps, weight_decay)
        return
    mean, velocity = _memory(mean, value, "mean"), _memory(velocity, value, "velocity")
    kernel_for(kernels.general_rmsprop, flat)(
        flat, g, square, mean, velocity, learning_rate, alpha, eps, weight_decay, momentum, centered
    )


def adam_update(
    value,
    gradient,
    mean,
    square,
    *,
    updates,
    learning_rate,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    decoupled=False,
):
    """One step of Adam (Kingma and Ba, ICLR 2015, algorithm 1) or AdamW, in place.

    With g = gradient + weight_decay * value and t = `updates`::

        mean = beta1 * mean + (1 - beta1) * g
        square = beta2 * square + (1 - beta2) * g**2
        value -= learning_rate * (mean / (1 - beta1**t)) / (sqrt(square / (1 - beta2**t)) + eps)

    With `decoupled`, g is the gradient alone and value shrinks by 1 - learning_rate * weight_decay before the step
    (AdamW: Loshchilov and Hutter, ICLR 2019, algorithm 2); as in PyTorch.

    Parameters
    ----------
    value : numpy.ndarray
        The parameter, float32 or float64, C-contiguous; changed in place.
    gradient : array-like
        dL/dvalue, of the same shape and precision.
    mean, square : numpy.ndarray
        Running means of gradients and squared gradients, zeros at the start; changed in place.
    updates : int
        t, the number of steps with these arrays including this one; at least 1.
    learning_rate, eps, weight_decay : float
    betas : (float, float), default=(0.9, 0.999)
    decoupled : bool, default=False

    Raises
    ------
    TypeError
        If precisions differ, or an array that is to change is not a float array.
    ValueError
        If shapes differ, an array that is to change is read-only or not contiguous, or `updates` is below 1.
    """
    if updates < 1:
        raise ValueError(f"updates: got {updates!r}, wanted an integer >= 1")
    flat, g = _parameter(value, gradient)
    beta1, beta2 = betas
    shrink = 1.0 - learning_rate * weight_decay if decoupled else 1.0
    step = learning_rate / (1.0 - beta1**updates)
    root = math.sqrt(1.0 - beta2**updates)
    mean, square = _memory(mean, value, "mean"), _memory(square, value, "square")
    run = _choose(flat, kernels.adam, kernels.parallel_adam)
    run(flat, g, mean, square, shrink, step, root, beta1, beta2, eps, 0.0 if decoupled else weight_decay)


def global_norm(arrays):
    """The Euclidean norm of all elements of all arrays: sqrt(sum over arrays and elements of a^2).

    Squares are summed in float64 and in a fixed order, so the number is the same for any number of threads.

    Parameters
    ----------
    arrays : iterable of array-like

    Returns
    -------
    float

    Examples
    --------
    >>> from neurojit.functional.optimizer import global_norm
    >>> global_norm([[3.0], [[0.0, 4.0]]])
    5.0
    """
    return math.sqrt(math.fsum(_sum_of_squares(canonical(a, "arrays")) for a in arrays))


def _sum_of_squares(array):
    return arithmetic.sum_of_squares(array) if on_device(array) else kernels.sum_of_squares(array.reshape(-1))


def clip_by_global_norm(arrays, max_norm):
    """The arrays scaled down so that their global norm is at most `max_norm`.

    Where the norm of all gradients together is above a threshold, every one of them is multiplied by threshold / norm,
    which keeps their direction (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks"
    (ICML 2013), algorithm 1); else they come back as they are. As in PyTorch, the norm is taken 1e-6 larger in that.

    Parameters
    ----------
    arrays : sequence of numpy.ndarray
    max_norm : float

    Returns
    -------
    clipped : list of numpy.ndarray
    norm : float
        The norm before clipping.
    """
    arrays = list(arrays)
    norm = global_norm(arrays)
    factor = max_norm / (norm + 1e-6)
    if factor >= 1.0:
        return arrays, norm
    return [a * a.dtype.type(factor) for a in arrays], norm


def _choose(flat, serial, parallel):
    """The kernel for a parameter: on the device its twin, on the host by its size."""
    if on_device(flat):
        return kernel_for(serial, flat)
    return parallel if flat.size >= _PARALLEL_SIZE else serial


def _parameter(value, gradient):
    """A parameter and its gradient as 1-D views."""
    flat = _in_place(value, "value")
    return flat, canonical(gradient, "gradient", dtype=value.dtype, shape=value.shape).reshape(-1)


def _memory(array, value, name):
    """An optimizer's array for `value` as a 1-D view."""
    flat = _in_place(array, name)
    if array.dtype != value.dtype:
        raise TypeError(f"{name}: got {array.dtype}, wanted {value.dtype} like the value")
    if array.shape != value.shape:
        raise ValueError(f"{name}: got shape {array.shape}, wanted {value.shape}")
    return flat


def _in_place(array, name):
    """A 1-D view of an array a kernel may write to."""
    if isinstance(array, DeviceArray) and array.dtype in (np.float32, np.float64):
        return array.reshape(-1)
    if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
        what = f"dtype {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"{name}: got {what}, wanted a numpy array of float32 or float64")
    if not (array.flags.writeable and array.flags.c_contiguous):
        raise ValueError(f"{name}: got a read-only or non-contiguous array, wanted one that can be changed in place")
    return array.reshape(-1)
