"""Connectionist temporal classification on the device."""

import numpy as np

from neurojit.core.cuda import device_empty, device_empty_like, to_device
from neurojit.kernels.cuda import ctc as kernels


class DeviceCtc:
    """Log-probabilities on the device with their labels, which come from the host checked.

    Parameters
    ----------
    log_probs : DeviceArray, shape (n, t, classes)
    lengths, label_lengths : numpy.ndarray, shape (n,)
    labels : numpy.ndarray, shape (n, places)
        From place 1 on.
    blank : int
    """

    def __init__(self, log_probs, lengths, labels, label_lengths, blank):
        self.log_probs, self.blank, self.labels, self.label_lengths = log_probs, blank, labels, label_lengths
        tables = (to_device(table.astype(np.int32).reshape(-1)) for table in (lengths, labels, label_lengths))
        self.tables = tuple(tables)

    def forward(self, rows):
        """Losses, and `rows` rows of forward variables, both on the device."""
        n, places = self.labels.shape
        alpha = device_empty((n, max(rows, 1), 2 * places), self.log_probs.dtype)
        losses = device_empty(n, self.log_probs.dtype)
        classes = self.log_probs.shape[-1]
        kernels.ctc_losses(self.log_probs.reshape(-1), classes, *self.tables, self.blank, alpha.reshape(-1), losses)
        return losses, alpha

    def backward(self, alpha, dlosses):
        """The gradient to log_probs."""
        n, places = self.labels.shape
        dlog_probs = device_empty_like(self.log_probs)
        room = (device_empty(n * rows * 2 * places, alpha.dtype) for rows in (2, 1))
        flat = self.log_probs.reshape(-1), self.log_probs.shape[-1], *self.tables, self._order(), self.blank
        kernels.ctc_gradient(*flat, alpha.reshape(-1), to_device(dlosses), *room, dlog_probs.reshape(-1))
        return dlog_probs

    def _order(self):
        """The places of each sequence by their labels, those that hold none at the end."""
        labels = self.labels.copy()
        labels[np.arange(labels.shape[1]) > self.label_lengths[:, np.newaxis]] = np.iinfo(np.int64).max
        labels[:, 0] = np.iinfo(np.int64).max
        return to_device(np.argsort(labels, axis=1, kind="stable").astype(np.int32).reshape(-1))
