"""Recurrent networks that read a sequence and say one thing about it, as scikit-learn estimators."""

from neurojit.estimators.recurrent_base import Recurrent
from neurojit.estimators.tasks import Classification, Regression


class RecurrentClassifier(Classification, Recurrent):
    """Recurrent network that classifies sequences, which may be of unequal length.

    The network's outputs are log-odds; it is trained to the least cross-entropy with the labels.

    Parameters
    ----------
    network : Layer, callable or None, default=None
        The network: a `Layer` (it is copied, and one that was built before keeps its weights), a function
        ``(input_shape, n_outputs) -> Layer`` for an input_shape of (steps, features), or None for
        `neurojit.models.recurrent` with the options that follow. It gives n_classes values a sequence; a network that
        gives them at each step ends in `neurojit.layers.LastStep`.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        What is repeated along time.
    units : int, default=64
        Units of a layer, in each direction.
    n_layers : int, default=1
        Layers on top of one another.
    bidirectional : bool, default=False
        Whether each layer reads the sequence backward, too.
    peephole : bool, default=False
        Whether the gates of an LSTM see its cells.
    coupled : bool, default=False
        Whether an LSTM forgets as much as it takes in.
    dropout : float, default=0.0
        Share of a layer's outputs that is dropped in training, before the layer above it.
    standardize : bool, default=True
        Whether each feature is brought to mean 0 and standard deviation 1 over all steps of the training data.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"}, default="adam"
        How weights are updated; "sgd" has Nesterov momentum 0.9.
    learning_rate : float, default=0.003
        Step size of the optimizer at the start.
    schedule : {"cosine", "constant"}, default="cosine"
        "cosine" lowers the learning rate to zero along half a cosine over `max_epochs`.
    weight_decay : float, default=0.0
        L2 penalty of the weights (decoupled from the gradient for "adamw").
    clip_norm : float or None, default=1.0
        Largest norm of all gradients together (Pascanu, Mikolov and Bengio 2013, algorithm 1).
    batch_size : int or "auto", default="auto"
        Sequences in a training step; "auto" is 32 for fewer than 4096 sequences, else 64.
    max_epochs : int, default=10
        Passes over the data.
    early_stopping : bool, default=False
        Hold out `validation_fraction` of the data, stop when the loss on it has not fallen for `n_iter_no_change`
        epochs, and keep the weights of the best epoch.
    validation_fraction : float, default=0.1
        Part of the data held out for early stopping.
    n_iter_no_change : int, default=10
        Epochs without a better validation loss after which training stops early.
    class_weight : dict, "balanced" or None, default=None
        Weights of classes in the loss, by label; "balanced" gives each class the same total weight.
    callbacks : list of neurojit.training.Callback or None, default=None
        Told of every epoch and batch.
    device : {"cpu", "cuda", "auto"}, default="cpu"
        Where to compute: on the CPU, on an NVIDIA GPU (extra ``cuda``), or on the GPU where there is one. A loaded
        estimator computes on the CPU.
    n_threads : int or None, default=None
        Threads to compute on; None is all. The result does not depend on it.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the weights, the order of samples and dropout: with an int every fit gives the same bits.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the fit before.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    classes_ : numpy.ndarray, shape (n_classes,)
        The labels, sorted.
    network_ : Layer
        The trained network.
    feature_mean_, feature_scale_ : numpy.ndarray, shape (n_features,)
        What features are standardised with; 0 and 1 without `standardize`.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    history_ : neurojit.training.History
        All that was measured in the last fit, epoch by epoch.
    n_iter_ : int
        Epochs trained.
    input_shape_ : tuple of int
        Steps of the longest sequence, and features.
    n_features_in_ : int
        Features of a step; the steps where X was a matrix (n, t).
    feature_names_in_ : numpy.ndarray, shape (n_features,)
        Names of the columns when X was a data frame.

    Notes
    -----
    Sequences of a batch are padded to the longest, and batches are made of sequences of about the same length; padding
    is never seen by a recurrent layer. Sequences of any length may be predicted.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(rng.integers(3, 9), 2)) for _ in range(200)]
    >>> y = [x[0, 0] > 0 for x in X]  # what was seen first
    >>> model = nj.RecurrentClassifier(units=16, max_epochs=20, learning_rate=0.01, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    def __init__(
        self,
        network=None,
        *,
        cell="lstm",
        units=64,
        n_layers=1,
        bidirectional=False,
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
        class_weight=None,
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
        self.class_weight = class_weight


class RecurrentRegressor(Regression, Recurrent):
    """Recurrent network that predicts one or more numbers from a sequence.

    It is trained to the least mean squared error; inside, every output is standardised to mean 0 and standard
    deviation 1, so that the learning rate suits targets of any size (`loss_curve_` is in these units).

    Parameters
    ----------
    network : Layer, callable or None, default=None
        As for `RecurrentClassifier`; it gives as many values a sequence as y has.
    cell, units, n_layers, bidirectional, peephole, coupled, dropout, standardize
        As for `RecurrentClassifier`.
    optimizer, learning_rate, schedule, weight_decay, clip_norm, batch_size, max_epochs
        As for `RecurrentClassifier`.
    early_stopping, validation_fraction, n_iter_no_change
        As for `RecurrentClassifier`.
    callbacks, device, n_threads, random_state, warm_start, verbose
        As for `RecurrentClassifier`.

    Attributes
    ----------
    target_mean_, target_scale_ : numpy.ndarray, shape () or (n_outputs,)
        Mean and standard deviation of y in training.
    network_, feature_mean_, feature_scale_, loss_curve_, history_, n_iter_, input_shape_
        As for `RecurrentClassifier`.
    n_features_in_, feature_names_in_
        As for `RecurrentClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit as nj
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> model = nj.RecurrentRegressor(units=16, max_epochs=20, learning_rate=0.01, random_state=0)
    >>> bool(model.fit(X, X.sum(axis=1)).score(X, X.sum(axis=1)) > 0.9)
    True
    """
