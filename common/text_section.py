"""The form in which results are printed by a command and shown in a report: a title, text and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class TextSection(NamedTuple):
    """Text and figures under one title.

    Attributes:
        title: of the section.
        lines: of the text.
        figures: by file name, each with title and caption as `common.figures.title_and_caption` sets them.
    """

    title: str
    lines: Sequence[str]
    figures: Mapping[str, Figure]
