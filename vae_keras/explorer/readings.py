"""What an edit does: the factors that a network reads off the face, and the renderer's face with these factors."""

from typing import TYPE_CHECKING

import numpy as np
from nicegui import run, ui

from common.figures import signed
from common.page_parts import heading
from vae_keras.explorer.controls import image_source, words
from vae_keras.explorer.faces import Face

if TYPE_CHECKING:
    from vae_keras.explorer.page import View

FULL = 2.5  # standard deviations of a factor at which a bar is as long as it can be


class Readings:
    """The panel with a bar for each factor.

    Args:
        view: of the visitor.
    """

    def __init__(self, view: "View"):
        self.view, self.explorer = view, view.explorer
        heading("What a network reads off this face")
        ui.label(
            "In standard deviations of each factor. Grey: the face from which you started. Right: the renderer's face "
            "with these factors."
        ).classes("text-sm")
        names = self.explorer.factor_names
        self.bars, self.marks, self.values = {}, {}, {}
        with ui.row().classes("no-wrap items-start w-full"):
            with ui.column().classes("grow gap-0"):
                for name in names:
                    with ui.row().classes("w-full items-center no-wrap gap-2"):
                        ui.label(words(name)).classes("w-28 shrink-0 text-xs")
                        with ui.element("div").classes("scale grow"):
                            self.marks[name] = ui.element("div").classes("mark")
                            self.bars[name] = ui.element("div").classes("bar")
                        self.values[name] = ui.label().classes("w-10 shrink-0 text-xs text-right")
                        self.values[name].props["id"] = f"read-{name}"
            self.rendered = ui.element("img").classes("medium").props('alt="the same factors, rendered" id="rendered"')

    async def show(self) -> None:
        """Show the factors of the visitor's face."""
        asked = self.view.newest.asked
        found = await run.io_bound(self._read, self.view.face, self.view.start)
        if found is None or asked != self.view.newest.asked:  # the server ends, or the face has changed
            return
        read, before, rendered = found
        for name, value in read.items():
            self.bars[name].style(_bar(value))
            self.marks[name].style(_bar(before[name]))
            self.values[name].text = signed(round(value, 1))
        self.rendered.props["src"] = image_source(rendered)

    def _read(self, face: Face, start: Face) -> tuple[dict[str, float], dict[str, float], np.ndarray]:
        """The factors of the face and of the face from which it started, and the first rendered."""
        read, before = (self.explorer.factors_of(self.explorer.pixels(one)) for one in (face, start))
        return read, before, self.explorer.rendered(read)


def _bar(value: float) -> str:
    """The style of a bar from zero, in the middle, to a value."""
    length = 50 * min(abs(value) / FULL, 1.0)
    return f"left: {50 - length * (value < 0):.1f}%; width: {length:.1f}%"
