"""What the panels of the explorer's page are made of."""

import base64
import json
from collections.abc import Awaitable, Callable, Iterable

import numpy as np
from nicegui import events, ui

from common.figures import signed
from vae_keras.explorer.faces import REACH, png

STEP = 0.05  # of a slider
THROTTLE = 0.02  # seconds between two messages while a slider moves
# The browser writes the value beside the slider at once; `move` writes it for the server, too.
MOVED = """(event) => {
    const value = event.target.valueAsNumber;
    event.target.nextElementSibling.textContent = (value > 0 ? "+" : "") + Math.round(100 * value) / 100;
    emit(value);
}"""
MOVE = """for (const [id, value] of Object.entries(%s)) {
    const slider = document.getElementById(id);
    if (slider && (%s || slider !== document.activeElement)) slider.value = value;
}"""


class Slider:
    """A slider of the browser itself. NiceGUI's own one sends each value twice and gets it back, which takes longer.

    The value is no property of the element on the server: with each update of the page, the browser would set it again,
    also while the visitor drags the slider.

    Args:
        name: at its left, and for screen readers.
        change: called with the value when the visitor moves the slider, and not when the page does.
        low, high: its range.
    """

    def __init__(self, name: str, change: Callable[[float], Awaitable[None]], low: float = -REACH, high: float = REACH):
        self.low, self.high = low, high
        with ui.row().classes("w-full items-center no-wrap gap-3"):
            ui.label(name).classes("w-36 shrink-0 text-sm")
            self.input = ui.element("input").classes("grow")
            self.input.props(f"type=range min={low} max={high} step={STEP}").props["aria-label"] = name
            self.value = ui.label("0").classes("w-12 shrink-0 text-sm text-right")

        async def moved(event: events.GenericEventArguments) -> None:
            await change(float(event.args))

        self.input.on("input", moved, throttle=THROTTLE, js_handler=MOVED)


def move(places: Iterable[tuple[Slider, float]], also_focused: bool = True) -> None:
    """Show these values on sliders of one page, or the nearest ones within reach.

    Args:
        also_focused: False while the visitor moves a slider, which has the focus: its own value is the newer one.
    """
    values = {}
    for slider, value in places:
        values[slider.input.html_id] = round(float(np.clip(value, slider.low, slider.high)), 3)
        slider.value.text = _shown(value)
    ui.run_javascript(MOVE % (json.dumps(values), json.dumps(also_focused)))


def _shown(value: float) -> str:
    return signed(round(float(value), 2))


def words(name: str) -> str:
    """The name of a factor or attribute as people write it."""
    return name.replace("_", " ")


def image_source(pixels: np.ndarray) -> str:
    """A picture as the address of an image, so that it needs no request."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"
