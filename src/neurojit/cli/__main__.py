"""`python -m neurojit.cli` is the `neurojit` command."""

import sys

from neurojit.cli.main import main

sys.exit(main())
