"""Losses and their gradients in one pass.

logits and dlogits are (rows, classes), targets (rows,) int64 with -1 for a row that does not count, losses (rows,).
"""

import numpy as np

from neurojit.core.jit import exact_kernel, kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import CHUNK, chunk_count, chunk_rows
from neurojit.kernels.cpu.elementary import exp
from neurojit.kernels.cpu.softmax import largest, shifted_exp


@exact_kernel
def _row_loss(logits, target, weight, hit, spread, shift, log_total):
    """-sum_j q_j log p_j with q_j = hit [j = target] + spread weight_j and log p_j = (logits_j - shift) - log_total."""
    loss = hit * (log_total - (logits[target] - shift))
    if spread > 0:
        for j in range(logits.size):
            loss += spread * weight[j] * (log_total - (logits[j] - shift))
    return loss


@kernel
def _row_gradient(target, weight, hit, spread, total, dlogits):
    """dlogits = p sum_j q_j - q, where dlogits holds exp(logits - shift), whose sum is `total`."""
    mass = hit
    for j in range(dlogits.size):
        mass += spread * weight[j]
    scale = mass / total
    for j in range(dlogits.size):
        dlogits[j] = dlogits[j] * scale - spread * weight[j]
    dlogits[target] -= hit


@kernel
def _exp_sum(logits, shift):
    """Sum of exp(logits - shift)."""
    total = logits.dtype.type(0)
    for j in range(logits.size):
        total += exp(logits[j] - shift)
    return total


@kernel
def _cross_entropy(logits, targets, weight, smoothing, scale, losses, dlogits):
    kind = logits.dtype.type
    spread = kind(smoothing / logits.shape[1])
    with_gradient = dlogits.size > 0
    for i in range(logits.shape[0]):
        target = targets[i]
        if target < 0:
            losses[i] = 0
            if with_gradient:
                dlogits[i] = 0
            continue
        shift = largest(logits[i])
        total = shifted_exp(logits[i], shift, dlogits[i]) if with_gradient else _exp_sum(logits[i], shift)
        hit = kind(scale) * kind(1 - smoothing) * weight[target]
        row_spread = kind(scale) * spread
        losses[i] = _row_loss(logits[i], target, weight, hit, row_spread, shift, np.log(total))
        if with_gradient:
            _row_gradient(target, weight, hit, row_spread, total, dlogits[i])


@parallel_kernel
def cross_entropy(logits, targets, weight, smoothing, scale, losses, dlogits):
    """Each row's cross-entropy times `scale`, and its gradient unless dlogits has no rows.

    weight : (classes,). smoothing : share of the target spread over all classes, each times its weight.
    """
    rows = chunk_rows(4 * logits.shape[1])  # exponentials cost more than passing memory
    gradient_rows = 0 if dlogits.shape[0] == 0 else rows
    for task in prange((logits.shape[0] + rows - 1) // rows):
        i, j = task * rows, (task + 1) * rows
        part = dlogits[task * gradient_rows : (task + 1) * gradient_rows]
        _cross_entropy(logits[i:j], targets[i:j], weight, smoothing, scale, losses[i:j], part)


@kernel
def _squared_error(prediction, target, difference):
    """difference = prediction - target, and the sum of its squares."""
    for i in range(prediction.size):
        difference[i] = prediction[i] - target[i]
    # Summed in a loop that stores nothing: else LLVM sums in another order where the arrays lie close together.
    total = prediction.dtype.type(0)
    for i in range(difference.size):
        total += difference[i] * difference[i]
    return total


@parallel_kernel
def squared_error(prediction, target, difference, partial):
    """`_squared_error` of 1-D arrays; partial (chunks,) takes the sum of each chunk."""
    for chunk in prange(chunk_count(prediction.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        partial[chunk] = _squared_error(prediction[i:j], target[i:j], difference[i:j])
