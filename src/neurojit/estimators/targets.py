"""What an estimator accepts as y and as weights: class labels as numbers, values standardised, weights of mean one."""

import numbers
import warnings

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_array

from neurojit.estimators.inputs import naming


def check_length(name, array, X):
    """Raise ValueError unless `array` has one entry for each sample."""
    if len(array) != len(X):
        raise ValueError(f"{name}: got {len(array)} values, wanted {len(X)}, one for each sample of X")


def check_given(y):
    """Raise ValueError if y is None."""
    if y is None:
        raise ValueError("y: got None; fit requires y to be passed, but the target y is None")


def check_labels(y, X):
    """Class labels as a 1-D array of ints, strings, or floats that are whole numbers."""
    check_given(y)
    with naming("y"):
        kind = type_of_target(y, input_name="y", raise_unknown=True)
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of y to"
            " (n_samples,), for example using ravel().",
            DataConversionWarning,
            stacklevel=4,
        )
        y = y[:, 0]
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"y: got {kind} values of shape {y.shape} and dtype {y.dtype}, wanted one class label a sample"
            f" (integers, strings or booleans). Unknown label type: {kind}"
        )
    check_length("y", y, X)
    return y


def find_classes(y, sample_weight=None):
    """The distinct labels in order, after the check that there is something to tell apart."""
    with naming("y"):
        classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(f"y: got one class only, {classes[0]!r}, wanted at least two classes")
    if sample_weight is not None and len(np.unique(y[sample_weight > 0])) < 2:
        raise ValueError(
            "sample_weight: got weights that leave one class only, wanted weights > 0 in two classes or more"
        )
    return classes


def given_classes(classes, known):
    """The labels of a `partial_fit`: those given, which must agree with those of earlier calls, or the known ones."""
    if classes is None:
        if known is None:
            raise ValueError("classes: got None, wanted all labels in the first call to partial_fit")
        return known
    with naming("classes"):
        classes = np.unique(np.asarray(classes))
    if len(classes) < 2:
        raise ValueError(f"classes: got {classes.tolist()}, wanted at least two")
    if known is not None and not np.array_equal(classes, known):
        raise ValueError(f"classes: got {classes.tolist()}, wanted {known.tolist()} as in the first call")
    return classes


def encode_labels(y, classes):
    """Labels as positions in the sorted `classes`, int64.

    Raises
    ------
    ValueError
        If a label is not among them.
    """
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y: got labels {unknown.tolist()} that are not among the classes seen, wanted {classes.tolist()}"
        )
    return np.searchsorted(classes, y).astype(np.int64)


def check_values(y, X):
    """Values to predict as a finite float64 array of shape (n,) or (n, n_outputs)."""
    check_given(y)
    y = np.asarray(y)
    if y.ndim not in (1, 2):
        raise ValueError(f"y: got {y.ndim} axes, shape {y.shape}, wanted (n,) or (n, n_outputs)")
    with naming("y"):
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    check_length("y", y, X)
    return y


def check_weights(sample_weight, X):
    """Weights of samples as a float64 array, or None."""
    if sample_weight is None:
        return None
    with naming("sample_weight"):
        weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.ndim != 1:
        raise ValueError(f"sample_weight: got shape {weight.shape}, wanted ({len(X)},)")
    check_length("sample_weight", weight, X)
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("sample_weight: got negative, NaN or infinite weights, wanted finite ones >= 0")
    if not weight.any():
        raise ValueError("sample_weight: all weights are zero, wanted at least one above zero")
    return weight


def class_weights(class_weight, classes, codes, sample_weight):
    """One weight for each class.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        A dict from labels to weights (labels left out count 1); "balanced" gives each class the same total,
        ``total / (n_classes * total of the class)``.
    classes : numpy.ndarray, shape (n_classes,)
    codes : numpy.ndarray of int, shape (n,)
    sample_weight : numpy.ndarray or None

    Returns
    -------
    numpy.ndarray, shape (n_classes,), or None
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str) and class_weight == "balanced":
        totals = np.bincount(codes, weights=sample_weight, minlength=len(classes))
        return totals.sum() / (len(classes) * np.where(totals > 0, totals, np.inf))
    if not isinstance(class_weight, dict):
        error = ValueError if isinstance(class_weight, str) else TypeError
        raise error(f"class_weight: got {class_weight!r}, wanted None, 'balanced' or a dict from labels to weights")
    labels = classes.tolist()
    for label, weight in class_weight.items():
        if label not in labels:
            raise ValueError(f"class_weight: got the label {label!r}, wanted labels among {labels}")
        if not isinstance(weight, numbers.Real) or not 0 <= weight < np.inf:
            raise ValueError(f"class_weight: got the weight {weight!r} for {label!r}, wanted a finite number >= 0")
    return np.array([class_weight.get(label, 1.0) for label in labels], dtype=np.float64)


def mean_and_scale(y, sample_weight):
    """Weighted mean and standard deviation of each output; a constant output has scale 1."""
    mean = np.average(y, axis=0, weights=sample_weight)
    scale = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=sample_weight))
    constant = scale <= np.finfo(np.float64).eps * np.abs(mean)
    return np.asarray(mean), np.where(constant, 1.0, scale)
