"""Training and test data from a NumPy archive."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

_NAMES = ("x_train", "y_train", "x_test", "y_test")


def load_npz(path):
    """Training and test arrays from an ``.npz`` file.

    Parameters
    ----------
    path : str or os.PathLike
        An archive made by `numpy.savez` with the arrays x_train, y_train, x_test and y_test, as the common MNIST file
        has them.

    Returns
    -------
    x_train : numpy.ndarray
    y_train : numpy.ndarray
    x_test : numpy.ndarray
    y_test : numpy.ndarray

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such an archive, is damaged, lacks an array, or the test arrays do not go with each other or with
        the training arrays. Nothing in the file is ever unpickled.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from neurojit.datasets import load_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/data.npz", x_train=np.eye(4), y_train=[0, 1, 0, 1], x_test=np.eye(4)[:1], y_test=[0])
    ...     x_train, y_train, x_test, y_test = load_npz(f"{folder}/data.npz")
    >>> x_train.shape, y_test
    ((4, 4), array([0]))
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path: got {str(path)!r}, wanted an .npz file that exists")
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in _NAMES if name not in archive]
            if missing:
                raise ValueError(f"lacks {', '.join(missing)}")
            x_train, y_train, x_test, y_test = (archive[name] for name in _NAMES)
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"path: got {str(path)!r} ({error}), wanted an .npz file with {', '.join(_NAMES)}") from error
    if x_test.shape[1:] != x_train.shape[1:]:
        raise ValueError(f"x_test: got shape {x_test.shape}, wanted samples of shape {x_train.shape[1:]} as in x_train")
    if y_test.shape != x_test.shape[:1]:
        raise ValueError(f"y_test: got shape {y_test.shape}, wanted {x_test.shape[:1]}, one label for each of x_test")
    return x_train, y_train, x_test, y_test
