"""Layers: parameters and the functions of `neurojit.functional` they go into; networks are layers made of layers.

Examples
--------
>>> from neurojit.layers import Conv2d, Dense, Flatten, MaxPool2d, ReLU, Sequential
>>> network = Sequential(Conv2d(8, 3), ReLU(), MaxPool2d(2), Flatten(), Dense(10))
>>> network.output_shape((28, 28, 1))
(10,)
"""

from neurojit.layers.activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from neurojit.layers.base import INFERENCE, Layer, Mode, Parameter
from neurojit.layers.binary import BinaryConv2d, BinaryDense
from neurojit.layers.combinators import Combinator, Concat, Residual, Sequential
from neurojit.layers.conv import Conv1d, Conv2d, Conv3d
from neurojit.layers.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from neurojit.layers.deform_conv import DeformConv2d
from neurojit.layers.dense import Dense
from neurojit.layers.dropout import Dropout
from neurojit.layers.normalization import BatchNorm
from neurojit.layers.pooling import (
    AvgPool1d,
    AvgPool2d,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool1d,
    MaxPool2d,
)
from neurojit.layers.registry import from_config
from neurojit.layers.reshape import Flatten, Reshape
from neurojit.layers.separable import DepthwiseConv2d, SeparableConv2d, SpatialSeparableConv2d

__all__ = [
    "ELU",
    "GELU",
    "INFERENCE",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm",
    "BinaryConv2d",
    "BinaryDense",
    "Combinator",
    "Concat",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "DeformConv2d",
    "Dense",
    "DepthwiseConv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "Layer",
    "LeakyReLU",
    "MaxPool1d",
    "MaxPool2d",
    "Mode",
    "Parameter",
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
    "Tanh",
    "from_config",
]
