"""Equations as MathML, which browsers draw by themselves: the site is whole without a network."""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)
_SPELLINGS = {r"\\[Bb]igg?(?![a-z])": "", r"\\dots(?![a-z])": r"\\ldots"}  # what docutils does not know


def mathml(tex, *, is_block):
    """The MathML of some TeX; lines that end in a double backslash are aligned at their ampersands.

    Raises
    ------
    docutils.utils.math.MathError
        If there is something in it that docutils does not know.
    """
    for pattern, instead in _SPELLINGS.items():
        tex = re.sub(pattern, instead, tex)
    if is_block and r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return tex2mathml(tex, as_block=is_block)


def _visit(translator, node, *, is_block):
    parts = re.split(r"\n\s*\n", node.astext().strip()) if is_block else [node.astext()]
    for tex in parts:
        try:
            translator.body.append(mathml(tex, is_block=is_block))
        except MathError as error:
            logger.warning("%s in the equation %s", error, tex, location=node)
    raise nodes.SkipNode


def setup(app):
    """Make it the renderer that ``html_math_renderer = "mathml"`` names."""
    app.add_html_math_renderer(
        "mathml",
        (lambda translator, node: _visit(translator, node, is_block=False), None),
        (lambda translator, node: _visit(translator, node, is_block=True), None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
