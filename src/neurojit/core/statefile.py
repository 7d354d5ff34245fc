"""Nested dicts of arrays and plain values in one safetensors file: no pickle, nothing is executed on reading.

Every array is a tensor of the file, named by its keys joined with "/"; everything else is JSON in the file's metadata,
beside ``format`` (what kind of thing the file holds) and ``version``.
"""

import json
from pathlib import Path

import numpy as np

from neurojit.core.files import atomic_path

VERSION = 1
_SEPARATOR = "/"


def write_state(path, state, kind):
    """Write a nested dict to a file, whole or not at all.

    Parameters
    ----------
    path : str or os.PathLike
        Where the file is wanted; its folder must exist.
    state : dict
        Keys are strings without "/", values dicts, arrays, or what JSON can hold: None, bool, int, float, str, lists.
    kind : str
        What the file holds, such as "neurojit.checkpoint"; the same is asked for on reading.

    Raises
    ------
    TypeError
        If there is a value that is neither an array nor JSON.
    FileNotFoundError
        If the folder of `path` does not exist.
    OSError
        If the file cannot be written, because the disk is full or the folder is not ours; an older file stays.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    arrays = {}
    plain = _without_arrays(state, "", arrays)
    try:
        text = json.dumps(plain)
    except TypeError as error:
        raise TypeError(
            f"state: got a value that a file cannot hold ({error}), wanted arrays and plain JSON"
        ) from error
    with atomic_path(path) as temporary:
        try:
            save_file(arrays, temporary, {"format": kind, "version": str(VERSION), "state": text})
        except SafetensorError as error:  # the arrays are right: what fails is the writing
            raise OSError(str(error)) from error


def read_state(path, kind):
    """Read what `write_state` wrote.

    Parameters
    ----------
    path : str or os.PathLike
    kind : str
        What the file has to hold.

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is truncated, of another kind or program, or of a newer version.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path: got {str(path)!r}, wanted a file that exists")
    try:
        with safe_open(path, framework="numpy") as file:
            state = _plain(path, file.metadata() or {}, kind)
            for name in file.keys():  # noqa: SIM118 - a safetensors file is no mapping
                _insert(state, name.split(_SEPARATOR), file.get_tensor(name))
    except SafetensorError as error:
        raise ValueError(f"path: got {str(path)!r}, truncated or no {kind} file at all ({error})") from error
    return state


def _plain(path, metadata, kind):
    """All but the arrays, after the checks that the file is of the kind and not of the future."""
    if metadata.get("format") != kind:
        found = metadata.get("format")
        other = f"of kind {found!r}" if str(found).startswith("neurojit") else "of another program"
        raise ValueError(f"path: got {str(path)!r}, a safetensors file {other}, wanted one of kind {kind!r}")
    version = metadata.get("version", "")
    if not version.isdecimal():
        raise ValueError(f"path: got {str(path)!r} of version {version!r}, wanted a number: the file is damaged")
    if int(version) > VERSION:
        raise ValueError(
            f"path: got {str(path)!r} of version {version}, wanted at most {VERSION}:"
            " a newer neurojit wrote it, upgrade to read it"
        )
    try:
        state = json.loads(metadata.get("state", ""))
    except json.JSONDecodeError as error:
        raise ValueError(f"path: got {str(path)!r} with settings that are no JSON ({error}): it is damaged") from error
    if not isinstance(state, dict):
        raise ValueError(f"path: got {str(path)!r} with settings that are no JSON object: it is damaged")
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
