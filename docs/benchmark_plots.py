"""The page of benchmarks, drawn whenever the site is built from what `python -m benchmarks --json` wrote."""

import json
import math
import re

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt

TITLES = {
    "conv": "Convolution",
    "pool": "Pooling",
    "norm": "Normalization",
    "conv_variants": "Other convolutions",
    "ctc": "The CTC loss",
    "convnet": "A LeNet epoch",
    "recurrent": "Recurrent layers",
    "language_model": "Character models",
    "reservoirs": "Reservoirs",
    "word2vec": "Word vectors",
}
_TICKS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)
_MOST_COLOURS = 6


def draw(record, folder):
    """Draw an SVG file for each family that has a peer beside it, and a page that shows them.

    Parameters
    ----------
    record : pathlib.Path
        JSON with "date", "machine" (a dict) and "rows", each with "family", "what" and "ratio" (the peer's time over
        ours, or None).
    folder : pathlib.Path
    """
    folder.mkdir(exist_ok=True)
    found = json.loads(record.read_text(encoding="utf-8"))
    machine = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    page = [f"Measured on {found['date']}: {machine}.\n"]
    for family, cases in by_family(found["rows"]).items():
        title = TITLES.get(family, family)
        figure = _figure(cases)
        figure.savefig(folder / f"{family}.svg", metadata={"Date": None})
        plt.close(figure)
        page.append(f"## {title}\n\n![{title}: ratios to the peer](plots/{family}.svg)\n")
    (folder / "page.txt").write_text("\n".join(page), encoding="utf-8")


def by_family(rows):
    """The ratios of the rows that have one, means left out: family to case to series to number.

    A row is called "case, series" where a family has few series and several cases in each, as "3x3 64@56, forward" is.
    """
    families = {}
    for row in rows:
        if row["ratio"] is not None and not row["what"].startswith("geometric mean"):
            what = re.sub(r" \(floor: .*\)$", "", row["what"])
            families.setdefault(row["family"], []).append((what, row["ratio"]))
    return {family: _cases(ratios) for family, ratios in families.items()}


def _cases(ratios):
    parted = [(*what.rpartition(", ")[::2], ratio) for what, ratio in ratios]
    series = {name for _, name, _ in parted}
    if not (all(case for case, _, _ in parted) and len(series) <= _MOST_COLOURS and 2 * len(series) <= len(parted)):
        return {what: {"": ratio} for what, ratio in ratios}
    cases = {}
    for case, name, ratio in parted:
        cases.setdefault(case, {})[name] = ratio
    return cases


def _figure(cases):
    """A row for each case, a dot for each series; right of the line is faster than the peer."""
    figure, ax = plt.subplots(figsize=(8, 1.2 + 0.3 * len(cases)), layout="constrained")
    series = list(dict.fromkeys(name for values in cases.values() for name in values))
    for name in series:
        places = [(values[name], i) for i, values in enumerate(cases.values()) if name in values]
        ax.plot(*zip(*places, strict=True), "o", label=name, alpha=0.85)
    ax.axvline(1, color="black", linewidth=1)
    ax.set_yticks(range(len(cases)), cases)
    ax.set_ylim(len(cases) - 0.5, -0.5)
    _scale(ax, [1.0, *(ratio for values in cases.values() for ratio in values.values())])
    ax.set_xlabel("the peer's time / ours")
    if len(series) > 1:
        ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _scale(ax, ratios):
    """Powers of two, from the one below the least ratio to the one above the largest."""
    least, most = (2.0 ** round_(math.log2(f(ratios))) for round_, f in ((math.floor, min), (math.ceil, max)))
    ax.set_xscale("log")
    ax.set_xlim(0.9 * least, 1.1 * most)
    shown = [tick for tick in _TICKS if least <= tick <= most]
    ax.set_xticks(shown, [f"{tick:g}" for tick in shown])
    ax.set_xticks([], minor=True)
    ax.grid(axis="x", linewidth=0.4)
    ax.set_axisbelow(True)
