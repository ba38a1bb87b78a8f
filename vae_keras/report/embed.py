"""Images inside the page, so that the page needs no other file: PNG as data URIs, titles and captions as text."""

import base64
import io
from typing import NamedTuple

from matplotlib.figure import Figure
from PIL import Image

DOTS_PER_INCH = 120
KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}
WIDE = 1.5  # width divided by height


class Picture(NamedTuple):
    """A figure as an image, with its title and caption as text.

    Attributes:
        title: the title of the figure.
        caption: the caption of the figure.
        attributes: the HTML attributes of the image: a data URI and the size in pixels.
    """

    title: str
    caption: str
    attributes: dict[str, str]


def taken_apart(figure: Figure) -> Picture:
    """The image of a figure, without the title and caption that `common.figures.title_and_caption` has set."""
    title, caption = figure.get_suptitle(), " ".join(figure.get_supxlabel().split())
    # Without them in the layout, the margins that they leave are cut off.
    for words in (figure.suptitle(""), figure.supxlabel("")):
        words.set_in_layout(False)
    file = io.BytesIO()
    # Without metadata, because it would contain the version of Matplotlib.
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight", metadata={"Software": None})
    return Picture(title, caption, embedded(file.getvalue(), ".png"))


def embedded(content: bytes, suffix: str) -> dict[str, str]:
    """The HTML attributes of an image: a data URI with the bytes of the file, and the size in pixels.

    A wide image would be too small to read on a phone. The attribute `class="wide"` lets the reader scroll sideways.
    """
    width, height = Image.open(io.BytesIO(content)).size
    address = f"data:{KINDS[suffix.lower()]};base64,{base64.b64encode(content).decode('ascii')}"
    sizes = {"src": address, "width": str(width), "height": str(height)}
    return sizes | ({"class": "wide"} if width >= WIDE * height else {})
