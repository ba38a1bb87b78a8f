"""What a visitor takes along: a picture, an animation, the latents, a link."""

import base64
import binascii
from typing import TYPE_CHECKING

from nicegui import run, ui

from common.errors import UserError
from common.page_parts import heading
from vae_keras.explorer.faces import Explorer, Face, gif, png

if TYPE_CHECKING:
    from vae_keras.explorer.page import View

LINKED = "face"  # the parameter of a link


class Keeping:
    """The panel with which a visitor saves what they see. The browser saves it; the server writes no file.

    Args:
        view: of the visitor.
    """

    def __init__(self, view: "View"):
        self.view, self.explorer = view, view.explorer
        heading("Keep it")
        with ui.row().classes("gap-1"):
            ui.button("PNG", on_click=self.save_png).props('flat id="png"')
            ui.button("GIF", on_click=self.save_gif).props('flat id="gif"')
            ui.button("JSON", on_click=self.save_json).props('flat id="json"')
            ui.button("Link", on_click=self.link).props('flat id="link"')
        ui.label("GIF: the walk from A to B, or the last slider that you moved through its whole range.").classes(
            "text-sm"
        )

    async def save_png(self) -> None:
        """Save the face as a PNG."""
        ui.download.content(png(self.explorer.pixels(self.view.face)), "face.png", "image/png")

    async def save_gif(self) -> None:
        """Save the walk between two faces, or a traversal of the slider that was moved last."""
        ends, moved = self.view.walking.ends, self.view.moved_last
        if len(ends) == len("AB"):
            frames = await run.io_bound(self.explorer.walk, ends["A"], ends["B"])
        elif moved is not None:
            frames = await run.io_bound(self.explorer.traversal, self.view.face, moved)
        else:
            ui.notify("move a slider first, or keep two faces as A and B", type="warning")
            return
        if frames is not None:
            ui.download.content(gif(frames), "face.gif", "image/gif")

    async def save_json(self) -> None:
        """Save the latents and the edits as JSON."""
        ui.download.content(self.view.face.as_json(), "face.json", "application/json")

    async def link(self) -> None:
        """Put the face into the address of the page."""
        code = base64.urlsafe_b64encode(self.view.face.as_json().encode()).decode()
        ui.navigate.history.replace(f"/?{LINKED}={code}")
        ui.notify("the address of this page now leads back to this face; copy it")


def face_in_link(explorer: Explorer) -> Face | None:
    """The face in the address of the page; None if there is none.

    Raises:
        UserError: the address is damaged, or has a face of another model.
    """
    code = ui.context.client.request.query_params.get(LINKED)
    if code is None:
        return None
    try:
        text = base64.b64decode(code, altchars=b"-_", validate=True).decode()
        return explorer.face_from_json(text)
    except (binascii.Error, ValueError, UserError) as reason:
        raise UserError("the face in this address is damaged or of another model; open the page without it") from reason
