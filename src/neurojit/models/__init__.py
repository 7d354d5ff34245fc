"""Architectures: functions that return layers."""

from neurojit.models.convnet import default_convnet
from neurojit.models.lenet import lenet
from neurojit.models.recurrent import recurrent
from neurojit.models.resnet import resnet18
from neurojit.models.tcn import tcn

__all__ = ["default_convnet", "lenet", "recurrent", "resnet18", "tcn"]
