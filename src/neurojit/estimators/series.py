"""What an estimator accepts as series: one array (n_steps, n_features), or a list of such arrays of any lengths."""

import numpy as np
from sklearn.utils.validation import check_array, validate_data

from neurojit.estimators.inputs import naming
from neurojit.estimators.targets import check_given

_ROWS = 1 << 16  # looked at a time, so that a memory map is not read whole


def is_list_of_series(X):
    """Whether X holds several series: a list of 2-D arrays, or one array of three axes."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and np.ndim(X[0]) >= 2
    return isinstance(X, np.ndarray) and (X.ndim == 3 or (X.dtype == object and X.ndim == 1 and np.ndim(X[0]) >= 2))


def check_series(estimator, X, *, reset, name="X"):
    """A list of finite arrays (n_steps, n_features), and whether X was a list.

    With ``reset`` the estimator learns its `n_features_in_`; without, widths are compared with it. Arrays are taken as
    they are: a memory map is looked through and not copied.

    Raises
    ------
    ValueError
        If a series is no matrix of finite real numbers, or has another number of features; the message names the
        series and the first row that is wrong.
    """
    many = is_list_of_series(X)
    if many:
        series = [check_matrix(x, f"{name}[{i}]") for i, x in enumerate(X)]
        if reset:
            validate_data(estimator, X, reset=True, skip_check_array=True)  # forgets column names
            estimator.n_features_in_ = series[0].shape[1]
        for i, x in enumerate(series):
            if x.shape[1] != estimator.n_features_in_:
                raise ValueError(
                    f"{name}: got {x.shape[1]} features in series {i}, wanted {estimator.n_features_in_} as in"
                    + (" series 0" if reset else " fit")
                )
    else:
        with naming(name):
            series = [validate_data(estimator, X, reset=reset, ensure_all_finite=False, dtype="numeric")]
    for i, x in enumerate(series):
        if x.dtype.kind not in "fiub":
            raise TypeError(f"{name}: got dtype {x.dtype}, wanted real numbers")
        check_finite(x, f"{name}[{i}]" if many else name)
    return series, many


def check_samples(estimator, X, *, reset):
    """One series a sample: a list of series, or the rows of a matrix as series of one feature."""
    series, many = check_series(estimator, X, reset=reset)
    return series if many else [row[:, None] for row in series[0]]


def check_targets(y, series, many):
    """Targets as a list of float64 arrays (n_steps, n_outputs), one for each series, and whether they had two axes."""
    check_given(y)
    values = list(y) if many else [y]
    if len(values) != len(series):
        raise ValueError(f"y: got {len(values)} series, wanted {len(series)}, one for each of X")
    checked = []
    for i, (one, x) in enumerate(zip(values, series, strict=True)):
        name = f"y[{i}]" if many else "y"
        with naming(name):
            one = check_array(one, ensure_2d=False, dtype=np.float64, ensure_all_finite=False, input_name="y")
        if one.ndim not in (1, 2):
            raise ValueError(f"{name}: got {one.ndim} axes, shape {one.shape}, wanted (n_steps,) or (n_steps, outputs)")
        if len(one) != len(x):
            raise ValueError(f"{name}: got {len(one)} values, wanted {len(x)}, one for each step of X")
        check_finite(one, name)
        checked.append(one)
    ranks = {one.ndim for one in checked}
    widths = {one.shape[1:] for one in checked}
    if len(ranks) > 1 or len(widths) > 1:
        raise ValueError(f"y: got outputs of shapes {sorted(widths)}, wanted as many in each series")
    return [one.reshape(len(one), -1) for one in checked], ranks == {2}


def check_finite(x, name):
    """Raise ValueError that names the first row with a NaN or an infinity."""
    if x.dtype.kind != "f":
        return
    for start in range(0, len(x), _ROWS):
        rows = x[start : start + _ROWS]
        if not np.isfinite(rows.sum()):  # sums are quick, and finite unless a number or their total is not
            wrong = np.flatnonzero(~np.isfinite(rows.reshape(len(rows), -1)).all(axis=1))
            if len(wrong):
                what = "NaN" if np.isnan(rows[wrong[0]]).any() else "inf"
                raise ValueError(
                    f"{name}: got {what} in row {start + wrong[0]}, wanted finite numbers (no NaN, no inf)"
                )


def check_matrix(x, name):
    """One series as an array of real numbers with two axes and at least one row; finite or not."""
    with naming(name):
        return check_array(x, ensure_all_finite=False, ensure_min_samples=1, dtype="numeric", input_name=name)
