"""A training's state in one safetensors file: arrays as tensors, all else as JSON in the header. No pickle."""

import json

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from neurojit.core.files import atomic_path

FORMAT = "neurojit.checkpoint"
VERSION = 1
_SEPARATOR = "/"


def write_state(path, state):
    """Write a nested dict of arrays and plain JSON values, whole or not at all.

    Parameters
    ----------
    path : str or os.PathLike
        Where the file is wanted; its folder must exist.
    state : dict
        Keys are strings without "/".
    """
    arrays = {}
    plain = _without_arrays(state, "", arrays)
    metadata = {"format": FORMAT, "version": str(VERSION), "state": json.dumps(plain)}
    with atomic_path(path) as temporary:
        save_file(arrays, temporary, metadata)


def read_state(path):
    """Read what `write_state` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, of another kind, or of a newer version.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise ValueError(f"path: got {str(path)!r} of kind {metadata.get('format')!r}, wanted {FORMAT!r}")
            if int(metadata["version"]) > VERSION:
                raise ValueError(
                    f"path: got {str(path)!r} of version {metadata['version']}, wanted at most {VERSION};"
                    " upgrade neurojit"
                )
            state = json.loads(metadata["state"])
            for name in file.keys():  # noqa: SIM118 - a safetensors file is no mapping
                _insert(state, name.split(_SEPARATOR), file.get_tensor(name))
    except SafetensorError as error:
        raise ValueError(
            f"path: got {str(path)!r}, a damaged or foreign file ({error}), wanted a checkpoint"
        ) from error
    return state


def _without_arrays(node, path, arrays):
    """The nested dict without its arrays, which go to `arrays` by joined keys."""
    plain = {}
    for key, value in node.items():
        if isinstance(value, dict):
            plain[key] = _without_arrays(value, f"{path}{key}{_SEPARATOR}", arrays)
        elif isinstance(value, np.ndarray):
            arrays[path + key] = np.asarray(value, order="C")
        else:
            plain[key] = value
    return plain


def _insert(node, keys, array):
    for key in keys[:-1]:
        node = node.setdefault(key, {})
    node[keys[-1]] = array
