"""The scikit-learn face: networks with `fit`, `predict` and all else that is expected of an estimator."""

from neurojit.estimators.convnet import ConvNetClassifier, ConvNetRegressor
from neurojit.estimators.ctc_labeler import CTCLabeler
from neurojit.estimators.echo_state import EchoStateRegressor
from neurojit.estimators.echo_state_classifier import EchoStateClassifier
from neurojit.estimators.extreme_learning import ExtremeLearningMachineClassifier, ExtremeLearningMachineRegressor
from neurojit.estimators.labelers import SequenceLabeler
from neurojit.estimators.language_model import LanguageModel
from neurojit.estimators.liquid_state import LiquidStateClassifier, LiquidStateRegressor
from neurojit.estimators.next_generation import NextGenerationReservoir
from neurojit.estimators.recurrent import RecurrentClassifier, RecurrentRegressor
from neurojit.estimators.reservoir_transformer import ReservoirTransformer
from neurojit.estimators.word2vec import Word2Vec

__all__ = [
    "CTCLabeler",
    "ConvNetClassifier",
    "ConvNetRegressor",
    "EchoStateClassifier",
    "EchoStateRegressor",
    "ExtremeLearningMachineClassifier",
    "ExtremeLearningMachineRegressor",
    "LanguageModel",
    "LiquidStateClassifier",
    "LiquidStateRegressor",
    "NextGenerationReservoir",
    "RecurrentClassifier",
    "RecurrentRegressor",
    "ReservoirTransformer",
    "SequenceLabeler",
    "Word2Vec",
]
