"""Layers: parameters and the functions of `neurojit.functional` they go into; networks are layers made of layers.

Examples
--------
>>> from neurojit.layers import Conv2d, Dense, Flatten, MaxPool2d, ReLU, Sequential
>>> network = Sequential(Conv2d(8, 3), ReLU(), MaxPool2d(2), Flatten(), Dense(10))
>>> network.output_shape((28, 28, 1))
(10,)
"""

from neurojit.layers.activation import (
    CELU,
    ELU,
    GELU,
    SELU,
    LogSoftmax,
    Mish,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from neurojit.layers.base import INFERENCE, Layer, Mode, Parameter
from neurojit.layers.binary import BinaryConv2d, BinaryDense
from neurojit.layers.combinators import Combinator, Concat, Residual, Sequential
from neurojit.layers.conv import Conv1d, Conv2d, Conv3d
from neurojit.layers.conv_lstm import ConvLSTM
from neurojit.layers.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from neurojit.layers.deform_conv import DeformConv2d
from neurojit.layers.dense import Dense
from neurojit.layers.dropout import Dropout
from neurojit.layers.embedding import Embedded, Embedding
from neurojit.layers.global_pooling import GlobalAvgPool, GlobalMaxPool
from neurojit.layers.last_step import LastStep
from neurojit.layers.normalization import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    RMSNorm,
)
from neurojit.layers.piecewise import (
    HardSigmoid,
    HardSwish,
    LeakyReLU,
    PReLU,
    ReLU,
    ThresholdedReLU,
)
from neurojit.layers.pooling import (
    AdaptiveAvgPool2d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    LpPool1d,
    LpPool2d,
    LpPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from neurojit.layers.recurrent import GRU, LSTM, RNN
from neurojit.layers.registry import from_config
from neurojit.layers.reshape import Flatten, Reshape
from neurojit.layers.separable import DepthwiseConv2d, SeparableConv2d, SpatialSeparableConv2d
from neurojit.layers.sequences import Bidirectional, Stacked, TimeDistributed
from neurojit.layers.temporal import TemporalBlock
from neurojit.layers.unpooling import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d
from neurojit.layers.weight_norm import WeightNorm

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GRU",
    "INFERENCE",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm",
    "Bidirectional",
    "BinaryConv2d",
    "BinaryDense",
    "Combinator",
    "Concat",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvLSTM",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "DeformConv2d",
    "Dense",
    "DepthwiseConv2d",
    "Dropout",
    "Embedded",
    "Embedding",
    "Flatten",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "InstanceNorm",
    "LastStep",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
    "LogSoftmax",
    "LpPool1d",
    "LpPool2d",
    "LpPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Mish",
    "Mode",
    "PReLU",
    "Parameter",
    "RMSNorm",
    "ReLU",
    "Reshape",
    "Residual",
    "SeparableConv2d",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SpatialSeparableConv2d",
    "Stacked",
    "Tanh",
    "TemporalBlock",
    "ThresholdedReLU",
    "TimeDistributed",
    "WeightNorm",
    "from_config",
]
