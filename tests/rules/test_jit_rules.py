"""Rules of compiled code, each of which has bitten someone; see docs/architecture.md for the reasons."""

import ast

import pytest

from tests.rules.source import called, imports, sources

NUMBAS = {"njit", "jit", "vectorize", "guvectorize", "cfunc"}
DECORATORS = {"kernel", "inner_kernel", "exact_kernel", "exact_inner_kernel", "parallel_kernel"} | NUMBAS
PICKLES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


def calls(tree):
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def keyword(call, name):
    """The value node of a call's keyword argument."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def is_true(node):
    return isinstance(node, ast.Constant) and node.value is True


def kernels(tree):
    """Functions that are compiled."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = {getattr(d, "id", None) or getattr(d, "attr", None) for d in node.decorator_list}
            if names & DECORATORS:
                yield node


def full_fastmath(tree, where):
    """fastmath=True makes isnan(nan) False: name the flags in core/jit.py instead."""
    return [c.lineno for c in calls(tree) if is_true(keyword(c, "fastmath"))]


def global_random(tree, where):
    """np.random in a kernel depends on the thread it runs in: draw from neurojit.core.random."""
    bodies = [tree] if where.startswith("kernels/") else kernels(tree)
    return [
        node.lineno
        for body in bodies
        for node in ast.walk(body)
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "random"
            and getattr(node.value, "id", "") in ("np", "numpy")
        )
        or (isinstance(node, ast.Import | ast.ImportFrom) and _imports_random(node))
    ]


def _imports_random(node):
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return any(module in ("random", "numpy.random") for module in modules)


def eager_signatures(tree, where):
    """A signature compiles at import and refuses read-only arrays: decorate with the bare name."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    decorators = [d for f in functions for d in f.decorator_list if isinstance(d, ast.Call) and called(d) in DECORATORS]
    direct = [call for call in calls(tree) if called(call) in NUMBAS and call not in decorators]
    return [
        call.lineno
        for call in decorators + direct
        if any(not isinstance(argument, ast.Name | ast.Lambda) for argument in call.args)
    ]


def thread_settings(tree, where):
    """The threading layer and the number of threads belong to the user: core/device.py restores what it sets."""
    if where == "core/device.py":
        return []
    found = [call.lineno for call in calls(tree) if called(call) == "set_num_threads"]
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr.removeprefix("NUMBA_").startswith(
                ("THREADING", "NUM_THR")
            ):
                found.append(node.lineno)
            key = target.slice if isinstance(target, ast.Subscript) else None
            if isinstance(key, ast.Constant) and str(key.value).startswith("NUMBA_"):
                found.append(node.lineno)
    return found


def pickles(tree, where):
    """A pickle runs code when it is read: files hold arrays and JSON."""
    found = [line for name, line in imports(tree) if name.split(".")[0] in PICKLES]
    return found + [call.lineno for call in calls(tree) if is_true(keyword(call, "allow_pickle"))]


def object_mode(tree, where):
    """Object mode is slower than plain Python and holds the GIL."""
    names = [
        (node.lineno, getattr(node, "id", getattr(node, "attr", "")))
        for node in ast.walk(tree)
        if hasattr(node, "lineno")
    ]
    return [line for line, name in names if name == "objmode"] + [
        c.lineno for c in calls(tree) if keyword(c, "forceobj")
    ]


def wide_accumulators(tree, where):
    """A literal 0.0 makes float64 arithmetic of a float32 loop: start at x.dtype.type(0), or say np.float64(0)."""
    if not where.startswith("kernels/"):
        return []
    found = []
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        summed = {
            n.target.id for n in ast.walk(function) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)
        }
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, float)
            ):
                found += [node.lineno for target in node.targets if getattr(target, "id", None) in summed]
    return found


RULES = [
    full_fastmath,
    global_random,
    eager_signatures,
    thread_settings,
    pickles,
    object_mode,
    wide_accumulators,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule):
    all_sources = sources()
    package = all_sources[0].path.parent
    found = [
        f"{where}:{line}"
        for source in all_sources
        for where in [source.path.relative_to(package).as_posix()]
        for line in rule(source.tree, where)
    ]
    assert not found, f"{rule.__doc__}\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        (full_fastmath, "@njit(fastmath=True)\ndef f(x): return x"),
        (full_fastmath, "dispatcher = numba.njit(nogil=True, fastmath=True)(f)"),
        (global_random, "def f(x):\n    x[0] = np.random.rand()"),
        (global_random, "from numpy.random import rand"),
        (global_random, "import random"),
        (eager_signatures, "@kernel('f4(f4[:])')\ndef f(x): return x[0]"),
        (eager_signatures, "f = numba.njit('f4(f4)')(lambda x: x)"),
        (eager_signatures, "@njit([float32(float32)], cache=True)\ndef f(x): return x"),
        (thread_settings, "numba.set_num_threads(2)"),
        (thread_settings, "numba.config.THREADING_LAYER = 'omp'"),
        (thread_settings, "os.environ['NUMBA_NUM_THREADS'] = '1'"),
        (pickles, "import pickle"),
        (pickles, "def f():\n    from joblib import dump"),
        (pickles, "np.load(path, allow_pickle=True)"),
        (object_mode, "with objmode(y='float32[:]'):\n    pass"),
        (object_mode, "@jit(forceobj=True)\ndef f(x): return x"),
        (wide_accumulators, "def f(x):\n    total = 0.0\n    for v in x:\n        total += v\n    return total"),
    ],
)
def test_catches_a_breach(rule, bad):
    assert rule(ast.parse(bad), "kernels/cpu/made_up.py")


def test_catches_random_numbers_in_kernels_anywhere():
    kernel = "@{}\ndef f(x):\n    x[0] = np.random.rand()"
    for decorator in ("kernel", "parallel_kernel", "jit.kernel", "exact_kernel"):
        assert global_random(ast.parse(kernel.format(decorator)), "functional/made_up.py")
    assert not global_random(ast.parse("rng = np.random.default_rng(0)"), "datasets/made_up.py")


@pytest.mark.parametrize(
    "good",
    [
        "@kernel\ndef f(x):\n    total = x.dtype.type(0)\n    for v in x:\n        total += v\n    return total",
        "dispatcher = njit(nogil=True, fastmath=flags)(function)",
        "x = np.load(path, allow_pickle=False)",
        "n = numba.get_num_threads()",
        "scale = 0.5",
        "kernel(x.reshape(-1), out)",
    ],
)
def test_lets_pass_what_is_right(good):
    for rule in RULES:
        assert not rule(ast.parse(good), "kernels/cpu/made_up.py"), rule.__name__
