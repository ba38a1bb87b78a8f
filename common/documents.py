"""Markdown with formulas, numbered figures and numbered tables, as HTML that needs nothing but a browser.

Pages are written as GitHub reads them: `$...$` and `$$...$$` for formulas, which become MathML (Core level, so every
current browser draws them by itself). A paragraph that is an image becomes a figure, its alternative text the
caption; a paragraph that begins with `Table:` captions the table below it. The report and the documentation site
are made from the same pages by the same extension.
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

    def next_figure(self) -> str:
        self.figures += 1
        return f"Figure {self.figures}"

    def next_table(self) -> str:
        self.tables += 1
        return f"Table {self.tables}"


class Place(NamedTuple):
    """Where a page stands in a document that is made of several.

    Attributes:
        prefix: that the ids of its headings begin with, so that no two pages have the same.
        level: that a heading `#` of the page has there, 1 to 6; those below it follow.
        link: where a link of the page leads in the document; None where nothing is left to lead to.
        picture: the attributes of a picture of the page in the document, `src` among them.
    """

    prefix: str
    level: int
    link: Callable[[str], str | None]
    picture: Callable[[str], dict[str, str]]


@cache
def _converter() -> LatexToMathML:
    return LatexToMathML(pretty_print="never", fancy_error=False)


def mathml(latex: str, display: bool = False) -> str:
    """A formula as MathML.

    Raises:
        UserError: it is no LaTeX that MathML Core can say.
    """
    try:
        return _converter().convert_with_local_state(latex, displaystyle=display)
    except LatexError as reason:
        first_line = str(reason).partition("\n")[0]
        raise UserError(f"the formula {' '.join(latex.split())} cannot be read ({first_line}); mend it") from reason


def anchor_of(heading: str, separator: str = "-") -> str:
    """The id of a heading, as GitHub makes it, so that links to headings work there and here."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


class _Formula(InlineProcessor):
    """Formulas; `sources` remembers what each was written as, by what stands for it until the page is done."""

    def __init__(self, pattern: str, md: markdown.Markdown, display: bool, sources: dict[str, str]):
        super().__init__(pattern, md)
        self.compiled_re = re.compile(pattern, re.DOTALL)
        self.display, self.sources = display, sources

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # noqa: N802
        placeholder = self.md.htmlStash.store(mathml(m[1], self.display))
        self.sources[placeholder] = m[1]
        return placeholder, m.start(0), m.end(0)


class _Captions(Treeprocessor):
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
                    said = (above.text or "").removeprefix("Table:").lstrip()
                    above.text = f"{self.numbering.next_table()}. {said[:1].upper()}{said[1:]}"
        for image in root.iter("img"):  # an attribute has no room for MathML
            image.set("alt", self._as_written(image.get("alt", "")))

    def _caption_figure(self, paragraph: ElementTree.Element) -> None:
        image = paragraph[0]
        paragraph.tag, paragraph.text, image.tail = "figure", None, None
        caption = ElementTree.SubElement(paragraph, "figcaption")
        caption.text = f"{self.numbering.next_figure()}. {image.get('alt', '')}"

    def _as_written(self, text: str) -> str:
        for placeholder, latex in self.sources.items():
            text = text.replace(placeholder, latex)
        return text


class _Addresses(Treeprocessor):
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
    """The Markdown extension that knows formulas and captions."""

    def __init__(self, numbering: Numbering | None = None, place: Place | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.numbering, self.place = numbering, place

    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802
        md.ESCAPED_CHARS.append("$")
        sources: dict[str, str] = {}
        md.inlinePatterns.register(_Formula(DISPLAY, md, True, sources), "display_formula", BEFORE_ESCAPES + 1)
        md.inlinePatterns.register(_Formula(INLINE, md, False, sources), "formula", BEFORE_ESCAPES)
        # After inline patterns (20), which make the images.
        md.treeprocessors.register(_Captions(md, self.numbering or Numbering(), sources), "captions", 15)
        if self.place:
            md.treeprocessors.register(_Addresses(md, self.place), "addresses", 14)


def to_html(text: str, numbering: Numbering | None = None, place: Place | None = None) -> str:
    """A page as HTML, without the frame around it.

    Args:
        numbering: of the document that the page is part of.
        place: the page's in that document; without one, ids, links and pictures are as the page has them.

    Raises:
        UserError: a formula that cannot be read.
    """
    prefix, level = (place.prefix, place.level) if place else ("", 1)
    headings = {"slugify": lambda heading, separator: prefix + anchor_of(heading, separator), "baselevel": level}
    return markdown.Markdown(
        extensions=[*EXTENSIONS, Pages(numbering, place)], extension_configs={"toc": headings}, output_format="html"
    ).convert(text)
