"""Connectionist temporal classification: the forward-backward algorithm in log space, a block for every sequence.

log_probs and dlog_probs are flat (n, t, classes), labels (n, places), losses and dlosses (n,). Place 1, 2, ... of a
sequence holds its first, second, ... label, place 0 nothing. A path is at any time in one of two states of a place: on
its label, or on the blank after it (that of place 0 stands before all labels). The states of a step are a row: first
the blanks of all places, then their labels.

Every few steps a row is settled: its largest entry is made 0 and what was taken off summed apart, with what rounding
took of that sum. So the states that matter keep their digits however long the sequence is.
"""

import math

import numpy as np

from neurojit.core.cuda import Floats, Int, Ints, Launch, cuda, cuda_kernel, device_function
from neurojit.kernels.cuda.warps import block_sum, warp_max

THREADS = 128
SETTLING = 8  # steps between two settlings of a row
NOTHING, NAN = np.float32(-math.inf), np.float32(math.nan)


@device_function
def _log_add(a, b):
    """log(exp(a) + exp(b)), where -inf adds nothing."""
    high, low = (a, b) if a > b else (b, a)
    return high if low == NOTHING else high + math.log1p(math.exp(low - high))


@device_function
def _block_max(v, tile):
    """The largest v of a block of whole warps, in each thread; `tile` is a shared array of 32 numbers."""
    v = warp_max(v)
    if cuda.laneid == 0:
        tile[cuda.threadIdx.x // 32] = v
    cuda.syncthreads()
    most = tile[0]
    for other in range(1, cuda.blockDim.x // 32):
        most = max(most, tile[other])
    cuda.syncthreads()
    return most


@device_function
def _settle(rows, row, places, count, tile):
    """Take the largest entry off a row; returns it, or 0 where no state can be reached."""
    most = rows.dtype.type(NOTHING)
    for p in range(cuda.threadIdx.x, count, THREADS):
        most = max(most, rows[row + p], rows[row + places + p])
    most = _block_max(most, tile)
    if most == NOTHING:
        return rows.dtype.type(0)
    for p in range(cuda.threadIdx.x, count, THREADS):
        rows[row + p] -= most
        rows[row + places + p] -= most
    return most


@device_function
def _differs(labels, first, p):
    """Whether a path may step from the label at place p to the next one without a blank between."""
    return p > 0 and labels[first + p] != labels[first + p + 1]


@device_function
def _advance(alpha, before, after, places, p, differs, emitted_blank, emitted):
    """Forward variables of a place at the next step."""
    blank, label = alpha[before + p], alpha[before + places + p]
    alpha[after + p] = emitted_blank + _log_add(blank, label)
    if p == 0:
        alpha[after + places] = NOTHING
        return
    came = alpha[before + p - 1]
    if differs:
        came = _log_add(came, alpha[before + places + p - 1])
    alpha[after + places + p] = emitted + _log_add(label, came)


def _losses_plan(log_probs, classes, lengths, labels, label_lengths, blank, alpha, losses):
    return Launch(losses.size, THREADS)


@cuda_kernel(_losses_plan, registers=96, threads=THREADS)
def ctc_losses(
    log_probs: Floats,
    classes: Int,
    lengths: Ints,
    labels: Ints,
    label_lengths: Ints,
    blank: Int,
    alpha: Floats,
    losses: Floats,
):
    """Each sequence's loss, inf where no path reads as its labels.

    alpha (n, t, row) takes the forward variables, or is (n, 2, row) where no gradient will follow.
    """
    tile = cuda.shared.array(32, alpha.dtype)
    i, thread, n = cuda.blockIdx.x, cuda.threadIdx.x, losses.size
    steps, places, count = lengths[i], labels.size // n, label_lengths[i] + 1
    depth, row_size, zero = alpha.size // (n * 2 * places), 2 * places, alpha.dtype.type(0)
    start, first_row, first = i * (log_probs.size // n), i * depth * row_size, i * places
    if steps == 0:
        if thread == 0:
            losses[i] = zero if count == 1 else -alpha.dtype.type(NOTHING)
        return
    for p in range(thread, count, THREADS):  # a path begins on the blank before all labels or on the first of them
        alpha[first_row + p] = log_probs[start + blank] if p == 0 else NOTHING
        alpha[first_row + places + p] = log_probs[start + labels[first + 1]] if p == 1 else NOTHING
    total, lost, after = zero, zero, first_row
    cuda.syncthreads()
    for t in range(1, steps):
        before, after, at = after, first_row + (t % depth) * row_size, start + t * classes
        for p in range(thread, count, THREADS):
            differs = p > 1 and labels[first + p] != labels[first + p - 1]
            emitted = log_probs[at + labels[first + p]]
            _advance(alpha, before, after, places, p, differs, log_probs[at + blank], emitted)
        cuda.syncthreads()
        if t % SETTLING == 0:
            shift = _settle(alpha, after, places, count, tile)
            cuda.syncthreads()
            s = total + shift
            part = s - total
            lost += (total - (s - part)) + (shift - part)
            total = s
    if thread == 0:
        losses[i] = -(total + (lost + _log_add(alpha[after + count - 1], alpha[after + places + count - 1])))


@device_function
def _retreat(beta, after, before, places, p, last, differs, blank, own, ahead):
    """Backward variables of a place at the step before, of those of a step; blank, own and ahead are the step's
    log-probabilities of the blank, the place's label and the next one.
    """
    stays = beta[after + p] + blank
    moved = stays
    if p < last:
        moved = _log_add(stays, beta[after + places + p + 1] + ahead)
    beta[before + p] = moved
    if p == 0:
        beta[before + places] = NOTHING
    else:
        on = moved if differs else stays
        beta[before + places + p] = _log_add(beta[after + places + p] + own, on)


@device_function
def _share(gamma, row, places, labels, order, first, count, scale, at, dlog_probs):
    """Take `scale` times each label's gamma off its gradient: who comes first of equal labels takes all of them."""
    for q in range(cuda.threadIdx.x, count - 1, THREADS):
        label = labels[first + order[first + q]]
        if q == 0 or labels[first + order[first + q - 1]] != label:
            s = gamma.dtype.type(0)
            while q < count - 1 and labels[first + order[first + q]] == label:
                s += gamma[row + places + order[first + q]]
                q += 1
            dlog_probs[at + label] = -scale * s


def _gradient_plan(
    log_probs, classes, lengths, labels, label_lengths, order, blank, alpha, dlosses, beta, gamma, dlog_probs
):
    return Launch(dlosses.size, THREADS)


@cuda_kernel(_gradient_plan, registers=72, threads=THREADS)
def ctc_gradient(
    log_probs: Floats,
    classes: Int,
    lengths: Ints,
    labels: Ints,
    label_lengths: Ints,
    order: Ints,
    blank: Int,
    alpha: Floats,
    dlosses: Floats,
    beta: Floats,
    gamma: Floats,
    dlog_probs: Floats,
):
    """-dloss times the probability that the path, given what it reads as, is on a class at a step; NaN where dloss is.

    order (n, places) lists the places 1, 2, ... of each sequence by their labels. beta (n, 2, row) and gamma (n, row)
    are room to work in.
    """
    tile = cuda.shared.array(32, alpha.dtype)
    i, thread, n = cuda.blockIdx.x, cuda.threadIdx.x, dlosses.size
    steps, places, count = lengths[i], labels.size // n, label_lengths[i] + 1
    row_size, last, share = 2 * places, count - 1, log_probs.size // n
    start, first, zero = i * share, i * places, alpha.dtype.type(0)
    first_row, row, mine = i * (alpha.size // n), i * 2 * row_size, i * row_size
    dloss = dlosses[i]
    for k in range(thread, share, THREADS):
        dlog_probs[start + k] = NAN if dloss != dloss and k < steps * classes else zero
    if dloss == zero or dloss != dloss or steps == 0:
        return
    for p in range(thread, count, THREADS):  # a path ends on the last label or the blank after it
        beta[row + p] = zero if p == last else NOTHING
        beta[row + places + p] = zero if p == last and p > 0 else NOTHING
    cuda.syncthreads()
    for t in range(steps - 1, -1, -1):
        at, states, after = start + t * classes, first_row + t * row_size, row + ((steps - 1 - t) % 2) * row_size
        most, whole, blanks = alpha.dtype.type(NOTHING), zero, zero
        for p in range(thread, count, THREADS):
            on_blank, on_label = (
                alpha[states + p] + beta[after + p],
                alpha[states + places + p] + beta[after + places + p],
            )
            gamma[mine + p], gamma[mine + places + p] = on_blank, on_label
            most = max(most, on_blank, on_label)
        most = _block_max(most, tile)
        for p in range(thread, count, THREADS):
            on_blank, on_label = math.exp(gamma[mine + p] - most), math.exp(gamma[mine + places + p] - most)
            gamma[mine + p], gamma[mine + places + p] = on_blank, on_label
            blanks += on_blank
            whole += on_blank + on_label
        whole = block_sum(whole, tile)
        cuda.syncthreads()
        blanks = block_sum(blanks, tile)
        cuda.syncthreads()
        scale = dloss / whole
        _share(gamma, mine, places, labels, order, first, count, scale, at, dlog_probs)
        if thread == 0:
            dlog_probs[at + blank] = -scale * blanks
        if t > 0:
            before = row + ((steps - t) % 2) * row_size
            for p in range(thread, count, THREADS):
                own = log_probs[at + labels[first + p]]
                ahead = log_probs[at + labels[first + p + 1]] if p < last else zero
                differs = p < last and _differs(labels, first, p)
                _retreat(beta, after, before, places, p, last, differs, log_probs[at + blank], own, ahead)
            cuda.syncthreads()
            if t % SETTLING == 0:
                _settle(beta, before, places, count, tile)
                cuda.syncthreads()
        cuda.syncthreads()
