"""Recurrent networks that read labels from a sequence which nobody aligned with its steps."""

import numpy as np

from neurojit import decoding, training
from neurojit import functional as F
from neurojit.estimators.labelers import Labeler
from neurojit.estimators.sequence_inputs import sequence_lengths
from neurojit.training.metrics import label_error_rate

_BLANK = 0  # the class that stands for no label; label i of `classes_` is class i + 1


class CTCLabeler(Labeler):
    """Recurrent network that reads a sequence of labels from a longer sequence, such as words from speech.

    The network says at each step which label it sees there, or none. It is trained by connectionist temporal
    classification (Graves, Fernandez, Gomez and Schmidhuber, ICML 2006): to the largest probability of all alignments
    that read as the labels.

    Parameters
    ----------
    network : Layer, callable or None, default=None
        As for `RecurrentClassifier`; it gives 1 + n_classes values for each step, the first for no label.
    decoding : {"greedy", "beam"}, default="greedy"
        Read the most probable alignment, or search for the labels that are most probable over all alignments.
    beam_width : int, default=10
        Label sequences that the search keeps at each step.
    cell, units, n_layers, peephole, coupled, dropout, standardize
        As for `RecurrentClassifier`.
    bidirectional : bool, default=True
        Whether each layer reads the sequence backward, too.
    optimizer, learning_rate, schedule, weight_decay, clip_norm, batch_size, max_epochs
        As for `RecurrentClassifier`.
    early_stopping, validation_fraction, n_iter_no_change
        As for `RecurrentClassifier`.
    callbacks, device, n_threads, random_state, warm_start, verbose
        As for `RecurrentClassifier`.

    Attributes
    ----------
    classes_ : numpy.ndarray, shape (n_classes,)
        The labels, sorted.
    network_, feature_mean_, feature_scale_, loss_curve_, history_, n_iter_, input_shape_
        As for `RecurrentClassifier`.
    n_features_in_, feature_names_in_
        As for `RecurrentClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> rng = np.random.default_rng(0)
    >>> y = [rng.integers(0, 3, size=rng.integers(1, 4)) for _ in range(200)]
    >>> X = [np.repeat(np.eye(3)[labels], rng.integers(2, 4), axis=0) for labels in y]  # each label for a while
    >>> model = nj.CTCLabeler(units=16, max_epochs=30, learning_rate=0.02, random_state=0)
    >>> model = model.fit([x + 0.1 * rng.normal(size=x.shape) for x in X], y)
    >>> bool(model.score(X, y) > 0.8)
    True
    """

    def __init__(
        self,
        network=None,
        *,
        decoding="greedy",
        beam_width=10,
        cell="lstm",
        units=64,
        n_layers=1,
        bidirectional=True,
        peephole=False,
        coupled=False,
        dropout=0.0,
        standardize=True,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="cosine",
        weight_decay=0.0,
        clip_norm=1.0,
        batch_size="auto",
        max_epochs=10,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        callbacks=None,
        device="cpu",
        n_threads=None,
        random_state=None,
        warm_start=False,
        verbose=0,
    ):
        super().__init__(
            network,
            cell=cell,
            units=units,
            n_layers=n_layers,
            bidirectional=bidirectional,
            peephole=peephole,
            coupled=coupled,
            dropout=dropout,
            standardize=standardize,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            weight_decay=weight_decay,
            clip_norm=clip_norm,
            batch_size=batch_size,
            max_epochs=max_epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            callbacks=callbacks,
            device=device,
            n_threads=n_threads,
            random_state=random_state,
            warm_start=warm_start,
            verbose=verbose,
        )
        self.decoding = decoding
        self.beam_width = beam_width

    def predict_proba(self, X):
        """Probability at each step of seeing no label (column 0), or each of `classes_`.

        Parameters
        ----------
        X : list of array-like, or array-like
            Sequences, shaped as in `fit`, of any lengths.

        Returns
        -------
        list of numpy.ndarray, shape (t_i, 1 + n_classes)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If the sequences have other features than in `fit`, or hold NaN or infinity.
        """
        return [F.softmax(output) for output in self._outputs(X)]

    def predict(self, X):
        """The labels read from each sequence; errors as for `predict_proba`.

        Parameters
        ----------
        X : list of array-like, or array-like
            Sequences, shaped as in `fit`, of any lengths.

        Returns
        -------
        list of numpy.ndarray, shape (n_labels_i,)
            Of the labels' dtype.
        """
        return [self.classes_[self._read(F.log_softmax(output)) - 1] for output in self._outputs(X)]

    def score(self, X, y, sample_weight=None):
        """1 - the label error rate: the edits that turn what was read into y, as a share of the labels of y.

        Parameters
        ----------
        X : list of array-like, or array-like
            Sequences, as for `predict`.
        y : list of array-like
            The labels of each.
        sample_weight : array-like, shape (n,), default=None
            Weights of the sequences.

        Returns
        -------
        float
        """
        predicted = self.predict(X)
        return 1.0 - label_error_rate(predicted, self._check_labels(y, predicted), sample_weight)

    def _read(self, log_probs):
        if self.decoding == "greedy":
            return decoding.ctc_greedy(log_probs, blank=_BLANK)
        return decoding.ctc_beam_search(log_probs, self.beam_width, blank=_BLANK)[0].tokens

    def _check_targets(self, y, X):
        y = self._check_labels(y, X)
        for i, (labels, length) in enumerate(zip(y, sequence_lengths(X), strict=True)):
            repeats = int(np.count_nonzero(labels[1:] == labels[:-1]))
            if len(labels) + repeats > length:
                raise ValueError(
                    f"y[{i}]: got {len(labels)} labels, {repeats} of them like the one before, wanted no more than the"
                    f" {length} steps of X[{i}] can tell apart: one for each label, and one between equal ones"
                )
        return y

    def _learn_targets(self, y, sample_weight, classes):
        return 1 + super()._learn_targets(y, sample_weight, classes)

    def _encode(self, y, sample_weight):
        codes, sample_weight = super()._encode(y, sample_weight)
        return [labels + 1 for labels in codes], sample_weight

    def _batches(self, X, rows, targets, sample_weight):
        return self._sequences(X).source(rows, targets, sample_weight)

    def _loss(self):
        return training.CTCLoss(blank=_BLANK)
