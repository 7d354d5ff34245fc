"""How Sphinx builds the site; `make docs` calls it with warnings as errors. Nothing is fetched while it builds."""

import shutil
import sys
from importlib.metadata import version as version_of
from pathlib import Path

import neurojit.functional
from neurojit.functional import Op

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # benchmark_plots, mathml

import benchmark_plots  # noqa: E402

project = "neurojit"
author = "neurojit developers"
copyright = f"2026, {author}"  # noqa: A001
version = release = version_of("neurojit")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_nb",
    "mathml",
]
templates_path = ["templates"]
exclude_patterns = ["static", "templates"]
default_role = "py:obj"

html_theme = "furo"
html_title = f"neurojit {version}"
html_show_sphinx = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"

# A class shows its own methods and those of its private bases; what all layers have is on the page of Layer, and so on.
SHARED_BASES = [
    *("Layer", "Callback", "Loss", "Optimizer", "Schedule", "Penalty", "OnlineReadout"),
    *("tuple", "Exception", "ArithmeticError"),
]
autosummary_generate = True
autosummary_filename_map = {"neurojit.functional.op": "neurojit.functional.op-decorator"}  # not Op's file
autodoc_default_options = {"members": True, "inherited-members": ",".join(SHARED_BASES)}
autodoc_typehints = "none"  # the Parameters sections say more
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # an override that says nothing new is not shown
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # notebooks are committed with their outputs

# autodoc documents functions; an Op has the name, the signature and the documentation of the one it is made of.
for name in neurojit.functional.__all__:
    if isinstance(getattr(neurojit.functional, name), Op):
        setattr(neurojit.functional, name, getattr(neurojit.functional, name).__wrapped__)

# The notebooks lie at the top of the repository; Sphinx reads only what is beside this file.
shutil.rmtree(HERE / "notebooks", ignore_errors=True)
(HERE / "notebooks").mkdir()
notebooks = sorted((HERE.parent / "notebooks").glob("[0-9]*.ipynb"))
for notebook in notebooks:
    shutil.copy(notebook, HERE / "notebooks")
entries = "\n".join(f"notebooks/{notebook.stem}" for notebook in notebooks)
contents = f"```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n" if notebooks else "This copy of the source has none.\n"
(HERE / "notebooks" / "contents.txt").write_text(contents, encoding="utf-8")

benchmark_plots.draw(HERE.parent / "benchmarks" / "results.json", HERE / "plots")


def setup(app):
    """Leave out of classes what is on pages of its own: scikit-learn's methods, and the operation of a layer."""
    app.connect("autodoc-skip-member", lambda app, what, name, thing, skip, options: _is_elsewhere(thing) or None)


def _is_elsewhere(thing):
    return isinstance(thing, Op) or str(getattr(thing, "__module__", "")).split(".")[0] == "sklearn"
