"""Training: the loop, losses, optimizers, schedules, callbacks, histories and data sources."""

from neurojit.training.batches import ArrayBatches, Batch
from neurojit.training.callbacks import Callback, Checkpoint, CSVLog, EarlyStopping, ProgressBar
from neurojit.training.ctc import CTCLoss, Unaligned
from neurojit.training.errors import TrainingDiverged
from neurojit.training.history import History
from neurojit.training.loop import Trainer
from neurojit.training.losses import CrossEntropy, Loss, MeanSquaredError
from neurojit.training.metrics import accuracy, label_error_rate
from neurojit.training.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from neurojit.training.penalties import Penalty, VanishingGradientPenalty
from neurojit.training.schedules import CosineDecay, ReduceOnPlateau, Schedule, StepDecay, WarmUp
from neurojit.training.sequences import SequenceBatches
from neurojit.training.streams import StreamBatches

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "ArrayBatches",
    "Batch",
    "CSVLog",
    "CTCLoss",
    "Callback",
    "Checkpoint",
    "CosineDecay",
    "CrossEntropy",
    "EarlyStopping",
    "History",
    "Loss",
    "MeanSquaredError",
    "Optimizer",
    "Penalty",
    "ProgressBar",
    "RMSprop",
    "ReduceOnPlateau",
    "Schedule",
    "SequenceBatches",
    "StepDecay",
    "StreamBatches",
    "Trainer",
    "TrainingDiverged",
    "Unaligned",
    "VanishingGradientPenalty",
    "WarmUp",
    "accuracy",
    "label_error_rate",
]
