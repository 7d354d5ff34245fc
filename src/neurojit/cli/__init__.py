"""The command line: `neurojit demo`, `neurojit esn`, `neurojit info`, `neurojit warmup`, `neurojit word2vec`."""

from neurojit.cli.main import main

__all__ = ["main"]
