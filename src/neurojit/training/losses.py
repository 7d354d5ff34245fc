"""Losses as objects: what a training minimises, with sample weights."""

import numpy as np

from neurojit import functional as F


class Loss:
    """A function of outputs and targets to be minimised.

    A subclass declares `vjp`; `value` follows from it, or may be declared too where it is cheaper.
    """

    def value(self, outputs, targets, sample_weight=None):
        """The loss of a batch as a float."""
        return self.vjp(outputs, targets, sample_weight)[0]

    def vjp(self, outputs, targets, sample_weight=None):
        """The loss of a batch as a float, and ``backward() -> doutputs``."""
        raise TypeError(f"{type(self).__name__}: a loss declares vjp()")


class CrossEntropy(Loss):
    """Softmax cross-entropy of logits: the mean over samples of -log softmax(outputs)[target].

    With sample weights w it is sum(w c l) / sum(w c), c being the weight of each sample's class (1 without
    `class_weight`) and l its loss; samples with the target `ignore_index` are left out of both sums, and a batch in
    which nothing counts has loss 0.

    Parameters
    ----------
    class_weight : array-like or None, default=None
        Shape (classes,): how much each class counts.
    label_smoothing : float, default=0.0
        Share of the target's probability that is spread evenly over all classes.
    ignore_index : int, default=-100
        Target of samples that do not count.
    """

    def __init__(self, class_weight=None, label_smoothing=0.0, ignore_index=-100):
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.ignore_index = ignore_index

    def value(self, outputs, targets, sample_weight=None):
        options = self._options(outputs)
        if sample_weight is None:
            return float(F.cross_entropy(outputs, targets, **options))
        losses = F.cross_entropy(outputs, targets, reduction="none", **options)
        return float(losses @ self._shares(targets, sample_weight, outputs.dtype))

    def vjp(self, outputs, targets, sample_weight=None):
        options = self._options(outputs)
        if sample_weight is None:
            loss, backward = F.cross_entropy.vjp(outputs, targets, **options)
            return float(loss), lambda: backward(outputs.dtype.type(1))
        losses, backward = F.cross_entropy.vjp(outputs, targets, reduction="none", **options)
        shares = self._shares(targets, sample_weight, outputs.dtype)
        return float(losses @ shares), lambda: backward(shares)

    def _options(self, outputs):
        weight = None if self.class_weight is None else np.asarray(self.class_weight, outputs.dtype)
        return {"weight": weight, "label_smoothing": self.label_smoothing, "ignore_index": self.ignore_index}

    def _shares(self, targets, sample_weight, dtype):
        """What each sample's loss counts in the batch's: w / sum(w c)."""
        counted = np.asarray(targets) != self.ignore_index
        shares = np.where(counted, sample_weight, 0.0)
        weights = shares
        if self.class_weight is not None:
            weights = shares * np.asarray(self.class_weight, np.float64)[np.where(counted, targets, 0)]
        return _normalised(shares, weights.sum(), dtype)


class MeanSquaredError(Loss):
    """Mean of (output - target)^2 over samples and outputs.

    With sample weights w it is sum(w l) / sum(w), l being a sample's mean over its outputs.
    """

    def value(self, outputs, targets, sample_weight=None):
        targets = np.asarray(targets, outputs.dtype)
        if sample_weight is None:
            return float(F.mse_loss(outputs, targets))
        losses = F.mse_loss(outputs, targets, reduction="none")
        return float((losses * self._shares(outputs, sample_weight)).sum())

    def vjp(self, outputs, targets, sample_weight=None):
        targets = np.asarray(targets, outputs.dtype)
        if sample_weight is None:
            loss, backward = F.mse_loss.vjp(outputs, targets)
            return float(loss), lambda: _first(backward(outputs.dtype.type(1)))
        losses, backward = F.mse_loss.vjp(outputs, targets, reduction="none")
        shares = np.broadcast_to(self._shares(outputs, sample_weight), outputs.shape)
        return float((losses * shares).sum()), lambda: _first(backward(shares))

    @staticmethod
    def _shares(outputs, sample_weight):
        """What each element's loss counts in the batch's: w / (sum(w) * outputs of a sample)."""
        per_sample = outputs[0].size if len(outputs) else 1
        weight = np.asarray(sample_weight, np.float64)
        shares = _normalised(weight, weight.sum() * per_sample, outputs.dtype)
        return shares.reshape(-1, *[1] * (outputs.ndim - 1))


def _normalised(shares, total, dtype):
    """shares / total, or zeros where nothing counts."""
    return (shares / total if total else np.zeros_like(shares)).astype(dtype)


def _first(gradients):
    """The gradient to the outputs, whether or not the function has one to the targets too."""
    return gradients[0] if isinstance(gradients, tuple) else gradients
