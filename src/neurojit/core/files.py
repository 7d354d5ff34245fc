"""Writing files so that a reader sees the old one or the new one, never half of it."""

import contextlib
import os
from pathlib import Path


@contextlib.contextmanager
def atomic_path(path):
    """A temporary file beside `path` that takes its place when the ``with`` block ends well.

    The temporary file is flushed to the disk and renamed over `path` in one step; when the block raises, it is
    deleted and whatever stood at `path` is untouched.

    Parameters
    ----------
    path : str or os.PathLike
        Where the file is wanted; its folder must exist.

    Yields
    ------
    pathlib.Path
        The temporary file, empty, to be written by name.

    Raises
    ------
    FileNotFoundError
        If the folder of `path` does not exist.
    IsADirectoryError
        If `path` is a folder.
    OSError
        If the file cannot be written, because the disk is full or the folder is not ours; the message names `path`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from neurojit.core.files import atomic_path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "note.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "note.txt").read_text()
    'whole'
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path: got {str(path)!r}, wanted a file in a folder that exists")
    if path.is_dir():
        raise IsADirectoryError(f"path: got {str(path)!r}, a folder, wanted a file")
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    with named_errors(path), _temporary_file(temporary):
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)


@contextlib.contextmanager
def _temporary_file(path):
    """An empty file that is gone when the ``with`` block raises."""
    path.touch(exist_ok=False)
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def named_errors(path):
    """Errors of the operating system on writing say which file it was about, and what is to be done.

    Parameters
    ----------
    path : str or os.PathLike

    Examples
    --------
    >>> from neurojit.core.files import named_errors
    >>> with named_errors("model.safetensors"):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    OSError: path: got 'model.safetensors', which cannot be written (No space left on device), wanted a place with...
    """
    try:
        yield
    except OSError as error:
        raise type(error)(
            f"path: got {str(path)!r}, which cannot be written ({error.strerror or error}),"
            " wanted a place with room and leave to write; what stood there is as it was"
        ) from error
