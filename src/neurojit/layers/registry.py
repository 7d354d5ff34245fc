"""Layers from their descriptions."""

import inspect

from neurojit.layers.base import Layer


def from_config(config, custom_layers=None):
    """Make a layer from what its `config` gave: plain values, as a JSON file holds them.

    Parameters
    ----------
    config : dict
        ``{"layer": name, **hyperparameters}``; combinators hold the descriptions of theirs under ``"layers"``.
    custom_layers : dict of str to type, optional
        Layers of your own by name; these names come first.

    Returns
    -------
    Layer
        Not built: parameters are made on first use or copied in with `load_state` after `make`.

    Raises
    ------
    TypeError
        If a description is no dict.
    ValueError
        If a name or a hyperparameter is unknown, or one is missing.

    Examples
    --------
    >>> from neurojit.layers import Dense, ReLU, Sequential, from_config
    >>> from_config(Sequential(Dense(8), ReLU()).config())
    Sequential(
      Dense(8),
      ReLU(),
    )
    """
    known = _public_layers() | (custom_layers or {})
    return _make(config, known, "config")


def _public_layers():
    from neurojit import layers

    return {name: getattr(layers, name) for name in layers.__all__ if _is_layer(getattr(layers, name))}


def _is_layer(value):
    return isinstance(value, type) and issubclass(value, Layer) and value is not Layer


def _make(config, known, path):
    """The layer at `path` of a nested description."""
    if not isinstance(config, dict):
        raise TypeError(f"{path}: got {type(config).__name__}, wanted a dict that describes a layer")
    name = config.get("layer")
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"{path}: got layer {name!r}, wanted one of {sorted(known)} (or put yours in custom_layers)")
    values = {key: value for key, value in config.items() if key != "layer"}
    _check_names(values, known[name], path)
    inner = values.pop("layers", [])
    if not isinstance(inner, list | tuple):
        raise TypeError(f"{path}.layers: got {type(inner).__name__}, wanted a list of descriptions")
    parts = [_make(part, known, f"{path}.layers[{i}]") for i, part in enumerate(inner)]
    options = {
        key: _make(value, known, f"{path}.{key}") if isinstance(value, dict) and "layer" in value else value
        for key, value in values.items()
    }
    return known[name](*parts, **options)


def _check_names(values, layer, path):
    """Raise ValueError unless `values` are arguments the layer takes, and all it cannot do without."""
    parameters = list(inspect.signature(layer).parameters.values())
    names = {p.name for p in parameters}
    needed = {p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL}
    if values.keys() - names or needed - values.keys():
        raise ValueError(
            f"{path}: got {sorted(values)} for {layer.__name__}, wanted {sorted(needed)} and at most {sorted(names)}"
        )
