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
from neurojit.layers.combinators import Combinator, Concat, Residual, Sequential
from neurojit.layers.conv import Conv1d, Conv2d
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

__all__ = [
    "ELU",
    "GELU",
    "INFERENCE",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm",
    "Combinator",
    "Concat",
    "Conv1d",
    "Conv2d",
    "Dense",
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
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "from_config",
]
