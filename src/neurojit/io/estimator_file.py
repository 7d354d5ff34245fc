"""Fitted estimators from safetensors files."""

import importlib

from neurojit.core.statefile import read_state

ESTIMATOR = "neurojit.estimator"  # the kind of file


def load(path, *, custom_layers=None):
    """Load an estimator that was saved with its ``save`` method.

    Nothing in the file is executed.

    Parameters
    ----------
    path : str or os.PathLike
    custom_layers : dict of str to type or None, default=None
        Classes of layers in the network that are not neurojit's own, by name.

    Returns
    -------
    estimator
        Fitted, of the class and with the options it was saved with; its predictions are the same to the bit.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated, foreign, written by a newer version, or holds layers that are not known.

    Examples
    --------
    >>> import tempfile, numpy as np, neurojit as nj
    >>> model = nj.ConvNetRegressor(max_epochs=1).fit(np.eye(8), np.arange(8))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.safetensors")
    ...     same = nj.load(f"{folder}/model.safetensors")
    >>> bool((same.predict(np.eye(8)) == model.predict(np.eye(8))).all())
    True
    """
    state = read_state(path, ESTIMATOR)
    estimator = _public_class(state.get("estimator"))
    if not hasattr(estimator, "from_state"):
        raise ValueError(f"path: got {str(path)!r} with a {state.get('estimator')!r}, wanted an estimator of neurojit")
    try:
        return estimator.from_state(state, custom_layers)
    except KeyError as error:
        raise ValueError(f"path: got {str(path)!r} without {error}, wanted a whole file: it is damaged") from error


def _public_class(name):
    """The estimator of a name among the package's public ones: they stand above this module, so it asks at run time."""
    package = importlib.import_module("neurojit")
    return getattr(package, name) if name in package.__all__ else None
