"""Negative log-likelihood of targets and its gradient.

log_probs and gradient are flat (rows, classes), targets (rows,) int64 with -1 for a row that does not count, weight
(classes,), losses (rows,).
"""

from neurojit.core.cuda import Float, Floats, Launch, Longs, cuda, cuda_kernel, quotient

THREADS = 256


@cuda_kernel(
    lambda log_probs, targets, weight, scale, losses: Launch(-(-losses.size // THREADS), THREADS), registers=32
)
def nll_losses(log_probs: Floats, targets: Longs, weight: Floats, scale: Float, losses: Floats):
    """Each row's -scale w[target] log p[target]."""
    row = cuda.grid(1)
    if row < losses.size:
        target, loss = targets[row], losses.dtype.type(0)
        if target >= 0:
            loss -= scale * weight[target] * log_probs[row * weight.size + target]
        losses[row] = loss


@cuda_kernel(lambda targets, weight, scale, gradient: Launch(-(-gradient.size // THREADS), THREADS), registers=32)
def nll_gradient(targets: Longs, weight: Floats, scale: Float, gradient: Floats):
    """-scale w[target] at each target, 0 elsewhere."""
    i = cuda.grid(1)
    if i < gradient.size:
        row = quotient(i, weight.size)
        target = targets[row]
        gradient[i] = -(scale * weight[target]) if i - row * weight.size == target else gradient.dtype.type(0)
