"""Pictures inside the page, so that it needs no other file: PNG as data URIs, what is written on them as text."""

import base64
import io
from typing import NamedTuple

from matplotlib.figure import Figure
from PIL import Image

DOTS_PER_INCH = 120
KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}
WIDE = 1.5  # times as wide as high


class Picture(NamedTuple):
    """A figure without its words, and its words.

    Attributes:
        attributes: of the image: a data URI, its size.
    """

    title: str
    caption: str
    attributes: dict[str, str]


def taken_apart(figure: Figure) -> Picture:
    """A figure of `common.figures.title_and_caption`, its title and caption as text and no longer in the picture."""
    title, caption = figure.get_suptitle(), " ".join(figure.get_supxlabel().split())
    # Empty words take no room in the layout; what they leave free at the edges is cut off.
    for words in (figure.suptitle(""), figure.supxlabel("")):
        words.set_in_layout(False)
    file = io.BytesIO()
    # No metadata: it would hold the version of Matplotlib.
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight", metadata={"Software": None})
    return Picture(title, caption, embedded(file.getvalue(), ".png"))


def embedded(content: bytes, suffix: str) -> dict[str, str]:
    """The attributes of an image that shows a file's bytes: an address that holds them, and the size in pixels.

    What would be too small to read on a phone is of class `wide`: the page lets it be moved sideways there.
    """
    width, height = Image.open(io.BytesIO(content)).size
    address = f"data:{KINDS[suffix.lower()]};base64,{base64.b64encode(content).decode('ascii')}"
    sizes = {"src": address, "width": str(width), "height": str(height)}
    return sizes | ({"class": "wide"} if width >= WIDE * height else {})
