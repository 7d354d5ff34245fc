"""Plots of a training and of its result, each on given axes or on a figure of its own."""

import math

import numpy as np

from neurojit.layers import Conv2d

_LEAST_COLUMNS = 3  # a single image need not fill the page


def learning_curve(history, ax=None):
    """Draw the training loss, and the validation loss where there is one, over epochs.

    Parameters
    ----------
    history : neurojit.training.History
        For example an estimator's ``history_``.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from neurojit.inspection import learning_curve
    >>> from neurojit.training import History
    >>> history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}])
    >>> learning_curve(history).get_title()
    'Learning curve'
    """
    ax = history.plot(_axes(ax))
    ax.set_title("Learning curve")
    ax.set_ylim(bottom=0)
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def confusion_matrix(y_true, y_predicted, ax=None):
    """Draw how often each class was taken for each other.

    Parameters
    ----------
    y_true, y_predicted : array-like, shape (n,)
        Labels.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the two have different lengths or are empty.

    Examples
    --------
    >>> from neurojit.inspection import confusion_matrix
    >>> confusion_matrix(["cat", "cat", "dog"], ["cat", "dog", "dog"]).get_title()
    'Confusion matrix: 2 of 3 right'
    """
    y_true, y_predicted = _labels(y_true, y_predicted)
    classes, codes = np.unique(np.concatenate([y_true, y_predicted]), return_inverse=True)
    true, predicted = codes[: len(y_true)], codes[len(y_true) :]
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (true, predicted), 1)

    ax = _axes(ax)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.argwhere(counts):
        ax.text(j, i, counts[i, j], ha="center", va="center", color="white" if share[i, j] > 0.5 else "black")
    ax.set_xticks(range(len(classes)), classes)
    ax.set_yticks(range(len(classes)), classes)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    ax.set_title(f"Confusion matrix: {np.trace(counts)} of {len(y_true)} right")
    return ax


def first_layer_filters(network, ax=None):
    """Draw the filters of a network's first image convolution.

    Filters of one and three channels are shown as images (grey, or colours), others as the mean over their channels.

    Parameters
    ----------
    network : Layer
        A built network, for example an estimator's ``network_``.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the network has no built `Conv2d`.

    Examples
    --------
    >>> from neurojit.inspection import first_layer_filters
    >>> from neurojit.layers import Conv2d
    >>> first_layer_filters(Conv2d(8, 3).make((28, 28, 1), 0)).get_title()
    'First-layer filters (8 of 3x3)'
    """
    weights = [layer.weight.value for layer, _ in network.walk() if isinstance(layer, Conv2d) and layer.built]
    if not weights:
        raise ValueError("network: got one without a built Conv2d layer, wanted a fitted network for images")
    filters = np.moveaxis(weights[0], -1, 0)
    if filters.shape[-1] not in (1, 3):
        filters = filters.mean(axis=-1, keepdims=True)
    largest = np.abs(filters).max() or 1.0
    ax = _show_tiles((filters / largest + 1) / 2, ax, empty=1.0)
    ax.set_title(f"First-layer filters ({len(filters)} of {weights[0].shape[0]}x{weights[0].shape[1]})")
    return ax


def misclassified(X, y_true, y_predicted, *, most=25, ax=None):
    """Draw images that were taken for another class, each under "true > predicted".

    Parameters
    ----------
    X : array-like, shape (n, height, width) or (n, height, width, channels)
        Images with one or three channels.
    y_true, y_predicted : array-like, shape (n,)
        Labels.
    most : int, default=25
        How many images to show at most.
    ax : matplotlib.axes.Axes or None, default=None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `X` does not hold images, or the lengths differ.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.inspection import misclassified
    >>> misclassified(np.zeros((3, 8, 8)), [0, 1, 2], [0, 1, 7]).get_title()
    '1 of 3 misclassified (true > predicted)'
    """
    X = np.asarray(X)
    images = X[..., np.newaxis] if X.ndim == 3 else X
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(f"X: got shape {X.shape}, wanted images (n, height, width) or (n, height, width, 1 or 3)")
    y_true, y_predicted = _labels(y_true, y_predicted)
    if len(images) != len(y_true):
        raise ValueError(f"X: got {len(images)} images, wanted {len(y_true)}, one for each label")
    wrong = np.flatnonzero(y_true != y_predicted)
    shown = wrong[:most]
    ax = _axes(ax)
    if len(shown):
        tiles = images[shown].astype(np.float64)
        low, high = tiles.min(), tiles.max()
        labels = [f"{t} > {p}" for t, p in zip(y_true[shown], y_predicted[shown], strict=True)]
        _show_tiles((tiles - low) / ((high - low) or 1.0), ax, empty=1.0, labels=labels)
    ax.set_axis_off()
    ax.set_title(f"{len(wrong)} of {len(y_true)} misclassified (true > predicted)")
    return ax


def _axes(ax):
    if ax is None:
        from matplotlib import pyplot as plt

        ax = plt.subplots(layout="constrained")[1]
    return ax


def _labels(y_true, y_predicted):
    y_true, y_predicted = np.asarray(y_true), np.asarray(y_predicted)
    if y_true.ndim != 1 or y_true.shape != y_predicted.shape or not len(y_true):
        raise ValueError(
            f"y_predicted: got shape {y_predicted.shape} beside y_true of shape {y_true.shape},"
            " wanted the same (n,) of at least one label"
        )
    return y_true, y_predicted


def _show_tiles(tiles, ax, *, empty, labels=None):
    """Draw images with values from 0 to 1 as one mosaic, with a gap (and room for a label) between them."""
    n, height, width, channels = tiles.shape
    columns = max(math.ceil(math.sqrt(n)), _LEAST_COLUMNS)
    rows = math.ceil(n / columns)
    gap = max(1, width // 8)
    above = max(2, height // 3) if labels else gap
    mosaic = np.full((rows * (height + above), columns * (width + gap), channels), empty)
    ax = _axes(ax)
    for i, tile in enumerate(tiles):
        top, left = (i // columns) * (height + above) + above, (i % columns) * (width + gap)
        mosaic[top : top + height, left : left + width] = tile
        if labels:
            ax.text(left + (width - 1) / 2, top - 0.7, labels[i], ha="center", va="bottom", fontsize=8)
    ax.imshow(mosaic[..., 0] if channels == 1 else mosaic, cmap="gray", vmin=0, vmax=1)
    ax.set_axis_off()
    return ax
