"""The explorer's page, built with NiceGUI.

Each visitor has a view of their own: nothing that one does shows up at another's. A change asks for a new picture.
While one is drawn, further changes only replace what is asked for, so that no stale picture waits in a queue.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from functools import partial

import numpy as np
from nicegui import events, run, ui

from common.figures import signed
from vae_keras.explorer.faces import REACH, Explorer, Face, png

FIRST_LATENTS = 6  # the others are folded away
STEP = 0.05  # of a slider
THROTTLE = 0.02  # seconds between two messages while a slider moves
MOST_UNDONE = 200
STYLE = """
.face { width: min(100%, 26rem); aspect-ratio: 1; border-radius: 0.5rem; image-rendering: auto; background: #8884; }
input[type=range] { accent-color: var(--q-primary); min-width: 6rem; }
.thumbnail { width: 4rem; height: 4rem; border-radius: 0.25rem; cursor: pointer; border: none; padding: 0; }
"""


class Slider:
    """A slider of the browser itself. NiceGUI's own one sends each value twice and gets it back, which takes longer.

    Args:
        name: for screen readers.
        change: called with the value when the visitor moves the slider, and not when the page does.
    """

    def __init__(self, name: str, change: Callable[[float], Awaitable[None]]):
        self.input = (
            ui.element("input").classes("grow").props(f"type=range min={-REACH} max={REACH} step={STEP} value=0")
        )
        self.input.props["aria-label"] = name
        self.value = ui.label("0").classes("w-12 shrink-0 text-sm text-right")

        async def moved(event: events.GenericEventArguments) -> None:
            with self.input.props.suspend_updates():  # the browser knows the value
                self.input.props["value"] = event.args
            await change(event.args)

        self.input.on("input", moved, throttle=THROTTLE, js_handler="(event) => emit(event.target.valueAsNumber)")

    def move(self, value: float) -> None:
        """Show this value, or the nearest one within reach."""
        self.input.props["value"] = round(float(np.clip(value, -REACH, REACH)), 3)
        self.value.text = signed(round(float(value), 2))


class View:
    """What one visitor sees.

    Args:
        explorer: the faces; all visitors share it, and it does not change.
    """

    def __init__(self, explorer: Explorer):
        self.explorer = explorer
        self.face = self.start = explorer.test_face(0)
        self.earlier: list[Face] = []
        self.attributes: dict[str, Slider] = {}
        self.latents: dict[int, Slider] = {}
        self.asked, self.drawing = 0, False

    def build(self) -> None:
        """Lay out the page."""
        ui.add_css(STYLE)
        ui.dark_mode(None)  # as the visitor's system
        with ui.element("main").classes("w-full max-w-5xl mx-auto flex flex-wrap gap-8 justify-center"):
            with ui.element("section").props('aria-label="face"').classes("flex flex-col gap-3 items-center"):
                self.picture = ui.element("img").classes("face").props('alt="the decoded face" id="face"')
                self.source = ui.label().props('role="status" id="source"').classes("text-sm")
                with ui.row():
                    ui.button("Random face", on_click=self.random).props('id="random"')
                    self.undo_button = ui.button("Undo", on_click=self.undo).props('flat id="undo"')
                    ui.button("Reset", on_click=self.reset).props('flat id="reset"')
            with ui.element("section").classes("grow min-w-72 max-w-xl"):
                if self.explorer.directions:
                    ui.label("Attributes").classes("text-lg").props('role="heading" aria-level="2"')
                for name in self.explorer.directions:
                    self.attributes[name] = self._slider(_words(name), partial(self.set_strength, name))
                ui.label("Latents, the most informative first").classes("text-lg mt-4").props(
                    'role="heading" aria-level="2"'
                )
                first, others = self.explorer.latents[:FIRST_LATENTS], self.explorer.latents[FIRST_LATENTS:]
                for latent in first:
                    self.latents[latent.number] = self._slider(
                        _words(latent.name), partial(self.set_latent, latent.number)
                    )
                if others:
                    with ui.expansion(f"{len(others)} more latents").classes("w-full").props('id="more"'):
                        for latent in others:
                            change = partial(self.set_latent, latent.number)
                            self.latents[latent.number] = self._slider(_words(latent.name), change)
        self.show_sliders()
        self.show_pixels(self.explorer.pixels(self.face))

    def _slider(self, name: str, change: Callable[[float], Awaitable[None]]) -> "Slider":
        """A slider with its name at the left and its value at the right."""
        with ui.row().classes("w-full items-center no-wrap gap-3"):
            ui.label(name).classes("w-40 shrink-0 text-sm")
            return Slider(name, change)

    async def set_strength(self, attribute: str, strength: float) -> None:
        """A visitor has moved the slider of an attribute."""
        await self.change(self.face.with_strength(attribute, strength))

    async def set_latent(self, number: int, value: float) -> None:
        """A visitor has moved the slider of a latent."""
        await self.change(self.explorer.with_latent(self.face, number, value))

    async def random(self) -> None:
        """Show a new face from the prior."""
        seed = int(np.random.default_rng().integers(1_000_000))
        if face := await run.io_bound(self.explorer.random_face, seed):
            await self.load(face)

    async def load(self, face: Face) -> None:
        """Start from another face."""
        self.start = face
        await self.change(face)

    async def reset(self) -> None:
        """Go back to the face that was loaded last, without edits."""
        await self.change(self.start)

    async def undo(self) -> None:
        """Take back the last change."""
        if self.earlier:
            self.face = self.earlier.pop()
            await self.show()

    async def change(self, face: Face) -> None:
        """Show another face, and remember this one for undo."""
        self.earlier = [*self.earlier[-MOST_UNDONE:], self.face]
        self.face = face
        await self.show()

    async def show(self) -> None:
        """Draw the face; if one is being drawn, the newest one is drawn after it and those between are left out."""
        self.asked += 1
        if self.drawing:
            return
        self.drawing = True
        try:
            drawn = 0
            while drawn != self.asked:
                drawn, face = self.asked, self.face
                pixels = await run.io_bound(self.explorer.pixels, face)
                if pixels is not None:  # None while the server ends
                    self.show_pixels(pixels)
                if drawn == self.asked:  # the visitor rests: the sliders can follow
                    self.show_sliders()
                    await asyncio.sleep(0)
        finally:
            self.drawing = False

    def show_pixels(self, pixels: np.ndarray) -> None:
        """Show these pixels as the face."""
        self.picture.props["src"] = _source(pixels)
        self.picture.update()

    def show_sliders(self) -> None:
        """Move all sliders to where the face is."""
        for name, slider in self.attributes.items():
            slider.move(self.face.strengths.get(name, 0.0))
        values = self.explorer.latents_of(self.face)
        for number, slider in self.latents.items():
            slider.move(values[number])
        self.source.text = self.face.source
        self.undo_button.set_enabled(bool(self.earlier))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _source(pixels: np.ndarray) -> str:
    """A picture as the address of an image, so that it needs no request."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"
