"""Arguments of the command line, and what becomes of errors."""

import argparse
import sys

import neurojit
from neurojit.cli.parsers import add_command, listed, natural, positive

_ERROR = 2  # the exit status of a command that was used wrongly, as argparse has it


def main(arguments=None):
    """Run a command.

    Parameters
    ----------
    arguments : list of str or None, default=None
        Words after ``neurojit``; None takes those of the process.

    Returns
    -------
    int
        Exit status: 0, 2 after a one-line message on standard error (the help, where no command was named), or 130
        when interrupted.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return _ERROR
    try:
        options.run(options)
    except (ValueError, TypeError, OSError, ArithmeticError, ImportError) as error:
        print(f"neurojit {options.command}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return _ERROR
    except KeyboardInterrupt:
        print(f"neurojit {options.command}: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="neurojit",
        description="Neural networks as scikit-learn estimators. `neurojit COMMAND --help` tells more of a command.",
        epilog=listed(("neurojit demo", "neurojit demo --save digits.safetensors --plot plots", "neurojit info")),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"neurojit {neurojit.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_demo(commands)
    _add_esn(commands)
    info = add_command(
        commands,
        "info",
        "show versions, SIMD lanes, threads, cache and CUDA",
        "Show what there is to compute with: versions, vector registers, threads, where\n"
        "compiled kernels are kept, and what CUDA lacks if it is not available.",
        ("neurojit info", "NEUROJIT_SIMD=plain neurojit info", "NUMBA_CACHE_DIR=kernels neurojit info"),
    )
    info.set_defaults(run=_info)
    warmup = add_command(
        commands,
        "warmup",
        "compile the kernels into the cache",
        "Compile every kernel ahead of time, so that no first call waits for it. Takes some\n"
        "minutes, once for each version; kernels that are in the cache are read from it.",
        ("neurojit warmup", "neurojit warmup --float64", "NUMBA_CACHE_DIR=kernels neurojit warmup"),
    )
    warmup.add_argument("--float64", action="store_true", help="compile for float64 as well as for float32")
    warmup.set_defaults(run=_warmup)
    _add_word2vec(commands)
    return parser


def _add_demo(commands):
    demo = add_command(
        commands,
        "demo",
        "train a small ConvNet on handwritten digits",
        "Train a ConvNetClassifier on scikit-learn's handwritten digits or on images of your\n"
        "own, print its accuracy on others and its speed, save it and draw what it learned.",
        ("neurojit demo", "neurojit demo --data mnist.npz --epochs 3", "neurojit demo --save digits.safetensors"),
    )
    demo.add_argument(
        "--data", metavar="FILE.npz", help="train on x_train, y_train, x_test, y_test of this file instead"
    )
    demo.add_argument("--epochs", type=positive, default=20, metavar="N", help="passes over the data (default: 20)")
    demo.add_argument("--seed", type=natural, default=0, metavar="N", help="random seed (default: 0)")
    demo.add_argument("--save", metavar="FILE", help="save the trained model to this safetensors file")
    demo.add_argument("--plot", metavar="DIR", help="draw learning curve, confusion matrix, filters and errors as PNG")
    demo.set_defaults(run=_demo)


def _add_word2vec(commands):
    from neurojit.cli.word2vec import add_commands

    add_commands(commands)


def _add_esn(commands):
    esn = add_command(
        commands,
        "esn",
        "let an echo state network go on with the columns of a CSV file",
        "Learn to say the next row of a CSV file from the rows so far, measure the error of a\n"
        "free run over the last rows, and go on beyond the file's end.",
        (
            "neurojit esn series.csv --ahead 200 --out next.csv",
            "neurojit esn weather.csv --columns temperature --units 1000 --plot run.png",
        ),
    )
    esn.add_argument("path", metavar="FILE.csv", help="a row a step; a first row of names is allowed")
    esn.add_argument("--columns", nargs="+", metavar="COLUMN", help="names or numbers from 0 (default: all)")
    esn.add_argument("--ahead", type=positive, default=100, metavar="N", help="rows to predict (default: 100)")
    esn.add_argument("--delimiter", default=",", help="between cells (default: a comma)")
    esn.add_argument("--units", type=positive, default=500, metavar="N", help="units (default: 500)")
    esn.add_argument("--spectral-radius", type=float, default=0.9, metavar="R", help="of W (default: 0.9)")
    esn.add_argument("--leak-rate", type=float, default=1.0, metavar="A", help="above 0, at most 1 (default: 1)")
    esn.add_argument("--ridge", type=float, default=1e-6, metavar="R", help="penalty of the readout (default: 1e-6)")
    esn.add_argument("--washout", type=natural, default=100, metavar="N", help="rows not learnt from (default: 100)")
    esn.add_argument("--noise", type=float, default=0.0, metavar="S", help="noise in training (default: 0)")
    esn.add_argument("--seed", type=natural, default=0, metavar="N", help="random seed (default: 0)")
    esn.add_argument("--out", metavar="FILE", help="write the rows predicted to this CSV file")
    esn.add_argument("--save", metavar="FILE", help="save the model to this safetensors file")
    esn.add_argument("--plot", metavar="FILE", help="draw the free run over the last rows to this PNG file")
    esn.set_defaults(run=_esn)


# A command's module is imported when the command runs: `neurojit --help` answers at once.


def _demo(options):
    from neurojit.cli.demo import demo

    demo(data=options.data, epochs=options.epochs, seed=options.seed, save=options.save, plot=options.plot)


def _esn(options):
    from neurojit.cli.esn import esn

    names = ("columns", "ahead", "delimiter", "save", "plot", "out", "seed")
    settings = ("spectral_radius", "leak_rate", "ridge", "washout", "noise")
    given = {name: getattr(options, name) for name in (*names, *settings)}
    esn(options.path, n_units=options.units, **given)


def _info(options):
    from neurojit.cli.info import info

    info()


def _warmup(options):
    from neurojit.cli.warmup import warmup

    warmup(("float32", "float64") if options.float64 else ("float32",))
