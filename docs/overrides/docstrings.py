"""Extensions that show the plain text of docstrings correctly on the reference pages.

Docstrings are plain text, and Markdown misreads two things in them. It reads the two underscores of `x _|_ y` (x and y
are independent) as emphasis. And it does not recognise a drawing as an indented block if one of its lines begins at the
margin, so it would join the lines of the drawing.
"""

from typing import Any

import griffe
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import SimpleTextInlineProcessor

BEFORE_EMPHASIS = 65  # priority; Markdown's own patterns for emphasis have 60 and 50


class Signs(Extension):
    """The Markdown extension that leaves `_|_` as it is typed."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.inlinePatterns.register(SimpleTextInlineProcessor(r"(_\|_)"), "independent", BEFORE_EMPHASIS)


class Drawings(griffe.Extension):
    """The griffe extension that indents drawings in docstrings."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = with_drawings_indented(obj.docstring.value)


def with_drawings_indented(docstring: str) -> str:
    """The same text with each drawing indented by four columns.

    A drawing is a paragraph in which some lines begin at the margin and others do not. The same is true of sections
    such as `Args:` and of lists, but these begin with a word and a colon, or with a dash.
    """
    paragraphs = docstring.split("\n\n")
    return "\n\n".join(
        "\n".join(f"    {line}" for line in paragraph.split("\n")) if _is_drawing(paragraph) else paragraph
        for paragraph in paragraphs
    )


def _is_drawing(paragraph: str) -> bool:
    lines = paragraph.split("\n")
    indented = [line.startswith(" ") for line in lines]
    return any(indented) and not all(indented) and not lines[0].endswith(":") and not lines[0].startswith("-")
