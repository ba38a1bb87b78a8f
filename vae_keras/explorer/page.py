"""The explorer's page, built with NiceGUI.

Each visitor has a view of their own: nothing that one does shows up at another's.
"""

import asyncio
import time
from functools import partial

import numpy as np
from nicegui import run, ui

from common.errors import UserError
from common.page_parts import Newest, heading
from vae_keras.explorer.controls import Slider, image_source, move, words
from vae_keras.explorer.faces import Explorer, Face
from vae_keras.explorer.keeping import Keeping, face_in_link
from vae_keras.explorer.readings import Readings
from vae_keras.explorer.starting import Starting
from vae_keras.explorer.walking import Walking

FIRST_LATENTS = 6  # the others are folded away
MOST_UNDONE = 200
REST = 0.1  # seconds without a move
ONE_MOVE = 0.7  # seconds; after a longer pause, a slider makes another move, which undo takes back by itself
STYLE = """
.explorer { display: grid; gap: 1rem 2.5rem; width: 100%; max-width: 68rem; margin: 0 auto;
  grid-template: "held edits" auto "others edits" 1fr / 24rem minmax(0, 1fr); }
.explorer > section { min-width: 0; width: 100%; }
.held { grid-area: held; display: flex; flex-direction: column; align-items: center; gap: 0.5rem; }
.edits { grid-area: edits; }
.others { grid-area: others; }
@media (max-width: 56rem) {
  .explorer { grid-template: "held" auto "edits" auto "others" auto / minmax(0, 1fr); }
  .held { position: sticky; top: 0; z-index: 1; padding-bottom: 0.5rem; }
  .held .face { width: 12rem; }
  .body--light .held { background: #fff; }
  .body--dark .held { background: var(--q-dark-page); }
}
.face { width: 100%; aspect-ratio: 1; border-radius: 0.5rem; background: #8884; }
.small, .medium { border-radius: 0.25rem; }
.small { width: 4rem; height: 4rem; }
.medium { width: 8rem; height: 8rem; }
.scale { position: relative; height: 0.8rem; background: #8883; }
.scale .bar, .scale .mark { position: absolute; }
.scale .bar { height: 50%; top: 25%; background: var(--q-primary); }
.scale .mark { height: 100%; background: #888a; }
button.thumbnail { padding: 0; border: none; background: none; cursor: pointer; line-height: 0; }
button.thumbnail:focus-visible { outline: 3px solid var(--q-primary); }
body.body--dark { color-scheme: dark; }
input[type=range] { accent-color: #1f5a99; min-width: 6rem; }
.body--dark input[type=range] { accent-color: #9db4cc; }
"""


