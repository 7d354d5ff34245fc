"""The scikit-learn face: networks with `fit`, `predict` and all else that is expected of an estimator."""

from neurojit.estimators.convnet import ConvNetClassifier, ConvNetRegressor
from neurojit.estimators.echo_state import EchoStateRegressor

__all__ = ["ConvNetClassifier", "ConvNetRegressor", "EchoStateRegressor"]
