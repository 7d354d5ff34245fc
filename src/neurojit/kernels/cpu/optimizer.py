"""Optimizer steps, each fused into one pass over a parameter, and the sum of squares under the gradient norm.

value, gradient and the optimizer's memory of a parameter are 1-D arrays of one length and type, changed in place (but
for the gradient). Rates arrive as float64 and are rounded to the arrays' type once. Every element stands alone, so the
parallel drivers only cut the arrays into chunks of CHUNK elements, whatever the number of threads.
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange

CHUNK = 1 << 14


@kernel
def sgd(value, gradient, learning_rate, weight_decay):
    """g = gradient + decay value; value -= rate g."""
    rate, decay = value.dtype.type(learning_rate), value.dtype.type(weight_decay)
    for i in range(value.size):
        value[i] -= rate * (gradient[i] + decay * value[i])


@kernel
def momentum_sgd(value, gradient, velocity, learning_rate, momentum, nesterov, weight_decay):
    """velocity = momentum velocity + g; value -= rate velocity, or with Nesterov rate (g + momentum velocity)."""
    rate, decay = value.dtype.type(learning_rate), value.dtype.type(weight_decay)
    keep = value.dtype.type(momentum)
    # The step is a g + b velocity: (0, 1) is the heavy ball, (1, momentum) Nesterov's look ahead.
    a, b = (value.dtype.type(1), keep) if nesterov else (value.dtype.type(0), value.dtype.type(1))
    for i in range(value.size):
        g = gradient[i] + decay * value[i]
        velocity[i] = keep * velocity[i] + g
        value[i] -= rate * (a * g + b * velocity[i])


@parallel_kernel
def parallel_momentum_sgd(value, gradient, velocity, learning_rate, momentum, nesterov, weight_decay):
    """`momentum_sgd` on all threads."""
    for chunk in prange((value.size + CHUNK - 1) // CHUNK):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        momentum_sgd(value[i:j], gradient[i:j], velocity[i:j], learning_rate, momentum, nesterov, weight_decay)


@kernel
def rmsprop(value, gradient, square, learning_rate, alpha, eps, weight_decay):
    """square = alpha square + (1 - alpha) g^2; value -= rate g / (sqrt(square) + eps)."""
    rate, decay, offset = value.dtype.type(learning_rate), value.dtype.type(weight_decay), value.dtype.type(eps)
    keep, take = value.dtype.type(alpha), value.dtype.type(1 - alpha)
    for i in range(value.size):
        g = gradient[i] + decay * value[i]
        square[i] = keep * square[i] + take * g * g
        value[i] -= rate * g / (np.sqrt(square[i]) + offset)


@parallel_kernel
def parallel_rmsprop(value, gradient, square, learning_rate, alpha, eps, weight_decay):
    """`rmsprop` on all threads."""
    for chunk in prange((value.size + CHUNK - 1) // CHUNK):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        rmsprop(value[i:j], gradient[i:j], square[i:j], learning_rate, alpha, eps, weight_decay)


@kernel
def general_rmsprop(
    value, gradient, square, mean, velocity, learning_rate, alpha, eps, weight_decay, momentum, centered
):
    """RMSprop with momentum, and with the variance in place of the square where `centered`."""
    rate, decay, offset = value.dtype.type(learning_rate), value.dtype.type(weight_decay), value.dtype.type(eps)
    keep, take = value.dtype.type(alpha), value.dtype.type(1 - alpha)
    keep_velocity, centre = value.dtype.type(momentum), value.dtype.type(1 if centered else 0)
    for i in range(value.size):
        g = gradient[i] + decay * value[i]
        square[i] = keep * square[i] + take * g * g
        mean[i] += take * (g - mean[i])
        spread = np.sqrt(square[i] - centre * mean[i] * mean[i]) + offset
        velocity[i] = keep_velocity * velocity[i] + g / spread
        value[i] -= rate * velocity[i]


@kernel
def adam(value, gradient, mean, square, shrink, step, root, beta1, beta2, eps, weight_decay):
    """value = shrink value - step mean / (sqrt(square) / root + eps), after both moments took in the gradient.

    shrink : 1, or 1 - rate decay where the decay is decoupled (AdamW; weight_decay is then 0).
    step, root : rate / (1 - beta1^t) and sqrt(1 - beta2^t), which undo the moments' bias towards zero.
    """
    shrink, step, root = value.dtype.type(shrink), value.dtype.type(step), value.dtype.type(root)
    offset, decay = value.dtype.type(eps), value.dtype.type(weight_decay)
    take1, keep2, take2 = value.dtype.type(1 - beta1), value.dtype.type(beta2), value.dtype.type(1 - beta2)
    for i in range(value.size):
        g = gradient[i] + decay * value[i]
        mean[i] += take1 * (g - mean[i])
        square[i] = keep2 * square[i] + take2 * g * g
        value[i] = shrink * value[i] - step * mean[i] / (np.sqrt(square[i]) / root + offset)


@parallel_kernel
def parallel_adam(value, gradient, mean, square, shrink, step, root, beta1, beta2, eps, weight_decay):
    """`adam` on all threads."""
    for chunk in prange((value.size + CHUNK - 1) // CHUNK):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        adam(value[i:j], gradient[i:j], mean[i:j], square[i:j], shrink, step, root, beta1, beta2, eps, weight_decay)


@kernel
def sum_of_squares(array):
    """Sum of array[i]^2 in float64."""
    total = np.float64(0)
    for i in range(array.size):
        total += np.float64(array[i]) * np.float64(array[i])
    return total
