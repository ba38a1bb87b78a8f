"""Where a face comes from: test images, a map of their latents, a picture of one's own, a saved face."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from nicegui import events, run, ui

from common.errors import UserError
from common.page_parts import heading, uploader
from vae_keras.explorer.controls import image_source

if TYPE_CHECKING:
    from vae_keras.explorer.page import View

THUMBNAILS = 10
PLACE = """(event) => {
    const box = event.currentTarget.getBoundingClientRect();
    emit([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
}"""


class Starting:
    """The panel from which a visitor loads a face.

    Args:
        view: of the visitor.
    """

    def __init__(self, view: "View"):
        self.view, self.explorer = view, view.explorer
        heading("Start from a test face")
        with ui.row().classes("gap-1 justify-center"):
            for place, name in enumerate(self.explorer.test_faces[:THUMBNAILS]):
                with ui.element("button").classes("thumbnail") as button:
                    button.props["aria-label"] = name
                    pixels = self.explorer.context.test_images.batch([place])[0]
                    ui.element("img").classes("small").props('alt=""').props["src"] = image_source(pixels)
                button.on("click", partial(self.load_test_face, place))
        with ui.expansion("Map of the latents").classes("w-full").props('id="open-map"'):
            self._map()
        heading("Or from a picture of yours")
        self.uploader = uploader(
            "a picture, or a saved face.json", "choose a picture or a saved face", "upload", self.upload
        )
        with ui.row().classes("items-center") as self.own:
            self.seen = ui.element("img").classes("medium").props('alt="your picture, as the model sees it" id="own"')
            self.judgement = ui.label().props('id="judgement"').classes("text-sm max-w-56")
        self.own.visible = False
        self.uploaded = 0

    def _map(self) -> None:
        """A point for each test image; a click loads the nearest one."""
        points = "".join(f'<circle cx="{100 * x:.1f}" cy="{100 * y:.1f}" r="1.2"/>' for x, y in self.explorer.map)
        drawn = ui.html(
            f'<svg viewBox="-3 -3 106 106" role="img" aria-label="test images on two principal components" '
            f'style="width: 100%; cursor: crosshair" fill="#5898d4" fill-opacity="0.7">{points}</svg>',
            sanitize=False,  # numbers alone
        )
        drawn.classes("w-full").props('id="map"').on("click", self.load_from_map, js_handler=PLACE)
        ui.label("Click a point to load its face.").classes("text-sm")

    async def load_test_face(self, place: int) -> None:
        """The visitor has chosen a test image."""
        await self.view.load(self.explorer.test_face(place))

    async def load_from_map(self, event: events.GenericEventArguments) -> None:
        """The visitor has clicked on the map."""
        x, y = ((106 * share - 3) / 100 for share in event.args)
        await self.load_test_face(self.explorer.nearest_on_map(x, y))

    async def upload(self, event: events.UploadEventArguments) -> None:
        """The visitor has uploaded a picture or a saved face."""
        content = await event.file.read()
        self.uploader.reset()
        try:
            if event.file.name.endswith(".json"):
                face = self.explorer.face_from_json(content.decode("utf-8", "replace"))
                self.own.visible = False
                await self.view.load(face)
                return
            own = await run.io_bound(self.explorer.own_picture, content, event.file.name)
        except UserError as reason:
            ui.notify(str(reason), type="negative")
            return
        if own is None:  # the server ends
            return
        self.seen.props["src"] = image_source(np.asarray(own.pixels))
        self.uploaded += 1
        number = self.uploaded
        self.judgement.text = "Your picture as the model sees it."
        self.own.visible = True
        await self.view.load(own.face)
        likeness = await run.io_bound(self.explorer.likeness, own.pixels)
        if likeness and number == self.uploaded:  # no other picture has come meanwhile
            below = f"{likeness.share_below:.0%} of the test images have a lower one"
            self.judgement.text += f" Its ELBO is {likeness.elbo:,.0f} nats; {below}."
