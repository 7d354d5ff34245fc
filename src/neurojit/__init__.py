"""neurojit: neural networks as scikit-learn estimators, every kernel written in Python and compiled by Numba.

Importing the package compiles nothing, starts no threads and touches no GPU; each public name is imported when it is
first used.

Examples
--------
>>> import neurojit as nj
>>> model = nj.ConvNetClassifier(max_epochs=5)
>>> model.max_epochs
5
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from neurojit import (
        datasets,
        decoding,
        functional,
        inspection,
        io,
        layers,
        models,
        reservoirs,
        testing,
        text,
        training,
    )
    from neurojit.core.cuda import to_device
    from neurojit.core.device import threads
    from neurojit.core.options import get_options, set_options
    from neurojit.estimators import (
        ConvNetClassifier,
        ConvNetRegressor,
        CTCLabeler,
        EchoStateClassifier,
        EchoStateRegressor,
        ExtremeLearningMachineClassifier,
        ExtremeLearningMachineRegressor,
        LanguageModel,
        LiquidStateClassifier,
        LiquidStateRegressor,
        NextGenerationReservoir,
        RecurrentClassifier,
        RecurrentRegressor,
        ReservoirTransformer,
        SequenceLabeler,
        Word2Vec,
    )
    from neurojit.io import load

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
    "__version__",
    "datasets",
    "decoding",
    "functional",
    "get_options",
    "inspection",
    "io",
    "layers",
    "load",
    "models",
    "reservoirs",
    "set_options",
    "testing",
    "text",
    "threads",
    "to_device",
    "training",
]

# Where each lazy name lives; a module alone stands for itself.
_HOMES = {
    "CTCLabeler": "neurojit.estimators",
    "ConvNetClassifier": "neurojit.estimators",
    "ConvNetRegressor": "neurojit.estimators",
    "EchoStateClassifier": "neurojit.estimators",
    "EchoStateRegressor": "neurojit.estimators",
    "ExtremeLearningMachineClassifier": "neurojit.estimators",
    "ExtremeLearningMachineRegressor": "neurojit.estimators",
    "LanguageModel": "neurojit.estimators",
    "LiquidStateClassifier": "neurojit.estimators",
    "LiquidStateRegressor": "neurojit.estimators",
    "NextGenerationReservoir": "neurojit.estimators",
    "RecurrentClassifier": "neurojit.estimators",
    "RecurrentRegressor": "neurojit.estimators",
    "ReservoirTransformer": "neurojit.estimators",
    "SequenceLabeler": "neurojit.estimators",
    "Word2Vec": "neurojit.estimators",
    "get_options": "neurojit.core.options",
    "load": "neurojit.io",
    "set_options": "neurojit.core.options",
    "threads": "neurojit.core.device",
    "to_device": "neurojit.core.cuda",
}


def __getattr__(name):
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in __all__:
        value = importlib.import_module(f"neurojit.{name}")
    else:
        raise AttributeError(f"module 'neurojit' has no attribute {name!r}")
    globals()[name] = value  # found directly from now on
    return value


def __dir__():
    return sorted(globals().keys() | set(__all__))
