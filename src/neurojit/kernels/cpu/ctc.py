"""Connectionist temporal classification: the forward-backward algorithm in log space, one sequence a task.

log_probs and dlog_probs are (n, t, classes), labels (n, places) int64, losses and dlosses (n,).

Place 1, 2, ... of a sequence holds its first, second, ... label, place 0 nothing. A path is at any time in one of two
states of a place: on its label, or on the blank after it (that of place 0 stands before all labels). The states of one
step are a row: first the blanks of all places, then the labels of all places, and some entries more that hold -inf, so
that a loop over places runs over whole vector registers. In such a loop `here` is the label of a place and `ahead` the
label of the next one, the same numbers one further on.

Every few steps a row is settled: its largest entry is made 0 and what was taken off summed apart, in float64. So the
states that matter keep their digits however long the sequence is.
"""

import numpy as np

from neurojit.core.jit import exact_inner_kernel, exact_kernel, parallel_kernel, prange
from neurojit.kernels.cpu.elementary import softplus
from neurojit.kernels.cpu.softmax import largest, shifted_exp

_LANES = 8
_SETTLING = 8  # steps between two settlings of a row


@exact_inner_kernel
def _width(places):
    """Places of a row: so many that they fill registers, and that the last is none of the sequence."""
    return (places + _LANES) // _LANES * _LANES


@exact_kernel
def row_size(places):
    """Entries of a row for so many places."""
    return 2 * _width(places) + _LANES


@exact_inner_kernel
def _log_add(a, b, nothing):
    """log(exp(a) + exp(b)), where `nothing`, which is -inf, adds nothing."""
    high = a if a > b else b
    low = b if a > b else a
    return high if low == nothing else high + softplus(low - high)


@exact_inner_kernel
def _skips(labels, skip):
    """1 where a path may step from a place's label to the next one without a blank between, else 0: they differ.

    skip : (width,).
    """
    skip[:] = 0
    for i in range(1, labels.size - 1):
        if labels[i] != labels[i + 1]:
            skip[i] = 1


@exact_inner_kernel
def _advance(before, skip, emitted, after):
    """Forward variables of the next step: states are reached from themselves and those in front of them. All rows."""
    nothing = before.dtype.type(-np.inf)
    width = skip.size
    blank, here, ahead = before[:width], before[width : 2 * width], before[width + 1 : 2 * width + 1]
    new_blank, new_ahead = after[:width], after[width + 1 : 2 * width + 1]
    emitted_blank, emitted_ahead = emitted[0], emitted[width + 1 : 2 * width + 1]
    after[width] = nothing
    after[2 * width + 1 :] = nothing
    for i in range(width):
        either = _log_add(blank[i], here[i], nothing)
        new_blank[i] = emitted_blank + either
        new_ahead[i] = emitted_ahead[i] + _log_add(ahead[i], either if skip[i] > 0 else blank[i], nothing)


@exact_inner_kernel
def _retreat(after, skip, before):
    """Backward variables of the step before, from a step's with its emissions added. All rows."""
    nothing = after.dtype.type(-np.inf)
    width = skip.size
    blank, here, ahead = after[:width], after[width : 2 * width], after[width + 1 : 2 * width + 1]
    new_blank, new_here = before[:width], before[width : 2 * width]
    for i in range(width):
        either = _log_add(blank[i], ahead[i], nothing)
        new_blank[i] = either
        new_here[i] = _log_add(here[i], either if skip[i] > 0 else blank[i], nothing)


@exact_inner_kernel
def _emissions(log_probs, labels, blank, width, emitted):
    """The log-probability of each state's symbol at one step, as a row. log_probs : (classes,)."""
    emitted[:width] = log_probs[blank]
    for i in range(1, labels.size):
        emitted[width + i] = log_probs[labels[i]]


@exact_inner_kernel
def _settle(row):
    """Take the largest entry off a row; returns it."""
    shift = largest(row)
    if shift != -np.inf:
        for i in range(row.size):
            row[i] -= shift
    return np.float64(shift)


@exact_inner_kernel
def _forward_rows(log_probs, labels, blank, skip, emitted, alpha):
    """Fill alpha (t or 2, row), whose first row is -inf; returns the log-probability of all paths."""
    rows, width, last = alpha.shape[0], skip.size, labels.size - 1
    total, end = 0.0, 0
    for t in range(log_probs.shape[0]):
        end = t % rows
        _emissions(log_probs[t], labels, blank, width, emitted)
        if t == 0:  # a path begins on the blank before all labels or on the first of them
            alpha[0, 0], alpha[0, width + 1] = emitted[0], emitted[width + 1]
        else:
            _advance(alpha[(t - 1) % rows], skip, emitted, alpha[end])
        if t % _SETTLING == 0:
            total += _settle(alpha[end])
    return total + np.float64(_log_add(alpha[end, last], alpha[end, width + last], alpha.dtype.type(-np.inf)))


