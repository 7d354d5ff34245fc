"""Every public name says what it does, what it takes, gives and raises, and shows an example that runs."""

import importlib
import inspect

import pytest
from numpydoc.validate import Validator, validate

FAMILIES = (
    *("datasets", "decoding", "functional", "inspection", "io", "layers", "models"),
    *("reservoirs", "testing", "text", "training"),
)
MODULES = ["neurojit", *(f"neurojit.{family}" for family in FAMILIES)]

# numpydoc's checks are asked of everything that is public, but for these.
NOT_ASKED = {
    "ES01": "one sentence is often all there is to say",
    "SA01": "what belongs together stands together in the reference",
    "SA03": "'See Also' names a relative, which is enough",
    "SA04": "the same",
    "PR03": "arguments that mean what they mean elsewhere are named in one line, whatever their places",
    "PR04": "and have no type of their own there",
    "PR07": "a type can say it all: random_state : int",
    "RT03": "and so can the type of what is returned",
    "PR08": "a description may begin with a name: float32 or float64",
    "RT04": "the same",
    "SS02": "a summary may begin with a name: p-norms of windows",
    "SS05": "'The gradient of ...' is a summary, and nouns end in s as well",
}
# A method is shown at work in its class's example; those of layers, trainers and so on may name their arguments and
# their result in one sentence.
NOT_ASKED_OF_METHODS = {"EX01"}
NOT_ASKED_OF_INNER_METHODS = {"EX01", "PR01", "RT01", "YD01"}


def complaints(dotted):
    """What the documentation of a function, a class or a method lacks, by numpydoc's codes."""
    thing = Validator._load_obj(dotted)
    left_out = set(NOT_ASKED)
    if is_method(dotted):
        is_estimators = dotted.count(".") == 2  # neurojit.Word2Vec.fit
        left_out |= NOT_ASKED_OF_METHODS if is_estimators else NOT_ASKED_OF_INNER_METHODS
        if not thing.__doc__ and inspect.getdoc(thing):  # an override, documented where it was first declared
            return []
    if inspect.isclass(thing) and issubclass(thing, BaseException):
        left_out |= {"EX01"}
    found = [f"{code} {text}" for code, text in validate(dotted)["errors"] if code not in left_out]
    if "EX01" not in left_out and thing.__doc__ and "Examples" in thing.__doc__ and ">>>" not in thing.__doc__:
        found.append("EX01 The examples do not run")
    return found


def is_method(dotted):
    parent, _, _ = dotted.rpartition(".")
    return inspect.isclass(Validator._load_obj(parent))


def public_names():
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing) and thing.__module__.startswith("neurojit"):
                yield f"{module_name}.{name}"


def public_methods(cls):
    """The methods and properties that a class has from itself and from bases that are not public themselves."""
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if name.startswith("_") or not inspect.isfunction(function) or not function.__module__.startswith("neurojit"):
            continue
        owner = next(base for base in cls.__mro__ if name in vars(base))
        if owner is cls or owner not in PUBLIC:
            yield name


PUBLIC = {Validator._load_obj(dotted) for dotted in public_names()}


@pytest.mark.parametrize("dotted", list(public_names()))
def test_a_public_name_is_documented(dotted):
    thing = Validator._load_obj(dotted)
    methods = [f"{dotted}.{name}" for name in public_methods(thing)] if inspect.isclass(thing) else []
    lacking = {name: complaints(name) for name in (dotted, *methods)}
    assert not any(lacking.values()), {name: found for name, found in lacking.items() if found}


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
    """Multiply

    Parameters
    ----------
    x : array
    times : float

    Examples
    --------
    A number of times.
    """
    return factor * x


def undocumented(x):
    return x


class Scale:
    """Multiplies.

    Examples
    --------
    >>> Scale()(1)
    2
    """

    def __call__(self, x):
        return 2 * x

    def twice(self, x):
        return self(self(x))

    def describe(self):
        """In words."""
        return "doubles"


def test_catches_poor_documentation():
    assert complaints(f"{__name__}.scale") == []
    assert complaints(f"{__name__}.Scale") == []
    assert complaints(f"{__name__}.Scale.describe") == []
    assert [found[:4] for found in complaints(f"{__name__}.undocumented")] == ["GL08"]
    assert [found[:4] for found in complaints(f"{__name__}.Scale.twice")] == ["GL08"]
    assert sorted(found[:4] for found in complaints(f"{__name__}.half_documented")) == [
        *("EX01", "PR01", "PR02", "RT01", "SS03")
    ]
