"""Losses by their definitions, one row and class at a time."""

import numpy as np

from tests.reference.activation import log_softmax


def _reduce(losses, total, reduction):
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / total if total else 0.0


def cross_entropy(logits, targets, *, weight=None, label_smoothing=0.0, ignore_index=-100, reduction="mean"):
    """-sum_j w_j ((1 - s) [j = t] + s / K) log softmax(z)_j; the mean is over the weights of the targets."""
    classes = logits.shape[-1]
    weight = np.ones(classes) if weight is None else weight
    losses, total = np.zeros(targets.shape), 0.0
    for i in np.ndindex(*targets.shape):
        if targets[i] == ignore_index:
            continue
        log_p = log_softmax(logits[i].astype(np.float64))
        for j in range(classes):
            q = (1 - label_smoothing) * (j == targets[i]) + label_smoothing / classes
            losses[i] -= weight[j] * q * log_p[j]
        total += weight[targets[i]]
    return _reduce(losses, total, reduction)


def nll_loss(log_probabilities, targets, *, weight=None, ignore_index=-100, reduction="mean"):
    """-w_t log p_t; the mean is over the weights of the targets."""
    weight = np.ones(log_probabilities.shape[-1]) if weight is None else weight
    losses, total = np.zeros(targets.shape), 0.0
    for i in np.ndindex(*targets.shape):
        if targets[i] != ignore_index:
            losses[i] = -weight[targets[i]] * log_probabilities[i][targets[i]]
            total += weight[targets[i]]
    return _reduce(losses, total, reduction)


def mse_loss(prediction, target, *, reduction="mean"):
    """(prediction - target)^2."""
    losses = np.zeros(prediction.shape)
    for i in np.ndindex(*prediction.shape):
        losses[i] = (float(prediction[i]) - float(target[i])) ** 2
    return _reduce(losses, losses.size, reduction)
