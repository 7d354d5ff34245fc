"""The negative log-likelihood of targets, and its gradient; arrays as in loss.py."""

from neurojit.core.cuda import Float, Floats, Launch, Longs, Matrix, cuda, cuda_kernel, quotient

THREADS = 256


@cuda_kernel(lambda scores, targets, *others: Launch(-(-targets.size // THREADS), THREADS), registers=32)
def pick(scores: Matrix, targets: Longs, weight: Floats, scale: Float, losses: Floats):
    """losses = -scale weight[target] scores[target], 0 for a row that does not count."""
    row = cuda.grid(1)
    if row < targets.size:
        target = targets[row]
        losses[row] = -scale * weight[target] * scores[row, target] if target >= 0 else losses.dtype.type(0)


@cuda_kernel(lambda targets, weight, scale, gradient: Launch(-(-gradient.size // THREADS), THREADS), registers=32)
def pick_backward(targets: Longs, weight: Floats, scale: Float, gradient: Matrix):
    """gradient (rows, classes) = -scale weight[target] at the target, 0 elsewhere."""
    i, classes = cuda.grid(1), gradient.shape[1]
    if i < gradient.size:
        row = quotient(i, classes)
        j = i - row * classes
        gradient[row, j] = -scale * weight[j] if targets[row] == j else gradient.dtype.type(0)
