"""Every public name says what it does, what it takes, gives and raises, and shows an example that runs."""

import importlib
import inspect
import re

import pytest

MODULES = [
    "neurojit",
    *(
        f"neurojit.{name}"
        for name in ("decoding", "functional", "layers", "models", "reservoirs", "training", "text", "io", "testing")
    ),
]
HEADING = re.compile(r"^([A-Z][A-Za-z ]+)\n-{3,}$", re.MULTILINE)


def sections(docstring):
    """The numpydoc sections of a docstring: title to text; the text before the first one is under ''."""
    parts = HEADING.split(inspect.cleandoc(docstring))
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def documented_arguments(section):
    """The names before ' : ' in a Parameters section, without stars."""
    lines = (line for line in section.splitlines() if line and not line.startswith(" "))
    return {name.strip().lstrip("*") for line in lines for name in line.split(" : ")[0].split(",")}


def signature_arguments(thing):
    try:
        return {name for name in inspect.signature(thing).parameters if name != "self"}
    except ValueError:  # a builtin base class without a signature
        return set()


def complaints(thing, *, needs_example=True):
    """What a function's or a class's documentation lacks."""
    docstring = inspect.getdoc(thing) if not inspect.isclass(thing) else thing.__doc__
    if not docstring:
        return ["no docstring"]
    found = sections(docstring)
    missing = []
    arguments = signature_arguments(thing)
    if inspect.isclass(thing) and issubclass(thing, BaseException):
        arguments, needs_example = set(), False
    undocumented = arguments - documented_arguments(found.get("Parameters", "") + "\n" + found.get("Attributes", ""))
    if undocumented:
        missing.append(f"Parameters do not name {sorted(undocumented)}")
    unknown = documented_arguments(found.get("Parameters", "")) - arguments
    if unknown and arguments:
        missing.append(f"Parameters name {sorted(unknown)}, which are none")
    if needs_example and ">>>" not in found.get("Examples", ""):
        missing.append("no example")
    if not found[""].strip():
        missing.append("no summary")
    return missing


def is_function(thing):
    return not inspect.isclass(thing) and callable(thing)


def returns_nothing_said(thing):
    """Whether a function that returns something has no Returns (or Yields) section."""
    source = inspect.getsource(inspect.unwrap(thing))
    gives = re.search(r"^\s+(return|yield) +[^\s#]", source, re.MULTILINE)
    return bool(gives) and not {"Returns", "Yields"} & sections(inspect.getdoc(thing) or "").keys()


def public_names():
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing) and thing.__module__.startswith("neurojit"):
                yield pytest.param(thing, id=f"{module_name}.{name}")


def public_methods(cls):
    for name, member in vars(cls).items():
        if not name.startswith("_") and inspect.isfunction(member):
            yield name, member


@pytest.mark.parametrize("thing", list(public_names()))
def test_a_public_name_is_documented(thing):
    found = complaints(thing)
    if is_function(thing) and returns_nothing_said(thing):
        found.append("no Returns")
    if inspect.isclass(thing):
        found += [
            f"{name}: no docstring"
            for name, member in public_methods(thing)
            if not inspect.getdoc(getattr(thing, name))
        ]
    assert not found, f"{thing.__module__}.{thing.__name__}: " + "; ".join(found)


def scale(x, factor=2.0):
    """Multiply.

    Parameters
    ----------
    x : array
    factor : float, default=2.0

    Returns
    -------
    array

    Examples
    --------
    >>> scale(1)
    2.0
    """
    return factor * x


def half_documented(x, factor=2.0):
    """Multiply.

    Parameters
    ----------
    x : array
    times : float
    """
    return factor * x


def undocumented(x):
    return x


def test_catches_poor_documentation():
    assert complaints(scale) == []
    assert not returns_nothing_said(scale)
    assert complaints(undocumented) == ["no docstring"]
    assert returns_nothing_said(half_documented)
    assert complaints(half_documented) == [
        "Parameters do not name ['factor']",
        "Parameters name ['times'], which are none",
        "no example",
    ]
