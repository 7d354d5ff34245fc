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
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    images = (x / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    x_train, x_test, y_train, y_test = train_test_split(images, y, test_size=0.2, stratify=y, random_state=0)
    return x_train, y_train, x_test, y_test
