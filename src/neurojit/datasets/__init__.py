"""Data to learn from: what scikit-learn bundles, and files of one's own."""

from neurojit.datasets.digits import digits
from neurojit.datasets.npz import load_npz

__all__ = ["digits", "load_npz"]
