"""From a registered kernel to numba.cuda's dispatcher, which compiles it."""

from neurojit.core.cuda.language import DeviceFunction, Name, cuda, load4, quotient, rebuilt, store4


def dispatcher(kernel):
    """numba.cuda's dispatcher for a kernel; nothing is compiled yet.

    Flags that trade exactness for speed stay off: `fastmath` would turn tanh into an instruction with 11 good bits.
    """
    import numba.cuda

    options = {"launch_bounds": kernel.threads, "max_registers": None, "lto": True}
    if getattr(numba.cuda, "implementation", None) != "NVIDIA":  # numba's own, and its simulator, know none of these
        options = {}
    return numba.cuda.jit(**options)(compilable(kernel.function))


def compilable(function):
    """A kernel's function with numba.cuda and the intrinsics in their names' place."""
    import numba.cuda

    from neurojit.core.cuda import intrinsics

    meaning = {cuda: numba.cuda} | {name: getattr(intrinsics, name.name) for name in (load4, store4, quotient)}
    compiled = {}

    def replace(value):
        if isinstance(value, Name):
            return meaning[value]
        if isinstance(value, DeviceFunction):
            if value not in compiled:
                compiled[value] = numba.cuda.jit(device=True)(rebuilt(value.function, replace))
            return compiled[value]
        return value

    return rebuilt(function, replace)
