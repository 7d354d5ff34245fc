"""Losses as objects: what a training minimises, with sample weights."""

import numpy as np

from neurojit.core.cuda import on_device, to_device, to_host
from neurojit.functional.loss import cross_entropy, mse_loss


class Loss:
    """A function of outputs and targets to be minimised.

    A subclass declares `vjp`; `value` follows from it, and is declared too where it is cheaper alone.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import Loss
    >>> class MeanAbsoluteError(Loss):
    ...     def vjp(self, outputs, targets, sample_weight=None):
    ...         difference = outputs - targets
    ...         return float(np.abs(difference).mean()), lambda: np.sign(difference) / difference.size
    >>> value, backward = MeanAbsoluteError().vjp(np.array([1.0, 3.0]), np.array([2.0, 1.0]))
    >>> value, backward()
    (1.5, array([-0.5,  0.5]))
    """

    def value(self, outputs, targets, sample_weight=None):
        """The loss of a batch as a float."""
        return self.vjp(outputs, targets, sample_weight)[0]

    def vjp(self, outputs, targets, sample_weight=None):
        """The loss of a batch as a float, and ``backward() -> doutputs``."""
        raise TypeError(f"{type(self).__name__}: a loss declares vjp()")


class CrossEntropy(Loss):
    """Softmax cross-entropy of logits: the mean over targets of -log softmax(outputs)[target].

    With sample weights w it is sum(w l) / sum(w c), c being the weight of each target's class (1 without
    `class_weight`) and l its loss, which has the factor c; targets that are `ignore_index` are left out of both sums,
    and a batch in which nothing counts has loss 0. The equation of l is `functional.cross_entropy`'s.

    Parameters
    ----------
    class_weight : array-like or None, default=None
        Shape (classes,): how much each class counts.
    label_smoothing : float, default=0.0
        Share of the target's probability that is spread evenly over all classes.
    ignore_index : int, default=-100
        Target that does not count.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import CrossEntropy
    >>> logits = np.log(np.array([[0.5, 0.5], [0.1, 0.9]]))
    >>> round(CrossEntropy().value(logits, np.array([0, 1]), sample_weight=np.array([1.0, 0.0])), 4)
    0.6931
    """

    def __init__(self, class_weight=None, label_smoothing=0.0, ignore_index=-100):
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.ignore_index = ignore_index

    def value(self, outputs, targets, sample_weight=None):
        options = self._options(outputs)
        if sample_weight is None:
            return float(cross_entropy(outputs, targets, **options))
        losses = cross_entropy(outputs, targets, reduction="none", **options)
        return _dot(losses, self._shares(targets, sample_weight, outputs.dtype))

    def vjp(self, outputs, targets, sample_weight=None):
        options = self._options(outputs)
        if sample_weight is None:
            loss, backward = cross_entropy.vjp(outputs, targets, **options)
            return float(loss), lambda: backward(1.0)
        losses, backward = cross_entropy.vjp(outputs, targets, reduction="none", **options)
        shares = self._shares(targets, sample_weight, outputs.dtype)
        return _dot(losses, shares), lambda: backward(beside(outputs, shares))

    def _options(self, outputs):
        weight = None if self.class_weight is None else np.asarray(self.class_weight, outputs.dtype)
        return {"weight": weight, "label_smoothing": self.label_smoothing, "ignore_index": self.ignore_index}

    def _shares(self, targets, sample_weight, dtype):
        """What each target's loss counts in the batch's: w / sum(w c)."""
        targets = np.asarray(targets)
        counted = targets != self.ignore_index
        shares = np.where(counted, _spread(sample_weight, targets.shape), 0.0)
        total = shares.sum()
        if self.class_weight is not None:
            total = _dot(shares, np.asarray(self.class_weight, np.float64)[np.where(counted, targets, 0)])
        return _normalised(shares, total, dtype)


class MeanSquaredError(Loss):
    """Mean of (output - target)^2 over samples and outputs.

    With sample weights w it is sum(w l) / sum(w), l being a sample's mean over its outputs; 0 where all w are 0.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import MeanSquaredError
    >>> MeanSquaredError().value(np.array([[1.0], [5.0]]), np.array([[0.0], [2.0]]), sample_weight=np.array([3.0, 1.0]))
    3.0
    """

    def value(self, outputs, targets, sample_weight=None):
        targets = beside(outputs, np.asarray(targets, outputs.dtype))
        if sample_weight is None:
            return float(mse_loss(outputs, targets))
        return _dot(mse_loss(outputs, targets, reduction="none"), self._shares(outputs, sample_weight))

    def vjp(self, outputs, targets, sample_weight=None):
        targets = beside(outputs, np.asarray(targets, outputs.dtype))
        if sample_weight is None:
            loss, backward = mse_loss.vjp(outputs, targets)
            return float(loss), lambda: backward(1.0, wrt=(True, False))[0]
        losses, backward = mse_loss.vjp(outputs, targets, reduction="none")
        shares = self._shares(outputs, sample_weight)
        return _dot(losses, shares), lambda: backward(beside(outputs, shares), wrt=(True, False))[0]

    @staticmethod
    def _shares(outputs, sample_weight):
        """What each element's loss counts in the batch's: w / (sum(w) times the outputs of a sample)."""
        weights = _spread(sample_weight, outputs.shape)
        return _normalised(weights, weights.sum(), outputs.dtype)


def beside(outputs, array):
    """An array where the outputs are."""
    return to_device(array) if on_device(outputs) else array


def _spread(sample_weight, shape):
    """Weights of samples, shape (n,), or of steps, (n, steps), over all elements of arrays of the given shape."""
    weight = np.asarray(sample_weight, np.float64)
    return np.broadcast_to(weight.reshape(*weight.shape, *[1] * (len(shape) - weight.ndim)), shape)


def _normalised(shares, total, dtype):
    """Shares / total, or zeros where nothing counts."""
    return (shares / total if total else np.zeros_like(shares)).astype(dtype)


def _dot(losses, shares):
    """Sum of losses * shares as a float, in float64."""
    return float(np.vdot(to_host(losses).astype(np.float64), shares.astype(np.float64)))
