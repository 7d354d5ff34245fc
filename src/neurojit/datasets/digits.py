"""The handwritten digits that come with scikit-learn."""

import numpy as np


def digits():
    """The 1797 handwritten digits of 8x8 pixels bundled with scikit-learn, split into training and test images.

    The split is fixed: a fifth of each class, drawn at random once, is for testing.

    Returns
    -------
    x_train : numpy.ndarray, shape (1437, 8, 8, 1), float32
        Grey values from 0 to 1.
    y_train : numpy.ndarray, shape (1437,), int64
        Digits 0 to 9.
    x_test : numpy.ndarray, shape (360, 8, 8, 1), float32
    y_test : numpy.ndarray, shape (360,), int64

    Examples
    --------
    >>> from neurojit.datasets import digits
    >>> x_train, y_train, x_test, y_test = digits()
    >>> x_train.shape, x_test.shape
    ((1437, 8, 8, 1), (360, 8, 8, 1))
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    images = (x / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    order = np.random.default_rng(0).permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]  # by class, at random within each
    is_test = np.zeros(len(y), dtype=bool)
    is_test[order[::5]] = True
    return images[~is_test], y[~is_test], images[is_test], y[is_test]
