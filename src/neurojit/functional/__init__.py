"""The public array functions: ``y = F.op(x)``, and ``y, backward = F.op.vjp(x)`` for its pullback.

Examples
--------
>>> import numpy as np
>>> import neurojit.functional as F
>>> y, backward = F.relu.vjp(np.array([-1.0, 2.0]))
>>> backward(np.ones(2))
array([0., 1.])
"""

from neurojit.functional.activation import celu, elu, gelu, mish, selu, sigmoid, silu, softplus, tanh
from neurojit.functional.avg_pooling import adaptive_avg_pool2d, avg_pool1d, avg_pool2d, avg_pool3d
from neurojit.functional.binary_conv import binary_conv2d
from neurojit.functional.binary_dense import binary_dense
from neurojit.functional.conv import conv1d, conv2d, conv3d
from neurojit.functional.conv_lstm import conv_lstm
from neurojit.functional.conv_transpose import conv_transpose1d, conv_transpose2d, conv_transpose3d
from neurojit.functional.ctc import ctc_loss
from neurojit.functional.deform_conv import deform_conv2d
from neurojit.functional.dense import dense
from neurojit.functional.dropout import dropout
from neurojit.functional.embedding import embedding
from neurojit.functional.global_pooling import global_avg_pool, global_max_pool
from neurojit.functional.gru import gru
from neurojit.functional.loss import cross_entropy, mse_loss, nll_loss
from neurojit.functional.lp_pooling import lp_pool1d, lp_pool2d, lp_pool3d
from neurojit.functional.lstm import lstm
from neurojit.functional.max_pooling import max_pool1d, max_pool2d, max_pool3d
from neurojit.functional.normalization import batch_norm
from neurojit.functional.op import Op, op
from neurojit.functional.piecewise import hard_sigmoid, hard_swish, leaky_relu, prelu, relu, thresholded_relu
from neurojit.functional.reshape import flatten, reshape
from neurojit.functional.response_normalization import local_response_norm
from neurojit.functional.rnn import rnn
from neurojit.functional.row_normalization import layer_norm, rms_norm
from neurojit.functional.sample_normalization import group_norm, instance_norm
from neurojit.functional.separable import separate_kernel
from neurojit.functional.softmax import log_softmax, softmax
from neurojit.functional.unpooling import max_unpool1d, max_unpool2d, max_unpool3d
from neurojit.functional.weight_norm import weight_norm

__all__ = [
    "Op",
    "adaptive_avg_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "binary_conv2d",
    "binary_dense",
    "celu",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_lstm",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cross_entropy",
    "ctc_loss",
    "deform_conv2d",
    "dense",
    "dropout",
    "elu",
    "embedding",
    "flatten",
    "gelu",
    "global_avg_pool",
    "global_max_pool",
    "group_norm",
    "gru",
    "hard_sigmoid",
    "hard_swish",
    "instance_norm",
    "layer_norm",
    "leaky_relu",
    "local_response_norm",
    "log_softmax",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "lstm",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mish",
    "mse_loss",
    "nll_loss",
    "op",
    "prelu",
    "relu",
    "reshape",
    "rms_norm",
    "rnn",
    "selu",
    "separate_kernel",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
    "thresholded_relu",
    "weight_norm",
]
