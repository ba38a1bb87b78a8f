"""Blocks of the report as HTML: paragraphs, lists, tables and figures. All text is escaped."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from common.documents import Numbering
from vae_keras.report.embed import Picture


class Section(NamedTuple):
    """A part of a chapter.

    Attributes:
        anchor: the id of the section, unique in the document.
        title: the title as text.
        body: the content below the title.
    """

    anchor: str
    title: str
    body: Markup


class Chapter(NamedTuple):
    """A chapter and its sections."""

    anchor: str
    title: str
    sections: list[Section]


def paragraph(text: str) -> Markup:
    """Text as a paragraph."""
    return Markup("<p>{}</p>\n").format(text)


def items(sentences: Iterable[str]) -> Markup:
    """A list with one item per sentence."""
    return Markup("<ul>\n{}</ul>\n").format(Markup("").join(Markup("<li>{}</li>\n").format(one) for one in sentences))


def preformatted(lines: Iterable[str]) -> Markup:
    """Lines with their spaces and line breaks, in a monospaced font."""
    return Markup('<pre class="lines">{}</pre>\n').format("\n".join(lines))


def table(numbering: Numbering, caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A numbered table with its caption above it."""
    head_cells = Markup("").join(Markup('<th scope="col">{}</th>').format(cell) for cell in head)
    body = Markup("").join(
        Markup("<tr>{}</tr>\n").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in rows
    )
    return Markup(
        '<p class="caption">{}. {}</p>\n<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n'
    ).format(numbering.next_table(), caption, head_cells, body)


def figure(numbering: Numbering, picture: Picture) -> Markup:
    """A numbered figure with its title and caption as text."""
    attributes = Markup(" ").join(
        Markup('{}="{}"').format(name, value) for name, value in {"alt": picture.title, **picture.attributes}.items()
    )
    title = picture.title if picture.title.endswith(("?", "!", ".")) else f"{picture.title}."
    return Markup("<figure><img {}><figcaption>{}. <strong>{}</strong> {}</figcaption></figure>\n").format(
        attributes, numbering.next_figure(), title, picture.caption
    )


def joined(parts: Iterable[Markup]) -> Markup:
    """Blocks in sequence."""
    return Markup("").join(parts)
