"""Estimators in files: what a fitted one is, as arrays and plain JSON, and back."""

import inspect
import numbers
import warnings

import numpy as np
from sklearn.utils.validation import check_is_fitted

import neurojit
from neurojit.core.random import Key
from neurojit.io import read_arrays, write_arrays
from neurojit.layers import Layer, from_config
from neurojit.training import History

# Fitted attributes that are arrays and not the network's.
_ARRAYS = ("target_mean_", "target_scale_")


def write_estimator(estimator, path):
    """Write a fitted estimator to a file; see `ConvNet.save`."""
    check_is_fitted(estimator)
    arrays = {f"network.{name}": array for name, array in estimator.network_.state().items()}
    arrays |= {name: np.asarray(getattr(estimator, name)) for name in _ARRAYS if hasattr(estimator, name)}
    settings = {
        "estimator": type(estimator).__name__,
        "neurojit": neurojit.__version__,
        "params": {name: _plain(estimator, name, value) for name, value in estimator.get_params(deep=False).items()},
        "network": estimator.network_.config(),
        "frozen": [
            name for name, parameter in estimator.network_.named_parameters().items() if not parameter.trainable
        ],
        "dtype": estimator._dtype.name,
        "input_shape": [int(size) for size in estimator.input_shape_],
        "n_features": int(estimator.n_features_in_),
        "feature_names": estimator.feature_names_in_.tolist() if hasattr(estimator, "feature_names_in_") else None,
        "classes": _labels(estimator.classes_) if hasattr(estimator, "classes_") else None,
        "loss_curve": estimator.loss_curve_,
        "history": {"records": estimator.history_.records, "stopped": estimator.history_.stopped},
    }
    write_arrays(path, arrays, settings)


def _plain(estimator, name, value):
    """An option as JSON, or what stands for it, with a warning."""
    if isinstance(value, np.generic):
        return value.item()
    if name == "input_shape" and value is not None:
        return [int(size) for size in value]
    if name == "class_weight" and isinstance(value, dict):
        return [[_plain(estimator, "label", label), float(weight)] for label, weight in value.items()]
    if name == "network" and isinstance(value, Layer):
        if value.built:
            _warn("network", "a built layer", "the same layer without weights")
        return value.config()
    if value is None or isinstance(value, str | numbers.Number):
        return value
    if name == "network":
        _warn("network", "a function", "the layer it made")
        return estimator.network_.config()
    _warn(name, type(value).__name__, "None")
    return None


def _warn(name, got, kept):
    warnings.warn(f"{name}: got {got}, which a file cannot hold; it keeps {kept}", UserWarning, stacklevel=6)


def _labels(classes):
    return {"dtype": "object" if classes.dtype == object else classes.dtype.str, "values": classes.tolist()}


def load(path, *, custom_layers=None):
    """Load an estimator that was saved with its ``save`` method.

    Nothing in the file is executed.

    Parameters
    ----------
    path : str or os.PathLike
    custom_layers : list of type or None, default=None
        Classes of layers that are not neurojit's own and occur in the network.

    Returns
    -------
    ConvNetClassifier or ConvNetRegressor
        Fitted, with the options it was saved with.

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
    arrays, settings = read_arrays(path)
    kind = settings.get("estimator")
    kinds = _kinds()
    if kind not in kinds:
        raise ValueError(f"path: got {str(path)!r} with {kind!r}, wanted one of {sorted(kinds)}")
    try:
        return _restore(kinds[kind], arrays, settings, custom_layers)
    except KeyError as error:
        raise ValueError(f"path: got {str(path)!r} without {error}, wanted a whole file: it is damaged") from error


def _kinds():
    """The estimators a file may hold, by name."""
    from neurojit.estimators import convnet

    return {kind.__name__: kind for kind in (convnet.ConvNetClassifier, convnet.ConvNetRegressor)}


def _restore(kind, arrays, settings, custom_layers):
    estimator = kind(**_options(kind, settings["params"], custom_layers))
    estimator.input_shape_ = tuple(settings["input_shape"])
    estimator.n_features_in_ = settings["n_features"]
    if settings["feature_names"] is not None:
        estimator.feature_names_in_ = np.array(settings["feature_names"], dtype=object)
    if settings["classes"] is not None:
        estimator.classes_ = np.array(settings["classes"]["values"], dtype=settings["classes"]["dtype"])
    for name in _ARRAYS:
        if name in arrays:
            setattr(estimator, name, arrays[name])
    estimator.loss_curve_ = settings["loss_curve"]
    estimator.n_iter_ = len(estimator.loss_curve_)
    estimator.history_ = History(**settings["history"])
    estimator._key = Key.from_random_state(estimator.random_state)
    estimator._set_network(_network(arrays, settings, custom_layers))
    return estimator


def _options(kind, params, custom_layers):
    """The constructor's arguments from the JSON that `_plain` made of them."""
    unknown = params.keys() - inspect.signature(kind).parameters.keys()
    if unknown:
        raise ValueError(f"params: got unknown options {sorted(unknown)} of {kind.__name__}")
    params = dict(params)
    if params.get("network") is not None:
        params["network"] = from_config(params["network"], custom_layers)
    if params.get("input_shape") is not None:
        params["input_shape"] = tuple(params["input_shape"])
    if isinstance(params.get("class_weight"), list):
        params["class_weight"] = dict(params["class_weight"])
    return params


def _network(arrays, settings, custom_layers):
    network = from_config(settings["network"], custom_layers)
    network.make(tuple(settings["input_shape"]), 0, np.dtype(settings["dtype"]))
    prefix = "network."
    network.load_state({name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)})
    parameters = network.named_parameters()
    for name in settings["frozen"]:
        parameters[name].trainable = False
    return network
