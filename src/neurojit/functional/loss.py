"""Losses: what a training minimises, with gradients computed in the same pass."""

import numbers

import numpy as np

from neurojit.core.arrays import canonical, canonical_integers
from neurojit.core.cuda import device_empty_like, on_device, to_device, to_host
from neurojit.core.memory import empty_like
from neurojit.functional.arithmetic import product, scale_rows, total
from neurojit.functional.devices import empty_for, kernel_for
from neurojit.functional.op import op
from neurojit.kernels.cpu import loss as kernels
from neurojit.kernels.cpu.chunks import CHUNK
from neurojit.kernels.cuda import nll as device_nll

_REDUCTIONS = ("mean", "sum", "none")
_IGNORED = -1


def check_reduction(reduction):
    """Raise ValueError unless this is a way to reduce losses of a batch."""
    if reduction not in _REDUCTIONS:
        raise ValueError(f"reduction: got {reduction!r}, wanted one of {_REDUCTIONS}")


class _Classes:
    """Scores of classes with their targets, checked and as rows."""

    def __init__(self, scores, targets, weight, ignore_index, reduction, name):
        self.scores = canonical(scores, name)
        if self.scores.ndim < 2 or self.scores.shape[-1] < 1:
            raise ValueError(f"{name}: got shape {self.scores.shape}, wanted (n, ..., classes)")
        self.classes = self.scores.shape[-1]
        self.shape = self.scores.shape[:-1]
        self.rows = self.scores.reshape(-1, self.classes)
        if not isinstance(ignore_index, numbers.Integral):
            raise TypeError(f"ignore_index: got {ignore_index!r}, wanted an int")
        check_reduction(reduction)
        self.reduction = reduction
        self.targets = self._check_targets(targets, ignore_index)
        dtype = self.scores.dtype
        self.weight = (
            np.ones(self.classes, dtype)
            if weight is None
            else canonical(to_host(weight), "weight", dtype=dtype, shape=(self.classes,))
        )
        self.scale = self._scale() if reduction == "mean" else 1.0

    def for_kernel(self):
        """Scores, targets and class weights where the scores are; targets are checked on the host first."""
        if on_device(self.scores):
            return self.rows, to_device(self.targets), to_device(self.weight)
        return self.rows, self.targets, self.weight

    def _check_targets(self, targets, ignore_index):
        targets = canonical_integers(to_host(targets), "targets", shape=self.shape).reshape(-1)
        counted = targets != ignore_index
        inside = (targets >= 0) & (targets < self.classes)
        if not (inside | ~counted).all():
            wrong = targets[counted & ~inside][0]
            raise ValueError(
                f"targets: got class {wrong}, wanted 0 to {self.classes - 1} (or ignore_index {ignore_index})"
            )
        return np.where(counted, targets, _IGNORED)

    def _scale(self):
        """1 / the weight of all rows that count; 0 where none does."""
        total = self.weight[self.targets[self.targets != _IGNORED]].sum(dtype=np.float64)
        return 1.0 / total if total > 0 else 0.0

    def reduce(self, losses):
        """The rows' losses, which have been scaled for a mean already, as `reduction` asks."""
        return losses.reshape(self.shape) if self.reduction == "none" else total(losses)

    def through_reduction(self, gradient, dy):
        """The gradient to the scores from each row's own gradient, which is changed no more than needed."""
        if self.reduction == "none":
            gradient = scale_rows(gradient, dy.reshape(-1))
        elif dy != 1:
            gradient = gradient * dy
        return gradient.reshape(self.scores.shape)


def _check_smoothing(label_smoothing):
    if not isinstance(label_smoothing, numbers.Real) or not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing: got {label_smoothing!r}, wanted a number from 0 to 1")


def _cross_entropy(rows, label_smoothing, dlogits):
    losses = empty_for(dlogits, len(rows.rows), rows.scores.dtype)
    run = kernel_for(kernels.cross_entropy, dlogits)
    run(*rows.for_kernel(), float(label_smoothing), rows.scale, losses, dlogits)
    return rows.reduce(losses)


@op("logits")
def cross_entropy(logits, targets, *, weight=None, label_smoothing=0.0, ignore_index=-100, reduction="mean"):
    r"""Cross-entropy between softmax(logits) and the targets.

    .. math::

        l_i = -\sum_j q_{ij} \log \mathrm{softmax}(z_i)_j, \quad
        q_{ij} = w_j \left((1 - s) [j = t_i] + s / K\right)

    for K classes, class weights w and label smoothing s (Szegedy et al., "Rethinking the Inception architecture" (CVPR
    2016), section 7). The mean divides by the sum of the rows' w_t, as in PyTorch.

    Parameters
    ----------
    logits : array, shape (n, ..., classes)
        Unnormalized log-probabilities, float32 or float64.
    targets : array of int, shape (n, ...)
        Classes.
    weight : array, shape (classes,), optional
        How much each class counts; 1 where not given.
    label_smoothing : float, default=0.0
        Share of a target that is spread over all classes, 0 to 1.
    ignore_index : int, default=-100
        Target of rows that do not count.
    reduction : {"mean", "sum", "none"}, default="mean"

    Returns
    -------
    float or array, shape (n, ...) with ``reduction="none"``
        The mean over no rows is 0.

    Raises
    ------
    TypeError
        If logits are not real numbers, targets not integers, or precisions differ.
    ValueError
        If shapes do not fit, a target is no class, or an option is unknown.

    Notes
    -----
    The pullback gives dlogits = softmax(z) sum_j q_j - q for each row, computed along with the loss.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> logits = np.log(np.array([[0.5, 0.25, 0.25]]))
    >>> loss, backward = F.cross_entropy.vjp(logits, [0])
    >>> round(float(loss), 4), backward(1.0).round(2)
    (0.6931, array([[-0.5 ,  0.25,  0.25]]))
    """
    _check_smoothing(label_smoothing)
    rows = _Classes(logits, targets, weight, ignore_index, reduction, "logits")
    return _cross_entropy(rows, label_smoothing, empty_for(rows.scores, (0, rows.classes), rows.scores.dtype))


