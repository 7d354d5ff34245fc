"""Named arrays and plain-JSON settings in one safetensors file: no pickle, nothing is executed on reading.

The layout: every array is a tensor of the file; the file's metadata holds ``format`` ("neurojit"), ``format_version``
and ``settings``, a JSON object.
"""

import json
from pathlib import Path

import numpy as np

from neurojit.core.files import atomic_path

FORMAT = "neurojit"
FORMAT_VERSION = 1


def write_arrays(path, arrays, settings):
    """Write arrays and settings to one file, whole or not at all.

    Parameters
    ----------
    path : str or os.PathLike
    arrays : dict of str to numpy.ndarray
    settings : dict
        Values that JSON can hold: None, bool, int, float, str, lists, and dicts with string keys.

    Raises
    ------
    TypeError
        If `settings` holds something else.
    FileNotFoundError
        If the folder of `path` does not exist.
    """
    from safetensors.numpy import save_file

    try:
        text = json.dumps(settings)
    except TypeError as error:
        raise TypeError(f"settings: got a value that is not plain JSON ({error})") from error
    metadata = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "settings": text}
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    with atomic_path(path) as temporary:
        save_file(contiguous, temporary, metadata)


def read_arrays(path):
    """Read what `write_arrays` wrote.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    arrays : dict of str to numpy.ndarray
    settings : dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated, was not written by neurojit, or has a newer format than this version knows.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path: got {str(path)!r}, wanted a file that exists")
    try:
        with safe_open(path, framework="numpy") as file:
            settings = _settings(path, file.metadata() or {})
            return {name: file.get_tensor(name) for name in file.keys()}, settings  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"path: got {str(path)!r}, a truncated file or no safetensors file at all ({error}),"
            " wanted one written by neurojit"
        ) from error


def _settings(path, metadata):
    """The settings in a file's metadata, after the checks that it is one of ours and not of the future."""
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"path: got {str(path)!r}, a safetensors file of another program, wanted one written by neurojit"
        )
    version = metadata.get("format_version", "")
    if not version.isdecimal():
        raise ValueError(
            f"path: got {str(path)!r} with format version {version!r}, wanted a number: the file is damaged"
        )
    if int(version) > FORMAT_VERSION:
        raise ValueError(
            f"path: got {str(path)!r} with format version {version}, wanted at most {FORMAT_VERSION}:"
            " a newer neurojit wrote it, upgrade to read it"
        )
    try:
        settings = json.loads(metadata.get("settings", ""))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"path: got {str(path)!r} with settings that are no JSON ({error}): the file is damaged"
        ) from error
    if not isinstance(settings, dict):
        raise ValueError(f"path: got {str(path)!r} with settings that are no JSON object: the file is damaged")
    return settings
