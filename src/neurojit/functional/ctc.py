"""Connectionist temporal classification: a loss for labels that are not aligned with the steps of a sequence."""

import numbers

import numpy as np

from neurojit.core.arrays import canonical, canonical_integers
from neurojit.core.cuda import on_device, to_device, to_host
from neurojit.core.memory import empty, empty_like
from neurojit.functional.device_ctc import DeviceCtc
from neurojit.functional.loss import check_reduction
from neurojit.functional.op import op
from neurojit.kernels.cpu import ctc as kernels


class _Sequences:
    """Log-probabilities with the labels they should read as, checked, and what each sequence's loss counts."""

    def __init__(self, log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity):
        self.log_probs = canonical(log_probs, "log_probs", ndim=3)
        n, steps, classes = self.log_probs.shape
        if classes < 1:
            raise ValueError(f"log_probs: got shape {self.log_probs.shape}, wanted (n, t, classes)")
        if not isinstance(blank, numbers.Integral) or isinstance(blank, bool):
            raise TypeError(f"blank: got {blank!r}, wanted an int")
        if not 0 <= blank < classes:
            raise ValueError(f"blank: got {blank}, wanted a class, 0 to {classes - 1}")
        check_reduction(reduction)
        self.blank, self.reduction, self.zero_infinity = int(blank), reduction, bool(zero_infinity)
        self.lengths = _lengths(input_lengths, "input_lengths", n, steps)
        self.labels, self.label_lengths = self._labels(targets, target_lengths)

    def _labels(self, targets, target_lengths):
        """Labels from place 1 on, (n, places), the rest the blank; and how many there are of each sequence."""
        n, _, classes = self.log_probs.shape
        targets = canonical_integers(to_host(targets), "targets", ndim=(1, 2))
        if targets.ndim == 2 and len(targets) != n:
            raise ValueError(f"targets: got shape {targets.shape}, wanted ({n}, labels), or all labels in one row")
        most = targets.shape[1] if targets.ndim == 2 else targets.size
        lengths = _lengths(target_lengths, "target_lengths", n, most)
        if targets.ndim == 1 and lengths.sum() != targets.size:
            raise ValueError(f"target_lengths: got a sum of {lengths.sum()}, wanted {targets.size}, the labels given")
        labels = np.full((n, lengths.max(initial=0) + 1), self.blank, np.int64)
        used = np.arange(labels.shape[1] - 1) < lengths[:, None]
        given = targets if targets.ndim == 1 else targets[:, : used.shape[1]][used]
        wrong = given[(given < 0) | (given >= classes) | (given == self.blank)]
        if wrong.size:
            raise ValueError(
                f"targets: got class {wrong[0]}, wanted 0 to {classes - 1} without the blank {self.blank}"
                " up to each target length"
            )
        labels[:, 1:][used] = given
        return labels, lengths

    def forward(self, rows):
        """Each sequence's loss, on the host, and `rows` rows of forward variables: of all steps, or two in turn."""
        if on_device(self.log_probs):
            losses, alpha = self._on_device().forward(rows)
            return to_host(losses), alpha
        n, places = self.labels.shape
        alpha = empty((n, rows, kernels.row_size(places)), self.log_probs.dtype)
        losses = empty(n, self.log_probs.dtype)
        kernels.ctc_forward(self.log_probs, *self._where(), alpha, losses)
        return losses, alpha

    def backward(self, alpha, losses, dy):
        """The gradient of log_probs."""
        dlosses = self.weights() * to_host(dy)
        impossible = np.isposinf(losses) & (dlosses != 0)
        if on_device(self.log_probs):
            dlosses[impossible] = 0 if self.zero_infinity else np.nan
            return self._on_device().backward(alpha, dlosses)
        dlosses[impossible] = 0
        dlog_probs = empty_like(self.log_probs)
        kernels.ctc_backward(self.log_probs, *self._where(), alpha, dlosses, dlog_probs)
        if not self.zero_infinity:
            for i in np.flatnonzero(impossible):
                dlog_probs[i, : self.lengths[i]] = np.nan
        return dlog_probs

    def _on_device(self):
        return DeviceCtc(self.log_probs, *self._where())

    def _where(self):
        return self.lengths, self.labels, self.label_lengths, self.blank

    def reduce(self, losses):
        """The result of `reduction`, in which impossible targets may count as 0."""
        if self.zero_infinity:
            losses = np.where(np.isposinf(losses), losses.dtype.type(0), losses)
        if self.reduction != "none":
            return (losses * self.weights()).sum()
        return to_device(losses) if on_device(self.log_probs) else losses

    def weights(self):
        """What each sequence's loss counts in the result."""
        weights = np.ones(len(self.labels))
        if self.reduction == "mean":
            weights /= np.maximum(self.label_lengths, 1) * len(weights)
        return weights.astype(self.log_probs.dtype)


