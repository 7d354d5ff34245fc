"""The scikit-learn face: networks with `fit`, `predict` and all else that is expected of an estimator."""

from neurojit.estimators.convnet import ConvNetClassifier, ConvNetRegressor
from neurojit.estimators.saving import load

__all__ = ["ConvNetClassifier", "ConvNetRegressor", "load"]
