"""One training of word vectors, as callbacks see it."""

import contextlib
import math
import time

from neurojit.text.sentences import token_arrays
from neurojit.training import History, TrainingDiverged


class Run:
    """Epochs over some sentences, with the hooks of `neurojit.training.Callback`.

    Callbacks find `epoch`, `max_epochs`, `samples_per_epoch` (words), `learning_rate` and `history` here. A batch is a
    buffer of words, and has their number for its length.
    """

    def __init__(self, estimator, sentences, epochs, last_rate, callbacks):
        self.estimator = estimator
        self.max_epochs = epochs
        self.epoch = 0
        self.history = History()
        self.samples_per_epoch = int(estimator.vocabulary_.counts.sum())
        self.learning_rate = estimator.learning_rate
        self._sentences = sentences
        self._last_rate = last_rate
        self._callbacks = callbacks

    def stop(self, reason):
        """End the training after this epoch."""
        self.history.stopped = reason

    def fit(self):
        """Run all epochs."""
        with contextlib.ExitStack() as stack:
            for callback in self._callbacks:
                stack.callback(callback.close)
                callback.on_fit_start(self)
            while self.epoch < self.max_epochs and self.history.stopped is None:
                self._run_epoch()
            for callback in self._callbacks:
                callback.on_fit_end(self)

    def _run_epoch(self):
        for callback in self._callbacks:
            callback.on_epoch_start(self)
        started, loss, pairs, words = time.perf_counter(), 0.0, 0, 0
        arrays = token_arrays(self._sentences, self.estimator.vocabulary_)
        for n_words, part, n_pairs in self.estimator._training.run_epoch(arrays, self._rate):
            loss, pairs, words = loss + part, pairs + n_pairs, words + n_words
            self._check(part)
            for callback in self._callbacks:
                callback.on_batch_end(self, range(n_words), part / max(n_pairs, 1))
        seconds = time.perf_counter() - started
        self.epoch += 1
        record = {
            "epoch": self.epoch,
            "loss": loss / pairs if pairs else 0.0,
            "learning_rate": self.learning_rate,
            "words_per_second": words / max(seconds, 1e-9),
            "seconds": seconds,
        }
        for callback in self._callbacks:
            callback.on_epoch_end(self, record)
        self.history.append(record)
        for callback in self._callbacks:
            callback.on_epoch_recorded(self, record)

    def _rate(self, words):
        """The learning rate after some words of this epoch: it falls linearly over all epochs."""
        done = (self.epoch + min(words / max(self.samples_per_epoch, 1), 1.0)) / self.max_epochs
        first = self.estimator.learning_rate
        self.learning_rate = first - (first - self._last_rate) * done
        return self.learning_rate

    def _check(self, loss):
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"training diverged in epoch {self.epoch + 1}: got loss {loss}, wanted a finite one;"
                f" the learning rate was {self.learning_rate:.3g}, try a smaller one",
                self.epoch + 1,
                self.learning_rate,
            )
