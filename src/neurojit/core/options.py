"""Choices that hold for the whole process: `set_options` changes them, `get_options` shows them."""

import dataclasses

__all__ = ["Options", "get_options", "set_options"]


@dataclasses.dataclass(frozen=True)
class Options:
    """What `set_options` can change.

    Parameters
    ----------
    winograd : bool, default=True
        Whether convolutions may use Winograd's algorithms, which are up to twice as fast and a little less exact.
    """

    winograd: bool = True


_options = Options()


def get_options() -> Options:
    """The options in force.

    Returns
    -------
    Options

    Examples
    --------
    >>> import neurojit as nj
    >>> nj.get_options()
    Options(winograd=True)
    """
    return _options


def set_options(*, winograd: bool | None = None) -> Options:
    """Change options for the whole process.

    Parameters
    ----------
    winograd : bool, optional
        Whether convolutions may use Winograd's algorithms; left as it is where not given.

    Returns
    -------
    Options
        Those that held before, so that ``set_options(**dataclasses.asdict(before))`` puts them back.

    Raises
    ------
    TypeError
        If an option is not a bool.

    Examples
    --------
    >>> import neurojit as nj
    >>> before = nj.set_options(winograd=False)
    >>> nj.get_options()
    Options(winograd=False)
    >>> _ = nj.set_options(winograd=before.winograd)
    """
    global _options
    before = _options
    if winograd is not None:
        if not isinstance(winograd, bool):
            raise TypeError(f"winograd: got {winograd!r}, wanted True or False")
        _options = dataclasses.replace(_options, winograd=winograd)
    return before
