"""The public array functions: ``y = F.op(x)``, and ``y, backward = F.op.vjp(x)`` for its pullback.

Examples
--------
>>> import numpy as np
>>> import neurojit.functional as F
>>> y, backward = F.relu.vjp(np.array([-1.0, 2.0]))
>>> backward(np.ones(2))
array([0., 1.])
"""

from neurojit.functional.activation import elu, gelu, leaky_relu, relu, sigmoid, silu, softplus, tanh
from neurojit.functional.binary_conv import binary_conv2d
from neurojit.functional.binary_dense import binary_dense
from neurojit.functional.conv import conv1d, conv2d, conv3d
from neurojit.functional.conv_transpose import conv_transpose1d, conv_transpose2d, conv_transpose3d
from neurojit.functional.deform_conv import deform_conv2d
from neurojit.functional.dense import dense
from neurojit.functional.dropout import dropout
from neurojit.functional.global_pooling import global_avg_pool, global_max_pool
from neurojit.functional.loss import cross_entropy, mse_loss, nll_loss
from neurojit.functional.normalization import batch_norm
from neurojit.functional.op import Op, op
from neurojit.functional.pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from neurojit.functional.reshape import flatten, reshape
from neurojit.functional.separable import separate_kernel
from neurojit.functional.softmax import log_softmax, softmax

__all__ = [
    "Op",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_conv2d",
    "binary_dense",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cross_entropy",
    "deform_conv2d",
    "dense",
    "dropout",
    "elu",
    "flatten",
    "gelu",
    "global_avg_pool",
    "global_max_pool",
    "leaky_relu",
    "log_softmax",
    "max_pool1d",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "op",
    "relu",
    "reshape",
    "separate_kernel",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
