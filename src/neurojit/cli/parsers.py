"""What the commands' parsers share."""

import argparse


def add_command(commands, name, summary, description, examples):
    """Add a command whose help says what it does and shows how it is called.

    Parameters
    ----------
    commands : argparse subparsers
    name : str
    summary : str
        A few words, for the list of commands.
    description : str
        In lines of less than 80 characters.
    examples : tuple of str
        Calls of it.

    Returns
    -------
    argparse.ArgumentParser
    """
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=listed(examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def listed(examples):
    """Examples as the last lines of a help text."""
    return "examples:\n" + "\n".join(f"  {example}" for example in examples)


def natural(text):
    """The integer >= 0 in a word of the command line."""
    return _whole(text, 0)


def positive(text):
    """The integer >= 1 in a word of the command line."""
    return _whole(text, 1)


def _whole(text, least):
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or value < least:
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted an integer >= {least}")
    return value
