"""Kernels compiled to machine code for a GPU that is not there, and what the code promises.

numba-cuda asks the device for its compute capability when a kernel is compiled; everything else it needs is in
packages. So a stand-in answers that question, and the real pipeline makes the real code. The private names used here
are those of the versions in `SUPPORTED`.
"""

import contextlib
import dataclasses
import importlib.metadata
import re
import types
import warnings
from unittest import mock

from neurojit.core.cuda.compiler import dispatcher

SUPPORTED = "0.30"
ARCHITECTURES = {"sm_80": (8, 0, ""), "sm_90a": (9, 0, "a")}
MOST_SHARED = 48 << 10
# What the call of the runtime's barrier for a whole grid keeps on the stack.
GRID_SYNC_STACK = 16
_RESERVED_SHARED = 1 << 10  # bytes of each block's that it does not see


@dataclasses.dataclass(frozen=True)
class Code:
    """The machine code of a kernel for one precision and architecture."""

    ptx: str
    cubin: bytes
    registers: int
    stack: int
    spills: int
    shared: int

    @property
    def wide_loads(self):
        """16-byte loads."""
        return len(re.findall(r"\bld\.(?:global|shared)\S*\.v(?:4\.[fbu]32|2\.[fbu]64)", self.ptx))

    @property
    def double_instructions(self):
        """Instructions that compute in, or convert to, float64."""
        return re.findall(r"^\s*(?:@%p\d+ )?(\w[\w.]*\.f64[\w.]*)\s", self.ptx, re.MULTILINE)


def unavailable():
    """Why kernels cannot be compiled here, or None."""
    try:
        version = importlib.metadata.version("numba-cuda")
    except importlib.metadata.PackageNotFoundError:
        return "compiling kernels needs numba-cuda: pip install 'neurojit[cuda-test]'"
    if not version.startswith(SUPPORTED + "."):
        return f"numba-cuda {version} is installed; compiling without a GPU was written for {SUPPORTED}"
    try:
        from cuda.bindings import nvjitlink

        nvjitlink.version()
    except (ImportError, RuntimeError) as error:
        return f"compiling kernels needs NVIDIA's nvJitLink: pip install 'neurojit[cuda-test]' ({error})"
    return None


@contextlib.contextmanager
def _stand_in(capability):
    """Let everything that asks the device for its compute capability be answered."""
    from numba.cuda import compiler, dispatcher
    from numba.cuda.cudadrv import devices

    device = types.SimpleNamespace(compute_capability=capability, id=0)
    with contextlib.ExitStack() as stack:
        for module in (dispatcher, compiler):
            stack.enter_context(mock.patch.object(module, "get_current_device", return_value=device))
        context = types.SimpleNamespace(device=device)
        stack.enter_context(mock.patch.object(devices, "get_context", return_value=context))
        yield


def compile_kernel(kernel, precision, architecture):
    """The machine code of a registered kernel."""
    from numba.cuda.core import sigutils
    from numba.cuda.cudadrv import driver
    from numba.cuda.dispatcher import _Kernel

    capability = ARCHITECTURES[architecture]
    made = dispatcher(kernel)
    types_of_arguments, _ = sigutils.normalize_signature(kernel.signature(precision))
    with _stand_in(capability[:2]):
        compiled = _Kernel(made.py_func, types_of_arguments, **made.targetoptions)
        library = compiled._codelibrary
        linker = driver._Linker(max_registers=library._max_registers, cc=capability, lto=library._lto)
        _ask_for_a_report(linker)
        library._link_all(linker, capability)
        cubin = linker.complete()
        ptx = _text(library, capability)
    return Code(ptx, cubin.code, **_report(linker.info_log, compiled.entry_name))


def _text(library, capability):
    """A library's PTX, without the device's runtime, whose machine code is ready and about which there is a warning."""
    if not library._lto:
        return library.get_asm_str(cc=capability)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Not adding .*libcudadevrt", UserWarning)
        return library.get_lto_ptx(cc=capability)


def _ask_for_a_report(linker):
    options = linker._get_linker_options

    def with_report(ptx):
        asked = options(ptx)
        names = ("arch", "max_register_count", "lineinfo", "link_time_optimization", "ptx")
        kept = {name: getattr(asked, name) for name in names if getattr(asked, name) is not None}
        return type(asked)(**kept, ptxas_options=["-v"], verbose=True)

    linker._get_linker_options = with_report


_PATTERNS = {
    "registers": r"[Uu]sed (\d+) reg",
    "stack": r"(\d+)(?: bytes)? stack",
    "spills": r"(\d+) bytes spill",
    "shared": r"(\d+) bytes smem",
}


def _report(log, entry):
    """Resources of one kernel from the assembler's log."""
    found = dict.fromkeys(_PATTERNS, 0)
    for part in re.split(r"(?=Compiling entry function|Function properties for)", log):
        if entry in part.split("\n", 1)[0]:
            for name, pattern in _PATTERNS.items():
                found[name] = max([found[name], *(int(number) for number in re.findall(pattern, part))])
    assert found["registers"] > 0, f"no report of {entry} in the assembler's log:\n{log}"
    return found


def complaints(kernel, precision, architecture):
    """What is wrong with a kernel's code, a sentence each."""
    from cuda.bindings.nvjitlink import nvJitLinkError

    try:
        code = compile_kernel(kernel, precision, architecture)
    except nvJitLinkError as error:
        return [f"the assembler refuses it: {error}"]
    found = _crowding(kernel, code)
    if code.shared > MOST_SHARED:
        found.append(f"{code.shared} bytes of shared memory, at most {MOST_SHARED}")
    return found + _single_complaints(kernel, code) if precision == "float32" else found


def _crowding(kernel, code):
    """Whether as many blocks as a kernel that synchronizes the grid says have room on a processor."""
    if ("this_grid" in kernel.function.__code__.co_names) != (kernel.resident > 0):
        return [f"{kernel.resident} blocks resident, wanted some of a kernel with barriers of the grid, and only of it"]
    registers = -(-code.registers // 8) * 8 * kernel.threads * kernel.resident
    shared, threads = (code.shared + _RESERVED_SHARED) * kernel.resident, kernel.threads * kernel.resident
    whole = ("registers", registers, 1 << 16), ("bytes of shared memory", shared, 100 << 10), ("threads", threads, 1536)
    crowded = ((what, used, most) for what, used, most in whole if used > most)
    return [f"{used} {what} for {kernel.resident} blocks, there are {most}" for what, used, most in crowded]


def _single_complaints(kernel, code):
    """What is promised of float32 alone: float64 is there for checks of gradients, not for speed."""
    stack = GRID_SYNC_STACK if "this_grid" in kernel.function.__code__.co_names else 0
    found = []
    if code.registers > kernel.registers:
        found.append(f"{code.registers} registers, promised {kernel.registers}")
    if code.stack > stack:
        found.append(f"{code.stack} bytes of stack: an array or a tuple lives in local memory")
    if code.spills:
        found.append(f"{code.spills} bytes of registers spilled")
    if code.double_instructions:
        found.append(f"float64 instructions {sorted(set(code.double_instructions))}: write x.dtype.type(0.5) for 0.5")
    if code.wide_loads < kernel.wide_loads:
        found.append(f"{code.wide_loads} 16-byte loads, promised {kernel.wide_loads}")
    return found
