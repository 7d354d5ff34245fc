"""Kernels of the GPU: where the CPU has one for the same job, of the same name with the same arguments."""
