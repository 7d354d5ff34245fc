"""Arguments of the command line, and what becomes of errors."""

import argparse
import sys

import neurojit

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
        Exit status: 0, 2 after a one-line message on standard error, or 130 when interrupted.
    """
    options = _parser().parse_args(arguments)
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
    parser = argparse.ArgumentParser(prog="neurojit", description="Neural networks as scikit-learn estimators.")
    parser.add_argument("--version", action="version", version=f"neurojit {neurojit.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_esn(commands)
    info = commands.add_parser("info", help="show versions, SIMD lanes, threads, cache and CUDA")
    info.set_defaults(run=_info)
    warmup = commands.add_parser("warmup", help="compile the kernels into the cache")
    warmup.add_argument("--float64", action="store_true", help="compile for float64 as well as for float32")
    warmup.set_defaults(run=_warmup)
    _add_word2vec(commands)
    return parser


def _add_demo(commands):
    demo = commands.add_parser("demo", help="train a small ConvNet on handwritten digits")
    demo.add_argument(
        "--data", metavar="FILE.npz", help="train on x_train, y_train, x_test, y_test of this file instead"
    )
    demo.add_argument("--epochs", type=_positive, default=20, metavar="N", help="passes over the data (default: 20)")
    demo.add_argument("--seed", type=_natural, default=0, metavar="N", help="random seed (default: 0)")
    demo.add_argument("--save", metavar="FILE", help="save the trained model to this safetensors file")
    demo.add_argument("--plot", metavar="DIR", help="draw learning curve, confusion matrix, filters and errors as PNG")
    demo.set_defaults(run=_demo)


def _add_word2vec(commands):
    from neurojit.cli.word2vec import add_commands

    add_commands(commands, _positive, _natural)


def _add_esn(commands):
    esn = commands.add_parser("esn", help="learn the columns of a CSV file with an echo state network and predict on")
    esn.add_argument("path", metavar="FILE.csv", help="a row a step; a first row of names is allowed")
    esn.add_argument("--columns", nargs="+", metavar="COLUMN", help="names or numbers from 0 (default: all)")
    esn.add_argument("--ahead", type=_positive, default=100, metavar="N", help="rows to predict (default: 100)")
    esn.add_argument("--delimiter", default=",", help="between cells (default: a comma)")
    esn.add_argument("--units", type=_positive, default=500, metavar="N", help="units (default: 500)")
    esn.add_argument("--spectral-radius", type=float, default=0.9, metavar="R", help="of W (default: 0.9)")
    esn.add_argument("--leak-rate", type=float, default=1.0, metavar="A", help="above 0, at most 1 (default: 1)")
    esn.add_argument("--ridge", type=float, default=1e-6, metavar="R", help="penalty of the readout (default: 1e-6)")
    esn.add_argument("--washout", type=_natural, default=100, metavar="N", help="rows not learnt from (default: 100)")
    esn.add_argument("--noise", type=float, default=0.0, metavar="S", help="noise in training (default: 0)")
    esn.add_argument("--seed", type=_natural, default=0, metavar="N", help="random seed (default: 0)")
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


def _natural(text):
    return _whole(text, 0)


def _positive(text):
    return _whole(text, 1)


def _whole(text, least):
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or value < least:
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted an integer >= {least}")
    return value
