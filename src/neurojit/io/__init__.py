"""Files: arrays and settings in one safetensors file."""

from neurojit.io.tensor_file import read_arrays, write_arrays

__all__ = ["read_arrays", "write_arrays"]