def _lengths(lengths, name, n, most):
    """Lengths of sequences, each 0 to `most`."""
    lengths = canonical_integers(to_host(lengths), name, shape=(n,))
    wrong = lengths[(lengths < 0) | (lengths > most)]
    if wrong.size:
        raise ValueError(f"{name}: got {wrong[0]}, wanted 0 to {most}")
    return lengths


@op("log_probs")
def ctc_loss(log_probs, targets, input_lengths, target_lengths, *, blank=0, reduction="mean", zero_infinity=False):
    r"""Connectionist temporal classification (Graves, Fernandez, Gomez and Schmidhuber, ICML 2006).

    A network says at each step which label it sees, or that it sees none, the blank. A path of such symbols reads as
    the labels that are left when repetitions are merged and then blanks are dropped. The loss is the negative logarithm
    of the probability of all paths that read as the targets (the paper's equations 3 and 8),

    .. math::

        l = -\log \sum_{\pi \in B^{-1}(\mathrm{targets})} \prod_t y_t(\pi_t),

    summed by its forward variables (equations 5 to 8), in log space.

    Parameters
    ----------
    log_probs : array, shape (n, t, classes)
        log y, as of `log_softmax`; float32 or float64.
    targets : array of int, shape (n, labels) or (sum of target_lengths,)
        Classes other than the blank: padded rows, whose entries past a target's length do not count, or all labels one
        after another.
    input_lengths : array of int, shape (n,)
        How many steps of each sequence count.
    target_lengths : array of int, shape (n,)
    blank : int, default=0
        The class that stands for no label.
    reduction : {"mean", "sum", "none"}, default="mean"
        The mean is that of PyTorch: each loss is divided by its target's length (at least 1), and the mean over the
        batch taken of these.
    zero_infinity : bool, default=False
        Whether losses that are inf count as 0, with gradient 0.

    Returns
    -------
    float or array, shape (n,) with ``reduction="none"``
        inf where no path is long enough: with fewer steps than labels and pairs of equal neighbours. An empty target
        is read from blanks alone; the loss of no steps and no labels is 0, as is the mean over no sequences.

    Raises
    ------
    TypeError
        If log_probs are not real numbers, or the others not integers.
    ValueError
        If shapes do not fit, a length is longer than its array, or a target is the blank or no class.

    Notes
    -----
    The pullback gives the gradient of log_probs as they are, -dy times the probability that the path, given that it
    reads as the targets, is on the class at the step (equation 15, by the chain rule for the logarithm). Through
    `log_softmax` this becomes equation 16. PyTorch's adds exp(log_probs) at once, which `log_softmax` makes no
    difference to. Where the loss is inf and counts, it is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> log_probs = np.log([[[0.5, 0.5], [0.5, 0.5]]])  # three of four paths read as [1]: 01, 10 and 11
    >>> loss, backward = F.ctc_loss.vjp(log_probs, [[1]], [2], [1])
    >>> round(float(np.exp(-loss)), 6), backward(1.0).round(3)
    (0.75, array([[[-0.333, -0.667],
            [-0.333, -0.667]]]))
    """
    sequences = _Sequences(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)
    losses, _ = sequences.forward(rows=2)
    return sequences.reduce(losses)


@ctc_loss.define_vjp
def _ctc_loss_vjp(log_probs, targets, input_lengths, target_lengths, *, blank=0, reduction="mean", zero_infinity=False):
    sequences = _Sequences(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)
    losses, alpha = sequences.forward(rows=sequences.log_probs.shape[1])

    def pullback(dy, wrt):
        return (sequences.backward(alpha, losses, dy) if wrt[0] else None,)

    return sequences.reduce(losses), pullback