@cross_entropy.define_vjp
def _cross_entropy_vjp(logits, targets, *, weight=None, label_smoothing=0.0, ignore_index=-100, reduction="mean"):
    _check_smoothing(label_smoothing)
    rows = _Classes(logits, targets, weight, ignore_index, reduction, "logits")
    dlogits = empty_like(rows.rows)
    y = _cross_entropy(rows, label_smoothing, dlogits)
    return y, lambda dy, wrt: (rows.through_reduction(dlogits, dy) if wrt[0] else None,)


def _nll_parts(rows):
    """Which rows count, their targets, and what each is multiplied by."""
    counted = np.flatnonzero(rows.targets != _IGNORED)
    targets = rows.targets[counted]
    return counted, targets, rows.weight[targets] * rows.scores.dtype.type(rows.scale)


def _nll(rows):
    if on_device(rows.scores):
        losses = empty_for(rows.scores, len(rows.rows), rows.scores.dtype)
        device_nll.pick(*rows.for_kernel(), rows.scale, losses)
        return rows.reduce(losses)
    counted, targets, weights = _nll_parts(rows)
    losses = np.zeros(len(rows.rows), rows.scores.dtype)
    losses[counted] = -weights * rows.rows[counted, targets]
    return rows.reduce(losses)


def _nll_gradient(rows):
    if on_device(rows.scores):
        gradient = device_empty_like(rows.rows)
        _, targets, weight = rows.for_kernel()
        device_nll.pick_backward(targets, weight, rows.scale, gradient)
        return gradient
    counted, targets, weights = _nll_parts(rows)
    gradient = np.zeros_like(rows.rows)
    gradient[counted, targets] = -weights
    return gradient


@op("log_probabilities")
def nll_loss(log_probabilities, targets, *, weight=None, ignore_index=-100, reduction="mean"):
    """Negative log-likelihood of the targets: l_i = -w_t log p_i[t_i] for target t_i.

    With `log_softmax` before it, this is `cross_entropy` in two steps (Goodfellow, Bengio and Courville, "Deep
    Learning" (2016), equation 5.13).

    Parameters
    ----------
    log_probabilities : array, shape (n, ..., classes)
        float32 or float64.
    targets, weight, ignore_index, reduction
        As in `cross_entropy`.

    Returns
    -------
    float or array, shape (n, ...) with ``reduction="none"``

    Raises
    ------
    TypeError, ValueError
        As `cross_entropy`.

    Notes
    -----
    The pullback gives -w_t at each target and 0 elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> float(F.nll_loss(np.array([[-1.0, -2.0], [-3.0, -4.0]]), [0, 1]))
    2.5
    """
    return _nll(_Classes(log_probabilities, targets, weight, ignore_index, reduction, "log_probabilities"))


@nll_loss.define_vjp
def _nll_loss_vjp(log_probabilities, targets, *, weight=None, ignore_index=-100, reduction="mean"):
    rows = _Classes(log_probabilities, targets, weight, ignore_index, reduction, "log_probabilities")

    def pullback(dy, wrt):
        if not wrt[0]:
            return (None,)
        return (rows.through_reduction(_nll_gradient(rows), dy),)

    return _nll(rows), pullback


def _squared_error(prediction, target, reduction):
    """The loss, the difference and what the loss multiplies it by."""
    prediction = canonical(prediction, "prediction")
    target = canonical(target, "target", dtype=prediction.dtype, shape=prediction.shape)
    check_reduction(reduction)
    difference = empty_like(prediction)
    partial = empty_for(prediction, -(-prediction.size // CHUNK), prediction.dtype)
    run = kernel_for(kernels.squared_error, prediction)
    run(prediction.reshape(-1), target.reshape(-1), difference.reshape(-1), partial)
    if reduction == "none":
        return product(difference, difference), difference, 1.0
    scale = 1.0 / max(prediction.size, 1) if reduction == "mean" else 1.0
    return prediction.dtype.type(scale * to_host(partial).sum(dtype=np.float64)), difference, scale


@op("prediction", "target")
def mse_loss(prediction, target, *, reduction="mean"):
    """Squared error, l_i = (prediction_i - target_i)^2.

    Parameters
    ----------
    prediction : array, any shape
        float32 or float64.
    target : array, shape of `prediction`
    reduction : {"mean", "sum", "none"}, default="mean"

    Returns
    -------
    float or array of the shape of `prediction` with ``reduction="none"``
        The mean over nothing is 0.

    Raises
    ------
    TypeError
        If the arrays are not of real numbers or differ in precision.
    ValueError
        If the shapes differ or the reduction is unknown.

    Notes
    -----
    The pullback gives dprediction = 2 (prediction - target) dy, divided by the size for a mean, and
    dtarget = -dprediction (Bishop, "Pattern Recognition and Machine Learning" (2006), equation 1.2).

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> float(F.mse_loss(np.array([1.0, 2.0]), np.array([0.0, 4.0])))
    2.5
    """
    return _squared_error(prediction, target, reduction)[0]


@mse_loss.define_vjp
def _mse_loss_vjp(prediction, target, *, reduction="mean"):
    y, difference, scale = _squared_error(prediction, target, reduction)

    def pullback(dy, wrt):
        gradient = product(difference, difference.dtype.type(2 * scale) * dy)
        return gradient if wrt[0] else None, -gradient if wrt[1] else None

    return y, pullback
