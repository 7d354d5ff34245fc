"""Compiled kernels: arrays in, arrays out; every check has been made before they are called."""