class View:
    """What one visitor sees.

    Args:
        explorer: the faces; all visitors share it, and it does not change.
    """

    def __init__(self, explorer: Explorer):
        self.explorer = explorer
        self.face = self.start = explorer.test_face(0)
        self.earlier: list[tuple[Face, Face]] = []
        self.attributes: dict[str, Slider] = {}
        self.latents: dict[int, Slider] = {}
        self.moved_last: str | int | None = None
        self.sliding = False  # whether the last change is a slider's
        self.moving, self.moved_at = "", 0.0  # the slider of the last change, and when it came
        self.newest = Newest(self.draw)

    def build(self) -> None:
        """Lay out the page."""
        ui.add_css(STYLE)
        with ui.element("main").classes("explorer"):
            with ui.element("section").props('aria-label="face"').classes("held"):
                self.picture = ui.element("img").classes("face").props('alt="the decoded face" id="face"')
                self.source = ui.label().props('role="status" id="source"').classes("text-sm")
                with ui.row().classes("gap-1"):
                    ui.button("Random face", on_click=self.random).props('id="random"')
                    self.undo_button = ui.button("Undo", on_click=self.undo).props('flat id="undo"')
                    ui.button("Reset", on_click=self.reset).props('flat id="reset"')
            with ui.element("section").props('aria-label="edits"').classes("edits"):
                self._sliders()
                self.readings = Readings(self) if self.explorer.reads_factors else None
            with ui.element("section").props('aria-label="other faces, and files"').classes("others"):
                Starting(self)
                self.walking = Walking(self)
                Keeping(self)
        try:
            linked = face_in_link(self.explorer)
        except UserError as reason:
            linked = None
            ui.notify(str(reason), type="negative")
        self.face = self.start = linked or self.start
        self.show_sliders()
        self.show_pixels(self.explorer.pixels(self.face))

    def _sliders(self) -> None:
        """A slider for each attribute and for each latent."""
        if self.explorer.directions:
            heading("Attributes")
        for name in self.explorer.directions:
            self.attributes[name] = Slider(words(name), partial(self.set_strength, name))
        heading("Latents, the most informative first")
        for latent in self.explorer.latents[:FIRST_LATENTS]:
            self.latents[latent.number] = Slider(words(latent.name), partial(self.set_latent, latent.number))
        if others := self.explorer.latents[FIRST_LATENTS:]:
            with ui.expansion(f"{len(others)} more latents").classes("w-full").props('id="more"'):
                for latent in others:
                    self.latents[latent.number] = Slider(words(latent.name), partial(self.set_latent, latent.number))

    async def set_strength(self, attribute: str, strength: float) -> None:
        """The visitor has moved the slider of an attribute."""
        self.moved_last, self.sliding = attribute, True
        await self.change(self.face.with_strength(attribute, strength), attribute)

    async def set_latent(self, number: int, value: float) -> None:
        """The visitor has moved the slider of a latent."""
        self.moved_last, self.sliding = number, True
        await self.change(self.explorer.with_latent(self.face, number, value), f"latent {number}")

    async def random(self) -> None:
        """Show a new face from the prior."""
        seed = int(np.random.default_rng().integers(1_000_000))
        if face := await run.io_bound(self.explorer.random_face, seed):
            await self.load(face)

    async def load(self, face: Face, slider: str = "") -> None:
        """Start from another face; `slider` is the one that asks for it, if one does."""
        self.remember(slider)
        self.face = self.start = face
        self.sliding = False
        await self.show()

    async def reset(self) -> None:
        """Go back to the face that was loaded last, without later edits."""
        self.sliding = False
        await self.change(self.start)

    async def undo(self) -> None:
        """Take back the last change."""
        if self.earlier:
            self.face, self.start = self.earlier.pop()
            self.sliding, self.moving = False, ""
            await self.show()

    async def change(self, face: Face, slider: str = "") -> None:
        """Show another face, and remember this one for undo; `slider` is the one that was moved, if one was."""
        self.remember(slider)
        self.face = face
        await self.show()

    def remember(self, slider: str) -> None:
        """Remember the face for undo. A slider that moves without a pause is one move."""
        now = time.monotonic()
        if not slider or slider != self.moving or now - self.moved_at > ONE_MOVE:
            self.earlier = [*self.earlier, (self.face, self.start)][-MOST_UNDONE:]
        self.moving, self.moved_at = slider, now

    async def show(self) -> None:
        """Draw the face; once the visitor rests, show where the sliders are and what is read off the face."""
        await self.newest.ask()
        asked = self.newest.asked
        await asyncio.sleep(REST)
        if asked == self.newest.asked and not self.newest.busy:
            self.show_sliders()
            if self.readings:
                await self.readings.show()

    async def draw(self) -> None:
        """Draw the face."""
        pixels = await run.io_bound(self.explorer.pixels, self.face)
        if pixels is not None:  # the server ends
            self.show_pixels(pixels)

    def show_pixels(self, pixels: np.ndarray) -> None:
        """Show these pixels as the face."""
        self.picture.props["src"] = image_source(pixels)

    def show_sliders(self) -> None:
        """Move all sliders to where the face is."""
        values = self.explorer.latents_of(self.face)
        move(
            [
                *((slider, self.face.strengths.get(name, 0.0)) for name, slider in self.attributes.items()),
                *((slider, values[number]) for number, slider in self.latents.items()),
            ],
            also_focused=not self.sliding,
        )
        self.source.text = self.face.source
        self.undo_button.set_enabled(bool(self.earlier))
