"""The scikit-learn face: networks with `fit`, `predict` and all else that is expected of an estimator."""

from neurojit.estimators.convnet import ConvNetClassifier, ConvNetRegressor
from neurojit.estimators.word2vec import Word2Vec

__all__ = ["ConvNetClassifier", "ConvNetRegressor", "Word2Vec"]
