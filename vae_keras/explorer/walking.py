"""Two faces, and a slider between them."""

import asyncio
from typing import TYPE_CHECKING

from nicegui import run, ui

from common.page_parts import heading
from vae_keras.explorer.controls import Slider, image_source, move
from vae_keras.explorer.faces import FRAMES, Face

if TYPE_CHECKING:
    from vae_keras.explorer.page import View

SECONDS_A_FRAME = 0.08


class Walking:
    """The panel on which a visitor walks from face A to face B.

    Args:
        view: of the visitor.
    """

    def __init__(self, view: "View"):
        self.view, self.explorer = view, view.explorer
        self.ends: dict[str, Face] = {}
        self.path: list[Face] = []
        heading("Between two faces")
        with ui.row().classes("items-center"):
            self.images = {}
            for name in "AB":
                with ui.column().classes("items-center gap-1"):
                    self.images[name] = ui.element("img").classes("small").props(f'alt="face {name}"')
                    self.images[name].visible = False
                    ui.button(f"Keep as {name}", on_click=lambda name=name: self.keep(name)).props(
                        f'flat dense id="keep-{name}"'
                    )
            self.play_button = ui.button("Play", on_click=self.play).props('id="play"')
        self.slider = Slider("from A to B", self.go, 0.0, 1.0)
        move([(self.slider, 0.0)])
        self._enable()

    def _enable(self) -> None:
        """The walk needs both of its ends."""
        self.play_button.set_enabled(bool(self.path))
        self.slider.input.props["disabled"] = not self.path

    async def keep(self, name: str) -> None:
        """Keep the face that is shown as A or B."""
        self.ends[name] = self.view.face
        self.images[name].props["src"] = image_source(self.explorer.pixels(self.view.face))
        self.images[name].visible = True
        if len(self.ends) == len("AB"):
            ends = dict(self.ends)
            path = await run.io_bound(self.explorer.path, ends["A"], ends["B"], FRAMES)
            if ends != self.ends or path is None:  # another face was kept meanwhile, or the server ends
                return
            self.path = path
        self._enable()

    async def go(self, share: float) -> None:
        """Show the face at this share of the way."""
        if self.path:
            await self.view.load(self.path[round(share * (len(self.path) - 1))], "walk")

    async def play(self) -> None:
        """Show all faces of the walk, one after the other."""
        path, before = self.path, self.view.face
        shown = before
        self.play_button.disable()
        for number, face in enumerate(path):
            if self.view.face is not shown:  # the visitor has chosen something else meanwhile
                break
            move([(self.slider, number / (len(path) - 1))])
            self.view.face = shown = face
            await self.view.draw()
            await asyncio.sleep(SECONDS_A_FRAME)
        else:
            if self.view.face is shown:
                self.view.face = before  # undo takes back the whole walk
                await self.view.load(path[-1])
        self._enable()
