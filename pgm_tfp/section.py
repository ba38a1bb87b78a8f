"""A titled piece of text with figures, as the command line and the report print it."""

from typing import NamedTuple

from matplotlib.figure import Figure


class Section(NamedTuple):
    """Text and figures under one title.

    Attributes:
        title: of the section.
        lines: of its text.
        figures: by file name.
    """

    title: str
    lines: list[str]
    figures: dict[str, Figure]
