"""Markdown with formulas, numbered figures and numbered tables, as HTML that needs nothing but a browser.

Pages are written as GitHub reads them: `$...$` and `$$...$$` for formulas, which become MathML (Core level, so every
current browser draws them by itself). A paragraph that is an image becomes a figure, its alternative text the
caption; a paragraph that begins with `Table:` captions the table below it. The report and the documentation site
are made from the same pages by the same extension.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

import markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from math_core import LatexError, LatexToMathML

from data.errors import UserError

# Before Markdown's own: backslashes, underscores and stars in a formula are its own; code (190) comes first.
BEFORE_ESCAPES = 185
DISPLAY = r"\$\$(.+?)\$\$"
INLINE = r"(?<![\\$\w])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\d)"
EXTENSIONS = ("fenced_code", "tables", "attr_list", "toc", "md_in_html", "sane_lists")


@dataclass
class Numbering:
    """How many figures and tables there have been; shared by the pages of one document."""

    figures: int = 0
    tables: int = 0


@cache
def _converter() -> LatexToMathML:
    return LatexToMathML(pretty_print="never")


def mathml(latex: str, display: bool = False) -> str:
    """A formula as MathML.

    Raises:
        UserError: it is no LaTeX that MathML Core can say.
    """
    try:
        return _converter().convert_with_local_state(latex, displaystyle=display)
    except LatexError as reason:
        first_line = str(reason).partition("\n")[0]
        raise UserError(f"the formula {latex.strip()} cannot be read ({first_line}); mend it") from reason


class _Formula(InlineProcessor):
    def __init__(self, pattern: str, md: markdown.Markdown, display: bool):
        super().__init__(pattern, md)
        self.compiled_re = re.compile(pattern, re.DOTALL)
        self.display = display

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # noqa: N802
        return self.md.htmlStash.store(mathml(m[1], self.display)), m.start(0), m.end(0)


class _Captions(Treeprocessor):
    def __init__(self, md: markdown.Markdown, numbering: Numbering):
        super().__init__(md)
        self.numbering = numbering

    def run(self, root: ElementTree.Element) -> None:
        for place, child in enumerate(list(root)):
            if _is_lone_image(child):
                image = child[0]
                self.numbering.figures += 1
                child.tag, child.text = "figure", None
                image.tail = None
                caption = ElementTree.SubElement(child, "figcaption")
                caption.text = f"Figure {self.numbering.figures}. {image.get('alt', '')}"
            elif child.tag == "table":
                above = list(root)[place - 1] if place else None
                if above is not None and (above.text or "").startswith("Table:"):
                    self.numbering.tables += 1
                    above.tag = "p"
                    above.set("class", "caption")
                    above.text = f"Table {self.numbering.tables}.{(above.text or '').removeprefix('Table:')}"


def _is_lone_image(element: ElementTree.Element) -> bool:
    return (
        element.tag == "p"
        and len(element) == 1
        and element[0].tag == "img"
        and not (element.text or "").strip()
        and not (element[0].tail or "").strip()
    )


class Pages(Extension):
    """The Markdown extension that knows formulas and captions."""

    def __init__(self, numbering: Numbering | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.numbering = numbering

    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802
        md.ESCAPED_CHARS.append("$")
        md.inlinePatterns.register(_Formula(DISPLAY, md, display=True), "display_formula", BEFORE_ESCAPES + 1)
        md.inlinePatterns.register(_Formula(INLINE, md, display=False), "formula", BEFORE_ESCAPES)
        # After inline patterns (20), which make the images.
        md.treeprocessors.register(_Captions(md, self.numbering or Numbering()), "captions", 15)


def to_html(text: str, numbering: Numbering | None = None) -> str:
    """A page as HTML, without the frame around it."""
    return markdown.Markdown(extensions=[*EXTENSIONS, Pages(numbering)], output_format="html").convert(text)