@exact_kernel
def _ctc_forward(log_probs, labels, blank, alpha):
    """-log of the probability of all paths that read as the labels; alpha (t or 2, row) takes the forward variables."""
    if log_probs.shape[0] == 0:
        return np.float64(0 if labels.size == 1 else np.inf)
    skip = np.empty(_width(labels.size), alpha.dtype)
    _skips(labels, skip)
    emitted = np.full(alpha.shape[1], -np.inf, alpha.dtype)
    alpha[0] = -np.inf
    return -_forward_rows(log_probs, labels, blank, skip, emitted, alpha)


@exact_inner_kernel
def _posterior(alpha, beta, product, gamma):
    """gamma = alpha beta, the probability of each state at a step, but for a factor, which is returned. All rows."""
    for i in range(product.size):
        product[i] = alpha[i] + beta[i]
    return gamma.dtype.type(1) / shifted_exp(product, largest(product), gamma)


@exact_inner_kernel
def _share(labels, blank, width, gamma, scale, dlog_probs):
    """Take `scale` times each state's gamma off the gradient of its symbol. dlog_probs : (classes,)."""
    blanks = gamma.dtype.type(0)
    for i in range(labels.size):
        blanks += gamma[i]
    dlog_probs[blank] = -scale * blanks
    for i in range(1, labels.size):
        dlog_probs[labels[i]] -= scale * gamma[width + i]


@exact_inner_kernel
def _backward_rows(log_probs, labels, blank, skip, alpha, dloss, beta, emitted, scratch, gamma, dlog_probs):
    """Walk back from the last step, where beta is -inf; scratch and gamma are rows to work in."""
    width, last = skip.size, labels.size - 1
    beta[last] = beta[width + last] = 0  # a path ends on the last label or the blank after it
    for t in range(log_probs.shape[0] - 1, -1, -1):
        scale = dloss * _posterior(alpha[t], beta, scratch, gamma)
        _share(labels, blank, width, gamma, scale, dlog_probs[t])
        if t > 0:
            _emissions(log_probs[t], labels, blank, width, emitted)
            for i in range(beta.size):
                scratch[i] = beta[i] + emitted[i]
            _retreat(scratch, skip, beta)
            if t % _SETTLING == 0:
                _settle(beta)


@exact_kernel
def _ctc_backward(log_probs, labels, blank, alpha, dloss, dlog_probs):
    """dlog_probs_tk = -dloss times the probability that the path, given what it reads as, is on symbol k at step t."""
    skip = np.empty(_width(labels.size), alpha.dtype)
    _skips(labels, skip)
    rows = np.full((4, alpha.shape[1]), -np.inf, alpha.dtype)
    _backward_rows(log_probs, labels, blank, skip, alpha, dloss, rows[0], rows[1], rows[2], rows[3], dlog_probs)


@exact_kernel
def _rows(alpha, places):
    """Memory (steps, row) for rows of a sequence with no more than the most places, without gaps."""
    steps, size = alpha.shape[0], row_size(places)
    return alpha.reshape(-1)[: steps * size].reshape(steps, size)


@parallel_kernel
def ctc_forward(log_probs, lengths, labels, label_lengths, blank, alpha, losses):
    """Each sequence's loss, inf where no path reads as its labels.

    lengths, label_lengths : (n,) int64. alpha : (n, t, row), or (n, 2, row) where no gradient will follow.
    """
    for i in prange(log_probs.shape[0]):
        places = label_lengths[i] + 1
        rows = _rows(alpha[i], places)
        losses[i] = _ctc_forward(log_probs[i, : lengths[i]], labels[i, :places], blank, rows)


@parallel_kernel
def ctc_backward(log_probs, lengths, labels, label_lengths, blank, alpha, dlosses, dlog_probs):
    """The gradient from what `ctc_forward` left in alpha; a sequence whose dloss is 0 costs nothing."""
    for i in prange(log_probs.shape[0]):
        dlog_probs[i] = 0
        if dlosses[i] != 0:
            places, steps = label_lengths[i] + 1, lengths[i]
            rows = _rows(alpha[i], places)
            _ctc_backward(log_probs[i, :steps], labels[i, :places], blank, rows, dlosses[i], dlog_probs[i, :steps])
