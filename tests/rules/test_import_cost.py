"""Importing the package costs next to nothing and does nothing."""

import json
import statistics
import subprocess
import sys
import textwrap

import neurojit

HEAVY = ["numba", "llvmlite", "sklearn", "scipy", "numpy", "matplotlib", "torch", "safetensors", "tqdm"]


def run(program):
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def loaded_by(statement):
    """Which of the heavy packages are loaded after a statement in a new interpreter."""
    program = f"import json, sys\n{statement}\nprint(json.dumps(sorted(set(sys.modules) & set({HEAVY!r}))))"
    return json.loads(run(program))


def test_importing_loads_nothing_heavy():
    assert loaded_by("import neurojit") == []
    assert loaded_by("import neurojit; neurojit.__version__, dir(neurojit)") == []
    assert "numpy" in loaded_by("import numpy"), "the check sees what is loaded"


def test_functional_needs_no_scikit_learn():
    assert not {"sklearn", "matplotlib", "torch"} & set(loaded_by("import neurojit.functional, neurojit.layers"))


def test_importing_everything_compiles_nothing_and_starts_no_threads():
    program = """
        import neurojit.functional, neurojit.layers, neurojit.training
        import sys, threading, numba
        from numba.core.dispatcher import Dispatcher
        from neurojit.core.jit import ParallelKernel

        compiled = []
        for name, module in list(sys.modules.items()):
            if name.startswith("neurojit"):
                for kernel in vars(module).values():
                    kernel = kernel._parallel if isinstance(kernel, ParallelKernel) else kernel
                    if isinstance(kernel, Dispatcher) and kernel.signatures:
                        compiled.append(kernel)
        try:
            layer = numba.threading_layer()
        except ValueError:
            layer = None
        print(compiled, layer, "numba.cuda.cudadrv.driver" in sys.modules, threading.active_count())
    """
    assert run(program).split() == ["[]", "None", "False", "1"]


def test_public_names_resolve():
    for name in neurojit.__all__:
        assert getattr(neurojit, name) is not None
        assert name in dir(neurojit)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(neurojit, "no_such_name")


def test_time_to_import():
    """The budget is 60 ms; a loaded machine is given ten times that, which importing numba would still break."""
    program = "import time; t = time.perf_counter(); import neurojit; print(time.perf_counter() - t)"
    seconds = statistics.median(float(run(program)) for _ in range(5))
    print(f"import neurojit: {1000 * seconds:.1f} ms")
    assert seconds < 0.6
