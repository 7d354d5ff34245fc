"""The loss of labels that are not aligned with the steps of a sequence."""

from typing import NamedTuple

import numpy as np

from neurojit.core.cuda import to_host
from neurojit.functional.ctc import ctc_loss
from neurojit.functional.softmax import log_softmax
from neurojit.training.losses import Loss, beside


class Unaligned(NamedTuple):
    """Targets of `CTCLoss` for a batch whose sequences were padded to one length.

    Parameters
    ----------
    labels : numpy.ndarray
        Shape (n, labels), integers, padded with the loss's `ignore_index`.
    lengths : numpy.ndarray or None
        Shape (n,): the steps of each sequence that count; None where all do.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import CTCLoss, Unaligned
    >>> logits = np.zeros((2, 3, 2), np.float32)
    >>> targets = Unaligned(np.array([[1], [-100]]), np.array([2, 3]))
    >>> value = -(np.log(3 / 4) + np.log(1 / 8)) / 2  # three of four paths, and one of eight
    >>> bool(np.isclose(CTCLoss().value(logits, targets), value))
    True
    """

    labels: np.ndarray
    lengths: np.ndarray | None = None


class CTCLoss(Loss):
    """Connectionist temporal classification of logits: the mean over sequences of the loss divided by its labels.

    Outputs are logits (n, t, classes), of which `log_softmax` is taken here; it leaves logarithms of probabilities as
    they are, so outputs of a `LogSoftmax` layer do as well. Targets are an array of labels (n, labels), padded
    with `ignore_index`, or `Unaligned`, which knows how many steps of each sequence count. With sample weights w the
    loss is sum(w l / L) / sum(w) for losses l of L labels (at least 1), and 0 where all w are 0. The equation of l is
    `functional.ctc_loss`'s.

    Parameters
    ----------
    blank : int, default=0
        The class that stands for no label.
    ignore_index : int, default=-100
        Padding of the labels.
    zero_infinity : bool, default=False
        Whether sequences with too few steps for their labels count with loss 0; else the loss is inf.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import CTCLoss
    >>> logits = np.log(np.array([[[0.5, 0.5], [0.5, 0.5]]]))  # three of four paths read as [1]: 01, 10 and 11
    >>> value, backward = CTCLoss().vjp(logits, np.array([[1]]))
    >>> round(float(np.exp(-value)), 6), backward().round(3)
    (0.75, array([[[ 0.167, -0.167],
            [ 0.167, -0.167]]]))
    """

    def __init__(self, blank=0, ignore_index=-100, zero_infinity=False):
        self.blank = blank
        self.ignore_index = ignore_index
        self.zero_infinity = zero_infinity

    def value(self, outputs, targets, sample_weight=None):
        arrays, options, shares = self._arguments(outputs, targets, sample_weight)
        losses = ctc_loss(log_softmax(outputs), *arrays, **options)
        return float(to_host(losses).astype(np.float64) @ shares)

    def vjp(self, outputs, targets, sample_weight=None):
        arrays, options, shares = self._arguments(outputs, targets, sample_weight)
        log_probs, softmax_backward = log_softmax.vjp(outputs)
        losses, ctc_backward = ctc_loss.vjp(log_probs, *arrays, **options)
        value = float(to_host(losses).astype(np.float64) @ shares)
        return value, lambda: softmax_backward(ctc_backward(beside(outputs, shares.astype(outputs.dtype))))

    def _arguments(self, outputs, targets, sample_weight):
        """Targets, input lengths and target lengths; options; and what each sequence's loss counts."""
        labels, lengths = targets if isinstance(targets, Unaligned) else (targets, None)
        labels = np.asarray(labels)
        if labels.ndim != 2 or len(labels) != len(outputs):
            raise ValueError(f"targets: got labels of shape {labels.shape}, wanted ({len(outputs)}, labels)")
        counted = labels != self.ignore_index
        target_lengths = np.count_nonzero(counted, axis=1)
        lengths = np.full(len(labels), outputs.shape[1]) if lengths is None else lengths
        weight = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        shares = weight / np.maximum(target_lengths, 1) / (weight.sum() or 1.0)
        options = {"blank": self.blank, "zero_infinity": self.zero_infinity, "reduction": "none"}
        return (labels[counted], lengths, target_lengths), options, shares
