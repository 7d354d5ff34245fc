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
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
