"""Losses and their gradients in one pass.

logits and dlogits are (rows, classes), targets (rows,) int64 with -1 for a row that does not count, losses (rows,).
"""

import math

from neurojit.core.cuda import Float, Floats, Launch, Longs, Matrix, cuda, cuda_kernel
from neurojit.kernels.cuda.softmax import THREADS, WARPS, exp_sum, largest, own_row
from neurojit.kernels.cuda.warps import block_sum, warp_sum


def _row_each(logits, *others):
    """A warp for every row."""
    return Launch(-(-logits.shape[0] // WARPS), THREADS)


@cuda_kernel(_row_each, registers=56)
def cross_entropy(
    logits: Matrix, targets: Longs, weight: Floats, smoothing: Float, scale: Float, losses: Floats, dlogits: Matrix
):
    """Each row's cross-entropy times `scale`, and its gradient unless dlogits has no rows.

    weight : (classes,). smoothing : share of the target spread over all classes, each times its weight. With
    q_j = hit [j = target] + spread weight_j the loss is -sum_j q_j log p_j, the gradient p sum_j q_j - q.
    """
    row = own_row()
    if row >= logits.shape[0]:
        return
    target, zero, classes = targets[row], losses.dtype.type(0), logits.shape[1]
    if target < 0:
        if cuda.laneid == 0:
            losses[row] = zero
        if dlogits.shape[0] > 0:
            for j in range(cuda.laneid, classes, 32):
                dlogits[row, j] = zero
        return
    shift = largest(logits, row)
    total = exp_sum(logits, row, shift)
    log_total = math.log(total)
    hit = scale * (losses.dtype.type(1) - smoothing) * weight[target]
    spread = scale * smoothing / losses.dtype.type(classes)
    loss, mass = zero, zero
    if spread > zero:
        for j in range(cuda.laneid, classes, 32):
            loss += spread * weight[j] * (log_total - (logits[row, j] - shift))
            mass += spread * weight[j]
        loss, mass = warp_sum(loss), warp_sum(mass)
    if cuda.laneid == 0:
        losses[row] = loss + hit * (log_total - (logits[row, target] - shift))
    if dlogits.shape[0] > 0:
        factor = (hit + mass) / total
        for j in range(cuda.laneid, classes, 32):
            q = spread * weight[j] + (hit if j == target else zero)
            dlogits[row, j] = factor * math.exp(logits[row, j] - shift) - q


@cuda_kernel(lambda prediction, target, difference, partial: Launch(partial.size, THREADS), registers=40)
def squared_error(prediction: Floats, target: Floats, difference: Floats, partial: Floats):
    """difference = prediction - target; partial takes the sum of its squares, block by block."""
    size, blocks = prediction.size, partial.size
    begin, end = cuda.blockIdx.x * size // blocks, (cuda.blockIdx.x + 1) * size // blocks
    s = prediction.dtype.type(0)
    for i in range(begin + cuda.threadIdx.x, end, THREADS):
        d = prediction[i] - target[i]
        difference[i] = d
        s += d * d
    s = block_sum(s, cuda.shared.array(32, prediction.dtype))
    if cuda.threadIdx.x == 0:
        partial[cuda.blockIdx.x] = s
