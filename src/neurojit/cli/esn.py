"""`neurojit esn`: an echo state network learns the columns of a CSV file and goes on with them."""

import csv
import importlib.util
from pathlib import Path

import numpy as np

import neurojit as nj
from neurojit.core.files import atomic_path


def esn(path, *, columns=None, ahead=100, delimiter=",", save=None, plot=None, out=None, seed=0, **options):
    """Fit a network to say the next row of a file from the rows so far, and let it run on.

    Parameters
    ----------
    path : str
        A CSV file, a row a step; a first row of names is skipped.
    columns : list of str or None, default=None
        Names or numbers (from 0) of the columns to learn; None is all.
    ahead : int, default=100
        Rows to predict; as many are held out at the end to measure the error.
    delimiter : str, default=","
    save : str or None, default=None
        Where to save the model.
    plot : str or None, default=None
        Where to draw the free run, a PNG file.
    out : str or None, default=None
        Where to write the rows predicted, a CSV file.
    seed : int, default=0
    **options
        Of `EchoStateRegressor`.

    Raises
    ------
    FileNotFoundError, ValueError
        Before any work, if the file or a place to write to is wrong.
    ImportError
        If `plot` is asked for and matplotlib is not installed.
    """
    for flag, place in (("--save", save), ("--plot", plot), ("--out", out)):
        _check_place(flag, place)
    if plot is not None and importlib.util.find_spec("matplotlib") is None:
        raise ImportError("--plot: needs matplotlib, which is not installed: pip install 'neurojit[plot]'")
    names, data = read_columns(path, columns, delimiter)
    mean, scale = data.mean(axis=0), data.std(axis=0)
    scale[scale == 0] = 1.0
    series = (data - mean) / scale
    model = nj.EchoStateRegressor(random_state=seed, verbose=1, **options)
    if len(series) <= model.washout + ahead + 1:
        raise ValueError(f"{path}: got {len(series)} rows, wanted more than washout + ahead = {model.washout + ahead}")
    print(f"{len(data)} rows of {', '.join(names)}; the last {ahead} are held out to measure the error.")
    model.fit(series[: -ahead - 1], series[1:-ahead])
    run = model.generate(ahead) * scale + mean
    for name, errors, spread in zip(names, (run - data[-ahead:]).T, scale, strict=True):
        error = np.sqrt(np.mean(errors**2))
        print(f"free run of {ahead} steps, {name}: RMSE {error:.6g}, {error / spread:.3f} standard deviations")
    model.fit(series[:-1], series[1:])
    predicted = model.generate(ahead) * scale + mean
    if out is not None:
        with atomic_path(out) as temporary, open(temporary, "w", newline="") as file:
            csv.writer(file).writerows([names, *predicted.tolist()])
        print(f"written         {out}  (the {ahead} rows after the file's end)")
    if save is not None:
        model.save(save)
        print(f"saved           {save}  (neurojit.load gives it back; it works on standardised columns)")
    if plot is not None:
        _draw(plot, names, data, run, ahead)
        print(f"drawn           {plot}")
    if out is None:
        print(f"next row        {', '.join(f'{value:.6g}' for value in predicted[0])}")


def read_columns(path, columns=None, delimiter=","):
    """The names and the numbers of some columns of a CSV file.

    Parameters
    ----------
    path : str
    columns : list of str or None, default=None
    delimiter : str, default=","

    Returns
    -------
    names : list of str
    data : numpy.ndarray, shape (n_rows, n_columns)

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a column is not there, or a cell is no finite number; the message says in which line.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"path: got {str(path)!r}, wanted a CSV file that exists")
    with open(path, newline="", encoding="utf-8") as file:
        rows = [(reader.line_num, row) for reader in [csv.reader(file, delimiter=delimiter)] for row in reader if row]
    if not rows:
        raise ValueError(f"path: got {str(path)!r} without rows, wanted a row a step")
    names = [str(i) for i in range(len(rows[0][1]))]
    if not all(_is_number(cell) for cell in rows[0][1]):
        names, rows = [cell.strip() for cell in rows[0][1]], rows[1:]
    chosen = range(len(names)) if columns is None else [_column(names, column) for column in columns]
    data = np.empty((len(rows), len(chosen)))
    for r, (line, row) in enumerate(rows):
        for c, column in enumerate(chosen):
            cell = row[column] if column < len(row) else ""
            if not _is_number(cell) or not np.isfinite(float(cell)):
                raise ValueError(f"{path}: got {cell!r} in line {line}, column {names[column]!r}, wanted a number")
            data[r, c] = float(cell)
    return [names[column] for column in chosen], data


def _column(names, column):
    if column in names:
        return names.index(column)
    if column.isdecimal() and int(column) < len(names):
        return int(column)
    raise ValueError(f"--columns: got {column!r}, wanted names or numbers among {', '.join(names)}")


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_place(flag, place):
    if place is None:
        return
    if not Path(place).absolute().parent.is_dir() or Path(place).is_dir():
        raise FileNotFoundError(f"{flag}: got {place!r}, wanted a file in a folder that exists")


def _draw(place, names, data, run, ahead):
    from matplotlib.figure import Figure

    from neurojit import inspection

    figure = Figure(figsize=(8.0, 2.8 * len(names)), layout="constrained")
    axes = np.atleast_1d(figure.subplots(len(names)))
    for ax, name, column, predicted in zip(axes, names, data.T, run.T, strict=True):
        inspection.free_run(column[-ahead:], predicted, ax, known=column[-3 * ahead : -ahead])
        ax.set_title(f"{name}: free run over the rows held out")
    figure.savefig(place, dpi=120)
