"""Docstrings on the reference pages: plain text, in which Markdown sees two things that nobody meant.

`x _|_ y` says that x and y are independent; Markdown takes its two underscores for emphasis. And a drawing that reaches
the margin somewhere is no indented block to Markdown, so its lines would run together.
"""

from typing import Any

import griffe
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import SimpleTextInlineProcessor

BEFORE_EMPHASIS = 65  # which has 60 and 50


class Signs(Extension):
    """The Markdown extension that leaves `_|_` as it is typed."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.inlinePatterns.register(SimpleTextInlineProcessor(r"(_\|_)"), "independent", BEFORE_EMPHASIS)


class Drawings(griffe.Extension):
    """The extension of the reference's reader that indents drawings."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = with_drawings_indented(obj.docstring.value)


def with_drawings_indented(docstring: str) -> str:
    """The same text, each drawing four columns further in.

    A drawing is a paragraph of which some lines stand at the margin and others do not. The same is true of sections
    such as `Args:` and of lists, which begin with a word and a colon or with a dash.
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
