"""A bar on standard error for work that takes long, where one is wanted."""

import contextlib


@contextlib.contextmanager
def progress_bar(description, unit, total=None, *, shown=True):
    """Show how far some work is, inside a ``with`` block.

    Parameters
    ----------
    description : str
        What is done.
    unit : str
        What is counted, in the plural.
    total : int or None, default=None
        How many there are in all, where that is known.
    shown : bool or int, default=True
        Whether there is a bar at all, as an estimator's `verbose` says.

    Yields
    ------
    callable
        ``update(n)`` says that n more are done.

    Examples
    --------
    >>> from neurojit.core.progress import progress_bar
    >>> with progress_bar("adding", "numbers", 3, shown=False) as update:
    ...     for i in range(3):
    ...         update(1)
    """
    if not shown:
        yield _ignore
        return
    from tqdm import tqdm

    with tqdm(desc=description, unit=f" {unit}", total=total, unit_scale=True) as bar:
        yield bar.update


def _ignore(n):
    """Nobody looks."""
