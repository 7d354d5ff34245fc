"""Files: fitted estimators from where they were saved."""

from neurojit.io.estimator_file import load

__all__ = ["load"]
