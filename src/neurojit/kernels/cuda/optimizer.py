"""Optimizer steps, each fused into one pass over a parameter.

value, gradient and the optimizer's memory of a parameter are 1-D arrays of one length and type, changed in place (but
for the gradient). A thread takes one element.
"""

import math

from neurojit.core.cuda import Float, Floats, Int, Launch, Share, cuda, cuda_kernel

THREADS = 256


def _each(value, *others):
    return Launch(-(-value.size // THREADS), THREADS)


@cuda_kernel(_each, registers=24)
def sgd(value: Floats, gradient: Floats, learning_rate: Float, weight_decay: Float):
    """g = gradient + decay value; value -= rate g."""
    i = cuda.grid(1)
    if i < value.size:
        value[i] -= learning_rate * (gradient[i] + weight_decay * value[i])


@cuda_kernel(_each, registers=32)
def momentum_sgd(
    value: Floats,
    gradient: Floats,
    velocity: Floats,
    learning_rate: Float,
    momentum: Float,
    nesterov: Int,
    weight_decay: Float,
):
    """velocity = momentum velocity + g; value -= rate velocity, or with Nesterov rate (g + momentum velocity)."""
    i = cuda.grid(1)
    if i < value.size:
        g = gradient[i] + weight_decay * value[i]
        v = momentum * velocity[i] + g
        velocity[i] = v
        value[i] -= learning_rate * (g + momentum * v if nesterov != 0 else v)


@cuda_kernel(_each, registers=32)
def rmsprop(
    value: Floats,
    gradient: Floats,
    square: Floats,
    learning_rate: Float,
    alpha: Share,
    eps: Float,
    weight_decay: Float,
):
    """square = alpha square + (1 - alpha) g^2; value -= rate g / (sqrt(square) + eps)."""
    i = cuda.grid(1)
    if i < value.size:
        g = gradient[i] + weight_decay * value[i]
        s = alpha[0] * square[i] + alpha[1] * g * g
        square[i] = s
        value[i] -= learning_rate * g / (math.sqrt(s) + eps)


@cuda_kernel(_each, registers=40)
def general_rmsprop(
    value: Floats,
    gradient: Floats,
    square: Floats,
    mean: Floats,
    velocity: Floats,
    learning_rate: Float,
    alpha: Share,
    eps: Float,
    weight_decay: Float,
    momentum: Float,
    centered: Int,
):
    """RMSprop with momentum, and with the variance in place of the square where `centered`."""
    i = cuda.grid(1)
    if i < value.size:
        g = gradient[i] + weight_decay * value[i]
        s = alpha[0] * square[i] + alpha[1] * g * g
        m = mean[i] + alpha[1] * (g - mean[i])
        spread = math.sqrt(s - m * m if centered != 0 else s) + eps
        v = momentum * velocity[i] + g / spread
        square[i], mean[i], velocity[i] = s, m, v
        value[i] -= learning_rate * v


@cuda_kernel(_each, registers=40)
def adam(
    value: Floats,
    gradient: Floats,
    mean: Floats,
    square: Floats,
    shrink: Float,
    step: Float,
    root: Float,
    beta1: Share,
    beta2: Share,
    eps: Float,
    weight_decay: Float,
):
    """value = shrink value - step mean / (sqrt(square) / root + eps), after both moments took in the gradient.

    shrink : 1, or 1 - rate decay where the decay is decoupled (AdamW; weight_decay is then 0).
    step, root : rate / (1 - beta1^t) and sqrt(1 - beta2^t), which undo the moments' bias towards zero.
    """
    i = cuda.grid(1)
    if i < value.size:
        g = gradient[i] + weight_decay * value[i]
        m = mean[i] + beta1[1] * (g - mean[i])
        s = beta2[0] * square[i] + beta2[1] * g * g
        mean[i], square[i] = m, s
        value[i] = shrink * value[i] - step * m / (math.sqrt(s) / root + eps)
