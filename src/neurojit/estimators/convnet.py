"""Convolutional networks as scikit-learn estimators."""

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from neurojit import functional as F
from neurojit import training
from neurojit.estimators.base import ConvNet
from neurojit.estimators.targets import (
    check_labels,
    check_values,
    class_weights,
    encode_labels,
    find_classes,
    given_classes,
    mean_and_scale,
)


class ConvNetClassifier(ClassifierMixin, ConvNet):
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
    device : {"cpu"}, default="cpu"
        Where to compute.
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
    feature_names_in_ : numpy.ndarray, shape (n_features_in_,)
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

    _metrics = {"accuracy": training.accuracy}

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

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train one epoch more on this X and y, at the full learning rate.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like, shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As for `fit`, and if the first call lacks `classes` or a label is not among them.
        """
        classes = given_classes(classes, getattr(self, "classes_", None))
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight: got {self.class_weight!r}, wanted None or a dict for partial_fit, which sees part of y"
            )
        return self._partial_fit(X, y, sample_weight, classes)

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like
            Samples, shaped as in `fit`.

        Returns
        -------
        numpy.ndarray, shape (n, n_classes), float32 or float64
            Rows sum to one; columns are in the order of `classes_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If the samples have another shape than in `fit`, or hold NaN or infinity.
        """
        return F.softmax(self._outputs(X))

    def predict(self, X):
        """The most probable class of each sample; arguments and errors as for `predict_proba`.

        Returns
        -------
        numpy.ndarray, shape (n,), of the labels' dtype
        """
        probabilities = self.predict_proba(X)
        return self.classes_[np.argmax(probabilities, axis=1)]

    def to_state(self):
        """The fitted estimator as a nested dict of arrays and plain JSON values: what `save` writes."""
        dtype = "object" if self.classes_.dtype == object else self.classes_.dtype.str
        return super().to_state() | {"labels": self.classes_.tolist(), "labels_dtype": dtype}

    @classmethod
    def from_state(cls, state, custom_layers=None):
        """A fitted estimator from what `to_state` gave."""
        estimator = super().from_state(state, custom_layers)
        estimator.classes_ = np.array(state["labels"], dtype=state["labels_dtype"])
        return estimator

    def _check_targets(self, y, X):
        return check_labels(y, X)

    def _learn_targets(self, y, sample_weight, classes):
        self.classes_ = find_classes(y, sample_weight) if classes is None else classes
        return len(self.classes_)

    def _encode(self, y, sample_weight):
        codes = encode_labels(y, self.classes_)
        weight = class_weights(self.class_weight, self.classes_, codes, sample_weight)
        if weight is not None:
            sample_weight = weight[codes] if sample_weight is None else weight[codes] * sample_weight
        return codes, sample_weight

    def _loss(self):
        return training.CrossEntropy()


class ConvNetRegressor(RegressorMixin, ConvNet):
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def partial_fit(self, X, y, sample_weight=None):
        """Train one epoch more on this X and y, at the full learning rate; the first call settles the units of y.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As for `fit`.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X):
        """The numbers predicted for each sample.

        Parameters
        ----------
        X : array-like
            Samples, shaped as in `fit`.

        Returns
        -------
        numpy.ndarray, shape (n,) or (n, n_outputs) like y in `fit`, float64

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If the samples have another shape than in `fit`, or hold NaN or infinity.
        """
        outputs = self._outputs(X)
        standardised = outputs.astype(np.float64).reshape(len(outputs), *self.target_mean_.shape)
        return self.target_mean_ + self.target_scale_ * standardised

    def to_state(self):
        """The fitted estimator as a nested dict of arrays and plain JSON values: what `save` writes."""
        return super().to_state() | {"target_mean": self.target_mean_, "target_scale": self.target_scale_}

    @classmethod
    def from_state(cls, state, custom_layers=None):
        """A fitted estimator from what `to_state` gave."""
        estimator = super().from_state(state, custom_layers)
        estimator.target_mean_, estimator.target_scale_ = state["target_mean"], state["target_scale"]
        return estimator

    def _check_targets(self, y, X):
        return check_values(y, X)

    def _learn_targets(self, y, sample_weight, classes):
        self.target_mean_, self.target_scale_ = mean_and_scale(y, sample_weight)
        return self.target_mean_.size

    def _encode(self, y, sample_weight):
        if y.shape[1:] != self.target_mean_.shape:
            raise ValueError(f"y: got shape {y.shape}, wanted (n, *{self.target_mean_.shape}) as in the first fit")
        standardised = (y - self.target_mean_) / self.target_scale_
        return standardised.reshape(len(y), -1), sample_weight

    def _loss(self):
        return training.MeanSquaredError()
