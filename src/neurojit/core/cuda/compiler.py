"""From a registered kernel to numba.cuda's dispatcher, which compiles it."""

from neurojit.core.cuda.language import DeviceFunction, Name, cuda, rebuilt


def dispatcher(kernel):
    """numba.cuda's dispatcher for a kernel; nothing is compiled yet.

    Flags that trade exactness for speed stay off: `fastmath` would turn tanh into an instruction with 11 good bits.
    """
    import numba.cuda

    is_nvidias = getattr(numba.cuda, "implementation", None) == "NVIDIA" and not numba.config.ENABLE_CUDASIM
    bounds = (kernel.threads, kernel.resident) if kernel.resident else kernel.threads
    options = {"launch_bounds": bounds, "lto": True} if is_nvidias else {}  # others know neither
    return numba.cuda.jit(**options)(compilable(kernel.function))


def compilable(function):
    """A kernel's function with numba.cuda and the intrinsics in their names' place."""
    import numba.cuda

    compiled = {}

    def replace(value):
        if isinstance(value, Name):
            return numba.cuda if value is cuda else _intrinsic(value)
        if isinstance(value, DeviceFunction):
            if value not in compiled:
                compiled[value] = numba.cuda.jit(device=True)(rebuilt(value.function, replace))
            return compiled[value]
        return value

    return rebuilt(function, replace)


def _intrinsic(name):
    from neurojit.core.cuda import intrinsics

    return getattr(intrinsics, name.name)
