"""What a fitted estimator is, as arrays and plain JSON values, and back."""

import inspect
import numbers

import numpy as np

from neurojit import __version__
from neurojit.core.cuda import on_host
from neurojit.core.random import Key
from neurojit.layers import Layer, from_config
from neurojit.training import History


def to_state(estimator):
    """A fitted estimator as a nested dict of arrays and plain JSON values."""
    network = estimator.network_
    return {
        "estimator": type(estimator).__name__,
        "neurojit": __version__,
        "params": {name: _plain(estimator, name, value) for name, value in estimator.get_params(deep=False).items()},
        "network": network.config(),
        "frozen": [name for name, parameter in network.named_parameters().items() if not parameter.trainable],
        "dtype": estimator._dtype.name,
        "input_shape": [int(size) for size in estimator.input_shape_],
        "n_features": int(estimator.n_features_in_) if hasattr(estimator, "n_features_in_") else None,
        "feature_names": estimator.feature_names_in_.tolist() if hasattr(estimator, "feature_names_in_") else None,
        "loss_curve": estimator.loss_curve_,
        "history": {"records": estimator.history_.records, "stopped": estimator.history_.stopped},
        "weights": on_host(network.state()),
    }


def restore(estimator, state, custom_layers):
    """Give an unfitted estimator all that `to_state` saved."""
    estimator.set_params(**_options(type(estimator), state["params"], custom_layers))
    estimator.input_shape_ = tuple(state["input_shape"])
    if state["n_features"] is not None:
        estimator.n_features_in_ = state["n_features"]
    if state["feature_names"] is not None:
        estimator.feature_names_in_ = np.array(state["feature_names"], dtype=object)
    estimator.loss_curve_ = state["loss_curve"]
    estimator.n_iter_ = len(estimator.loss_curve_)
    estimator.history_ = History(**state["history"])
    estimator._key = Key.from_random_state(estimator.random_state)
    estimator._set_network(_network(state, custom_layers))


def losses(estimator):
    """What `to_state` cannot hold of an estimator's options, a sentence each."""
    found = []
    for name, value in estimator.get_params(deep=False).items():
        if name == "network" and isinstance(value, Layer):
            if value.built:
                found.append("network: got a layer with weights, a file keeps the layer without them")
        elif name == "network" and value is not None:
            found.append("network: got a function, a file keeps the layer it made")
        elif name in ("callbacks", "random_state") and not (value is None or isinstance(value, numbers.Integral)):
            found.append(f"{name}: got {type(value).__name__}, a file keeps None")
    return found


def _plain(estimator, name, value):
    """An option as JSON, or what stands for it."""
    if name == "network" and value is not None:
        return (value if isinstance(value, Layer) else estimator.network_).config()
    if name == "input_shape" and value is not None:
        return [int(size) for size in value]
    if name == "class_weight" and isinstance(value, dict):
        return [[_plain(estimator, "label", label), float(weight)] for label, weight in value.items()]
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | numbers.Number) else None


def _options(kind, params, custom_layers):
    """The constructor's arguments from the JSON that `_plain` made of them."""
    unknown = params.keys() - inspect.signature(kind).parameters.keys()
    if unknown:
        raise ValueError(f"params: got unknown options {sorted(unknown)} of {kind.__name__}")
    params = dict(params)
    if params["network"] is not None:
        params["network"] = from_config(params["network"], custom_layers)
    if params.get("input_shape") is not None:
        params["input_shape"] = tuple(params["input_shape"])
    if isinstance(params.get("class_weight"), list):
        params["class_weight"] = dict(params["class_weight"])
    return params


def _network(state, custom_layers):
    network = from_config(state["network"], custom_layers)
    network.make(tuple(state["input_shape"]), 0, np.dtype(state["dtype"]))
    network.load_state(state["weights"])
    parameters = network.named_parameters()
    for name in state["frozen"]:
        parameters[name].trainable = False
    return network
