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


# A command's module is imported when the command runs: `neurojit --help` answers at once.


def _demo(options):
    from neurojit.cli.demo import demo

    demo(data=options.data, epochs=options.epochs, seed=options.seed, save=options.save, plot=options.plot)


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
