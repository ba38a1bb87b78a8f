"""Take the pictures of both explorers for README and tutorial: python -m docs.screenshot, after make demo."""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize

from benchmarks.explorer import PROGRAM, exploring, opened, served
from common.files import atomic_write

RUN = Path("runs/demo")
IMAGES = Path(__file__).resolve().parent / "images"
FACES: ViewportSize = {"width": 1060, "height": 848}
ROOM: ViewportSize = {"width": 1160, "height": 720}
START, SMILE = 1, "1.5"  # the test face, and the strength of its smile
PATIENCE = 2000.0  # milliseconds for sliders and bars to follow


def save(page: Page, name: str) -> None:
    """Save what the page shows as a picture of the documentation."""
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.wait_for_timeout(PATIENCE)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    with atomic_write(IMAGES / name) as temporary:
        shot.save(temporary, optimize=True)
    print(IMAGES / name)


def main() -> None:
    """Let a test face smile, and observe the message of the server room; save what the pages show."""
    with served("-m", "pgm_tfp", "explore") as address, opened(address, "[data-shown]") as page:
        page.set_viewport_size(ROOM)
        page.locator('[aria-label="M = True"]').click()
        save(page, "room.png")
    with served(*PROGRAM, *exploring(RUN)) as address, opened(address) as page:
        page.set_viewport_size(FACES)
        page.locator("button.thumbnail").nth(START).click()
        page.wait_for_timeout(PATIENCE)
        page.get_by_role("slider", name="smile", exact=True).fill(SMILE)
        save(page, "explorer.png")


if __name__ == "__main__":
    main()
