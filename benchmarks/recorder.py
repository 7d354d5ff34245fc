"""What benchmarks measure: rows that are shown as they come, and become one table, a JSON file and a picture."""

import dataclasses
import datetime as dt
import json
import math
import sys

from benchmarks import harness
from neurojit.core.files import atomic_path


@dataclasses.dataclass(frozen=True)
class Row:
    """One thing measured.

    Parameters
    ----------
    family, what : str
    ours : float or None
        In `unit`; None in a row of means.
    peer : float or None
        The same for the best of the peers.
    unit : str
    ratio : float or None
        How many times better than the peer's our figure is.
    floor : float or None
        Share of what the machine could do at best: the time it cannot do without over ours, or our rate over its own.
    """

    family: str
    what: str
    ours: float | None = None
    peer: float | None = None
    unit: str = ""
    ratio: float | None = None
    floor: float | None = None


_COLUMNS = ("family", "what", "ours", "peer", "ratio", "floor")


class Recorder:
    """Collects the rows of all families.

    Parameters
    ----------
    file : file-like or None, default=None
        Where rows are shown as they come; None is standard error.
    """

    def __init__(self, file=None):
        self.rows = []
        self.notes = []
        self.seconds = {}
        self._file = file
        self._family = ""

    def begin(self, family):
        """What comes from now on belongs to this family."""
        self._family = family

    def times(self, what, seconds, floor=None):
        """Record what `harness.interleave` found: "ours", and the best of the others if there are any.

        Parameters
        ----------
        what : str
        seconds : dict of str to float
        floor : float or None, default=None
            The share of the floor.
        """
        peers = [value for name, value in seconds.items() if name != "ours"]
        return self.add(what, 1e3 * seconds["ours"], "ms", 1e3 * min(peers) if peers else None, floor=floor)

    def rate(self, what, seconds, amount, unit, most=None):
        """Record the same as what was done in a second.

        Parameters
        ----------
        what : str
        seconds : dict of str to float
            As for `times`.
        amount : float
            What is done in that time, in a unit that counts it.
        unit : str
            For example "images/s".
        most : float or None, default=None
            What the machine could do in a second.
        """
        rates = {name: amount / value for name, value in seconds.items()}
        ours, peers = rates.pop("ours"), rates.values()
        floor = None if most is None else ours / most
        return self.add(what, ours, unit, max(peers, default=None), more_is_better=True, floor=floor)

    def add(self, what, ours, unit, peer=None, *, more_is_better=False, floor=None):
        """Record a figure in a unit, and the peer's, of which less is better, or more; returns the row."""
        ratio = None if peer is None else ours / peer if more_is_better else peer / ours
        row = Row(self._family, what, float(ours), _float(peer), unit, _float(ratio), _float(floor))
        self._append(row)
        return row

    def means(self, ratios):
        """Record geometric means of ratios to the peer, from what to ratios of several rows."""
        for what, values in ratios.items():
            self._append(Row(self._family, f"geometric mean, {what}", ratio=harness.geometric_mean(values)))

    def note(self, text):
        """Record a line on the family that is no figure beside a peer's."""
        self.notes.append((self._family, text))
        self._show(f"{self._family}: {text}")

    def _append(self, row):
        self.rows.append(row)
        self._show("  ".join(cell for cell in _cells(row) if cell != "-"))

    def _show(self, line):
        print(line, file=self._file or sys.stderr, flush=True)

    # -- what becomes of them -----------------------------------------------------------------------------------------

    def table(self):
        """All rows as one table, and the notes beneath it."""
        lines = [_COLUMNS, *map(_cells, self.rows)]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        shown = [_line(cells, widths) for cells in lines]
        return "\n".join([*shown, *(f"{family}: {text}" for family, text in self.notes)])

    def write_json(self, path):
        """Write everything with the date, the versions and the machine's vector registers, but not its name."""
        content = {
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "machine": harness.facts(),
            "seconds": self.seconds,
            "rows": [dataclasses.asdict(row) for row in self.rows],
            "notes": [{"family": family, "text": text} for family, text in self.notes],
        }
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def write_plot(self, path):
        """Draw `ratios` to a PNG file."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8.0, 1.2 + 0.4 * len(_compared(self.rows))), layout="constrained")
        ratios(self.rows, figure.subplots())
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png", dpi=120)


def ratios(rows, ax):
    """Draw how many times better than the peer's our figures are: a dot for each row, a bar for a family's mean.

    Parameters
    ----------
    rows : list of Row
    ax : matplotlib.axes.Axes

    Returns
    -------
    matplotlib.axes.Axes
    """
    families = _compared(rows)
    for y, values in enumerate(families.values()):
        mean = harness.geometric_mean(values)
        ax.plot(values, [y] * len(values), "o", color="C0", alpha=0.5, markersize=5)
        ax.plot([mean, mean], [y - 0.3, y + 0.3], color="C1", linewidth=3)
        ax.annotate(f"{mean:.2f}", (mean, y - 0.3), ha="center", va="bottom", fontsize=8)
    ax.axvline(1.0, color="black", linewidth=0.8)
    ax.set_xscale("log")
    ax.set_yticks(range(len(families)), families)
    ax.invert_yaxis()
    ticks = [tick for tick in (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64) if _in_sight(tick, families)]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlabel("how many times the peer's figure ours is better (bar: geometric mean)")
    return ax


def _compared(rows):
    """Ratios of single rows by family, where there are any."""
    families = {}
    for row in rows:
        if row.ratio is not None and row.ours is not None:
            families.setdefault(row.family, []).append(row.ratio)
    return families


def _in_sight(tick, families):
    values = [value for ratios_of in families.values() for value in ratios_of] + [1.0]
    return min(values) / 2 <= tick <= max(values) * 2


def _float(value):
    return None if value is None else float(value)


def _cells(row):
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}x"
    floor = "-" if row.floor is None else f"{row.floor:.0%}"
    return row.family, row.what, _figure(row.ours, row.unit), _figure(row.peer, row.unit), ratio, floor


def _figure(value, unit):
    """Three digits of a figure, and its unit."""
    if value is None:
        return "-"
    digits = 0 if value == 0 else max(2 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{digits}f} {unit}"


def _line(cells, widths):
    """Words to the left, figures to the right."""
    left = [cell.ljust(width) for cell, width in zip(cells[:2], widths, strict=False)]
    right = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join(left + right).rstrip()
