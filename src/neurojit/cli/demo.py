"""`neurojit demo`: a ConvNet learns handwritten digits before your eyes."""

import contextlib
import importlib.util
import time
from pathlib import Path

import numpy as np

import neurojit as nj
from neurojit import datasets
from neurojit.cli.ahead import compiling_ahead
from neurojit.core import cache


def demo(data=None, epochs=20, seed=0, save=None, plot=None):
    """Train a `ConvNetClassifier`, print what came of it, and save and draw what was asked for.

    Parameters
    ----------
    data : str or None, default=None
        An .npz file with x_train, y_train, x_test and y_test; None is scikit-learn's digits.
    epochs : int, default=20
    seed : int, default=0
    save : str or None, default=None
        Where to save the model.
    plot : str or None, default=None
        Folder for PNG files, made if it does not exist.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        Before training, if the data or a place to write to is wrong.
    ImportError
        If `plot` is asked for and matplotlib is not installed.
    """
    _check_places(save, plot)
    x_train, y_train, x_test, y_test = datasets.digits() if data is None else datasets.load_npz(data)
    name = "scikit-learn's handwritten digits" if data is None else Path(data).name
    print(f"Training on {len(x_train)} images of {name}, shape {x_train.shape[1:]}; testing on {len(x_test)} others.")

    model = nj.ConvNetClassifier(max_epochs=epochs, random_state=seed, verbose=1)
    started = time.perf_counter()
    with _compiling(x_train, y_train):
        model.fit(x_train, y_train)
    seconds = time.perf_counter() - started
    predicted = model.predict(x_test)
    rate = np.median(model.history_["samples_per_second"]) if len(model.history_) else 0.0
    print(f"train accuracy  {model.score(x_train, y_train):.4f}")
    print(f"test accuracy   {np.mean(predicted == y_test):.4f}  ({np.sum(predicted != y_test)} of {len(y_test)} wrong)")
    print(f"speed           {rate:,.0f} images/s, {seconds:.1f} s in all")
    if save is not None:
        model.save(save)
        print(f"saved           {save}  (neurojit.load gives it back)")
    if plot is not None:
        for path in _draw(model, x_test, y_test, predicted, Path(plot)):
            print(f"drawn           {path}")
    _say_what_next(data, save, plot)


def _compiling(x_train, y_train):
    """What the first run of all does beside training: it lets a second process compile."""
    if cache.holds_kernels():
        return contextlib.nullcontext()
    if cache.directory() is None:
        print("There is nowhere to keep compiled kernels, so every run compiles them, for about a minute: set the")
        print("variable NUMBA_CACHE_DIR to a folder that can be written to.")
        return contextlib.nullcontext()
    print("The first run compiles the kernels, for less than a minute, and keeps them for all runs after it.")
    shape = x_train.shape[1:] if x_train.ndim == 4 else (*x_train.shape[1:], 1)
    return compiling_ahead(shape, len(np.unique(y_train)))


def _check_places(save, plot):
    """Complain about places that cannot be written to before the training and not after it."""
    if save is not None and not Path(save).absolute().parent.is_dir():
        raise FileNotFoundError(f"--save: got {save!r}, wanted a file in a folder that exists")
    if save is not None and Path(save).is_dir():
        raise IsADirectoryError(f"--save: got {save!r}, a folder, wanted a file")
    if plot is None:
        return
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError("--plot: needs matplotlib, which is not installed: pip install 'neurojit[plot]'")
    Path(plot).mkdir(parents=True, exist_ok=True)


def _draw(model, x_test, y_test, predicted, folder):
    """Draw what fits the data; the paths of the files written."""
    from matplotlib.figure import Figure

    from neurojit import inspection

    plots = {
        "learning_curve": lambda ax: inspection.learning_curve(model.history_, ax),
        "confusion_matrix": lambda ax: inspection.confusion_matrix(y_test, predicted, ax),
    }
    if len(model.input_shape_) == 3:
        plots["first_layer_filters"] = lambda ax: inspection.first_layer_filters(model.network_, ax)
        if model.input_shape_[-1] in (1, 3):
            images = x_test.reshape(-1, *model.input_shape_)
            plots["misclassified"] = lambda ax: inspection.misclassified(images, y_test, predicted, ax=ax)
    for name, draw in plots.items():
        figure = Figure(figsize=(6.4, 6.4) if name != "learning_curve" else (6.4, 4.0), layout="constrained")
        draw(figure.subplots())
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=120)
        yield path


def _say_what_next(data, save, plot):
    print("\nWhat to try next")
    if plot is None:
        _say("neurojit demo --plot plots", "draw the learning curve, the filters and the mistakes")
    if save is None:
        _say("neurojit demo --save digits.safetensors", "keep the model; neurojit.load gives it back")
    if data is None:
        _say("neurojit demo --data mnist.npz", "images of your own: x_train, y_train, x_test, y_test")
    _say("neurojit info", "what this machine offers")
    print("or in Python")
    print("  import neurojit as nj")
    print("  model = nj.ConvNetClassifier(max_epochs=10).fit(X, y)")
    print("  model.predict(X_new)")


def _say(command, result):
    print(f"  {command:<40} {result}")
