"""Rows of numbers that print as a table."""

import dataclasses


class Table(list):
    """A list of dataclass instances of one kind, which prints as a table with a column for each field.

    Parameters
    ----------
    rows : iterable of dataclass instances
    total : dataclass instance or None, default=None
        A last line beneath the rows, no element of the list.

    Examples
    --------
    >>> import dataclasses
    >>> from neurojit.inspection import Table
    >>> @dataclasses.dataclass
    ... class Point:
    ...     name: str
    ...     x: int
    >>> print(Table([Point("a", 1), Point("b", 1000)]))
    name      x
    a         1
    b     1,000
    """

    def __init__(self, rows, total=None):
        super().__init__(rows)
        self.total = total

    def __repr__(self):
        return str(self)

    def __str__(self):
        rows = [*self, *([] if self.total is None else [self.total])]
        if not rows:
            return ""
        names = [field.name for field in dataclasses.fields(rows[0])]
        lines = [[name.replace("_", " ") for name in names]]
        lines += [[_shown(getattr(row, name)) for name in names] for row in rows]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells, widths):
    """The first cell to the left, the others to the right."""
    first, *others = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join([first.strip().ljust(widths[0]), *others]).rstrip()


def _shown(value):
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return " x ".join(_shown(part) for part in value)
    return f"{value:,}" if isinstance(value, int) else str(value)
