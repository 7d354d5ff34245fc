"""Convolutional networks as scikit-learn estimators."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from neurojit import training
from neurojit.core.cuda import to_device, to_host
from neurojit.core.device import threads
from neurojit.estimators.base import NetworkEstimator
from neurojit.estimators.inputs import BatchMaker, check_form, check_input, precision, resolve_input_shape
from neurojit.estimators.tasks import Classification, Regression
from neurojit.models import default_convnet


class ConvNet(NetworkEstimator):
    """Base of `ConvNetClassifier` and `ConvNetRegressor`: samples are images or signals."""

    _computes_on_cuda = True

    def __init__(
        self,
        network=None,
        *,
        input_shape=None,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="cosine",
        weight_decay=0.0,
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
        self.network = network
        self.input_shape = input_shape
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : array-like, shape (n, height, width, channels), (n, height, width) or (n, length)
            Images or signals; with `input_shape`, also their flat rows (n, n_features). float64 is trained in float64,
            uint8 is scaled from 0..255 to 0..1 batch by batch, all else is taken as float32. Arrays are never copied
            whole.
        y : array-like, shape (n,)
            Targets.
        sample_weight : array-like, shape (n,), default=None
            Weights of the samples in the loss; None weighs all alike, 0 leaves a sample out.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            Before training, if an argument or an option is wrong; the message names it, what it got and wanted.
        neurojit.training.TrainingDiverged
            If the loss becomes NaN or infinite; `network_` then holds the last good weights.
        """
        return super().fit(X, y, sample_weight)

    @property
    def _unit(self):
        return "images" if len(self.input_shape_) == 3 else "signals"

    def _check_input(self, X, *, reset):
        return check_input(self, X, reset=reset)

    def _learn_inputs(self, X, sample_weight):
        self.input_shape_ = resolve_input_shape(X, self.input_shape)

    def _check_form(self, X):
        check_form(X, self.input_shape_, flat=self.input_shape is not None)

    def _precision(self, X):
        return precision(X)

    def _default_network(self, n_outputs):
        return default_convnet(self.input_shape_, n_outputs)

    def _batches(self, X, rows, targets, sample_weight):
        make_batch = BatchMaker(X, self.input_shape_, self._dtype)
        weight = None if sample_weight is None else sample_weight[rows]
        return training.ArrayBatches(rows, targets[rows], weight, prepare=make_batch)

    def _outputs(self, X):
        """The network's outputs for X, computed in batches; changes nothing, so threads may share the estimator."""
        check_is_fitted(self)
        X = self._check_input(X, reset=False)
        self._check_form(X)
        with threads(self.n_threads):
            move = to_device if self.network_.device == "cuda" else np.asarray
            batches = BatchMaker(X, self.input_shape_, self._dtype)
            return np.concatenate([to_host(self.network_.forward(move(x))) for x in batches])


class ConvNetClassifier(Classification, ConvNet):
    """Convolutional network that classifies images or signals.

    The network's outputs are log-odds; it is trained to the least cross-entropy with the labels.

    Parameters
    ----------
    network : Layer, callable or None, default=None
        The network: a `Layer` (it is copied, and one that was built before keeps its weights), a function
        ``(input_shape, n_outputs) -> Layer``, or None for `neurojit.models.default_convnet`. It gives n_classes values
        a sample.
    input_shape : tuple of int or None, default=None
        Shape of a sample, (height, width, channels) or (length, channels), for an X of flat rows or signals of several
        channels. None takes it from X.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"}, default="adam"
        How weights are updated; "sgd" has Nesterov momentum 0.9.
    learning_rate : float, default=0.003
        Step size of the optimizer at the start.
    schedule : {"cosine", "constant"}, default="cosine"
        "cosine" lowers the learning rate to zero along half a cosine over `max_epochs`.
    weight_decay : float, default=0.0
        L2 penalty of the weights (decoupled from the gradient for "adamw").
    batch_size : int or "auto", default="auto"
        Samples in a training step; "auto" is 32 for fewer than 4096 samples, else 64.
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
        model predicts on the CPU.
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
    loss_curve_ : list of float
        Mean training loss of each epoch.
    history_ : neurojit.training.History
        All that was measured in the last fit, epoch by epoch.
    n_iter_ : int
        Epochs trained.
    input_shape_ : tuple of int
        Shape of a sample as the network sees it.
    n_features_in_ : int
        Values in a sample.
    feature_names_in_ : numpy.ndarray, shape (n_features,)
        Names of the columns when X was a data frame.

    Notes
    -----
    An X of dtype uint8 holds images of 0 to 255: it is taken as it is and scaled to 0..1 inside, batch by batch. Other
    types are not scaled. float64 is computed in float64, anything else in float32, which is twice as fast.

    Examples
    --------
    >>> import neurojit as nj
    >>> x_train, y_train, x_test, y_test = nj.datasets.digits()
    >>> model = nj.ConvNetClassifier(max_epochs=3, random_state=0).fit(x_train, y_train)
    >>> bool(model.score(x_test, y_test) > 0.9)
    True
    """

    def __init__(
        self,
        network=None,
        *,
        input_shape=None,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="cosine",
        weight_decay=0.0,
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
            input_shape=input_shape,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            weight_decay=weight_decay,
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


class ConvNetRegressor(Regression, ConvNet):
    """Convolutional network that predicts one or more numbers from images or signals.

    It is trained to the least mean squared error; inside, every output is standardised to mean 0 and standard
    deviation 1, so that the learning rate suits targets of any size (`loss_curve_` is in these units).

    Parameters
    ----------
    network : Layer, callable or None, default=None
        As for `ConvNetClassifier`; it gives as many values a sample as y has.
    input_shape, optimizer, learning_rate, schedule, weight_decay, batch_size, max_epochs
        As for `ConvNetClassifier`.
    early_stopping, validation_fraction, n_iter_no_change
        As for `ConvNetClassifier`.
    callbacks, device, n_threads, random_state, warm_start, verbose
        As for `ConvNetClassifier`.

    Attributes
    ----------
    target_mean_, target_scale_ : numpy.ndarray, shape () or (n_outputs,)
        Mean and standard deviation of y in training.
    network_, loss_curve_, history_, n_iter_, input_shape_, n_features_in_, feature_names_in_
        As for `ConvNetClassifier`.

    Examples
    --------
    >>> import neurojit as nj
    >>> x_train, y_train, x_test, y_test = nj.datasets.digits()
    >>> model = nj.ConvNetRegressor(max_epochs=3, random_state=0).fit(x_train, x_train.mean(axis=(1, 2, 3)))
    >>> model.predict(x_test).shape
    (360,)
    """
