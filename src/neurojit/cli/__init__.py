"""The command line: `neurojit demo`, `neurojit esn`, `neurojit info`, `neurojit warmup`."""

from neurojit.cli.main import main

__all__ = ["main"]
