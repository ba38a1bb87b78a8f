"""Markdown with formulas, numbered figures and numbered tables, converted to HTML that needs only a browser.

Pages use GitHub's Markdown. Formulas stand between `$...$` or `$$...$$` and become MathML Core, which every current
browser draws without a script. A paragraph that holds only an image becomes a figure; the image's alternative text
becomes the caption. A paragraph that begins with `Table:` becomes the caption of the table below it. The report and
the documentation site convert the same pages with the same extension.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from xml.etree import ElementTree

import markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from math_core import LatexError, LatexToMathML

from common.errors import UserError

# Formulas are read after code (190) and before Markdown's escapes (180), so that the backslashes, underscores and
# stars of a formula stay as they are.
BEFORE_ESCAPES = 185
DISPLAY = r"\$\$(.+?)\$\$"
INLINE = r"(?<![\\$\w])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\d)"
EXTENSIONS = ("fenced_code", "tables", "attr_list", "toc", "md_in_html", "sane_lists")


@dataclass
class Numbering:
    """Counts the figures and tables of one document; all its pages share this object."""

    figures: int = 0
    tables: int = 0

    def next_figure(self) -> str:
        self.figures += 1
        return f"Figure {self.figures}"

    def next_table(self) -> str:
        self.tables += 1
        return f"Table {self.tables}"


class Place(NamedTuple):
    """How a page becomes part of a document that consists of several pages.

    Attributes:
        prefix: the start of the ids of the page's headings, so that two pages have no id in common.
        level: the level in the document of a heading `#` of the page, 1 to 6; lower headings follow.
        link: gives the address in the document for a link of the page; None if the document lacks the target.
        picture: gives the HTML attributes, `src` among them, for an image of the page.
    """

    prefix: str
    level: int
    link: Callable[[str], str | None]
    picture: Callable[[str], dict[str, str]]


@cache
def _converter() -> LatexToMathML:
    return LatexToMathML(pretty_print="never", fancy_error=False)


def mathml(latex: str, display: bool = False) -> str:
    """A LaTeX formula as MathML.

    Raises:
        UserError: the formula is not valid LaTeX, or MathML Core cannot express it.
    """
    try:
        return _converter().convert_with_local_state(latex, displaystyle=display)
    except LatexError as reason:
        first_line = str(reason).partition("\n")[0]
        raise UserError(f"the formula {' '.join(latex.split())} cannot be read ({first_line}); correct it") from reason


def anchor_of(heading: str, separator: str = "-") -> str:
    """The id of a heading. It is the id that GitHub gives, so that a link to a heading works in both places."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


class _Formula(InlineProcessor):
    """Converts formulas.

    Markdown puts a placeholder into the text until the page is finished. `sources` has the LaTeX of each placeholder.
    """

    def __init__(self, pattern: str, md: markdown.Markdown, display: bool, sources: dict[str, str]):
        super().__init__(pattern, md)
        self.compiled_re = re.compile(pattern, re.DOTALL)
        self.display, self.sources = display, sources

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # noqa: N802
        placeholder = self.md.htmlStash.store(mathml(m[1], self.display))
        self.sources[placeholder] = m[1]
        return placeholder, m.start(0), m.end(0)


class _Captions(Treeprocessor):
    """Numbers the figures and tables, and writes their captions."""

    def __init__(self, md: markdown.Markdown, numbering: Numbering, sources: dict[str, str]):
        super().__init__(md)
        self.numbering, self.sources = numbering, sources

    def run(self, root: ElementTree.Element) -> None:
        for parent in list(root.iter()):
            for above, child in zip([None, *parent], list(parent), strict=False):
                if _is_lone_image(child):
                    self._caption_figure(child)
                elif child.tag == "table" and above is not None and (above.text or "").startswith("Table:"):
                    above.set("class", "caption")
                    caption = (above.text or "").removeprefix("Table:").lstrip()
                    above.text = f"{self.numbering.next_table()}. {caption[:1].upper()}{caption[1:]}"
        for image in root.iter("img"):  # an attribute cannot hold MathML
            image.set("alt", self._with_sources(image.get("alt", "")))

    def _caption_figure(self, paragraph: ElementTree.Element) -> None:
        image = paragraph[0]
        paragraph.tag, paragraph.text, image.tail = "figure", None, None
        caption = ElementTree.SubElement(paragraph, "figcaption")
        caption.text = f"{self.numbering.next_figure()}. {image.get('alt', '')}"

    def _with_sources(self, text: str) -> str:
        """The text with the LaTeX of each formula instead of its placeholder."""
        for placeholder, latex in self.sources.items():
            text = text.replace(placeholder, latex)
        return text


class _Addresses(Treeprocessor):
    """Replaces the page's addresses of links and images by those of the document."""

    def __init__(self, md: markdown.Markdown, place: Place):
        super().__init__(md)
        self.place = place

    def run(self, root: ElementTree.Element) -> None:
        for image in root.iter("img"):
            image.attrib.update(self.place.picture(image.get("src", "")))
        for link in root.iter("a"):
            address = self.place.link(link.attrib.pop("href", ""))
            if address is None:
                link.tag = "span"
            else:
                link.set("href", address)


def _is_lone_image(element: ElementTree.Element) -> bool:
    return (
        element.tag == "p"
        and len(element) == 1
        and element[0].tag == "img"
        and not (element.text or "").strip()
        and not (element[0].tail or "").strip()
    )


class Pages(Extension):
    """The Markdown extension for formulas and captions."""

    def __init__(self, numbering: Numbering | None = None, place: Place | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.numbering, self.place = numbering, place

    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802
        md.ESCAPED_CHARS.append("$")
        sources: dict[str, str] = {}
        md.inlinePatterns.register(_Formula(DISPLAY, md, True, sources), "display_formula", BEFORE_ESCAPES + 1)
        md.inlinePatterns.register(_Formula(INLINE, md, False, sources), "formula", BEFORE_ESCAPES)
        # Lower than the inline patterns (20), because those create the images.
        md.treeprocessors.register(_Captions(md, self.numbering or Numbering(), sources), "captions", 15)
        if self.place:
            md.treeprocessors.register(_Addresses(md, self.place), "addresses", 14)


def to_html(text: str, numbering: Numbering | None = None, place: Place | None = None) -> str:
    """A page as HTML, without `<html>`, `<head>` and `<body>`.

    Args:
        text: the page in Markdown.
        numbering: the counts of the document that the page is part of.
        place: how the page becomes part of that document; None keeps the ids, links and images of the page.

    Raises:
        UserError: a formula cannot be read.
    """
    prefix, level = (place.prefix, place.level) if place else ("", 1)
    headings = {"slugify": lambda heading, separator: prefix + anchor_of(heading, separator), "baselevel": level}
    return markdown.Markdown(
        extensions=[*EXTENSIONS, Pages(numbering, place)], extension_configs={"toc": headings}, output_format="html"
    ).convert(text)
