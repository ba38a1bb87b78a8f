"""Take the picture of the explorer for README and tutorial: python -m docs.screenshot, after make demo."""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize

from benchmarks.explorer import opened, served
from common.files import atomic_write

RUN = Path("runs/demo")
PICTURE = Path(__file__).resolve().parent / "images" / "explorer.png"
SIZE: ViewportSize = {"width": 1060, "height": 800}
START, SMILE = 1, "1.5"  # the test face, and the strength of its smile
PATIENCE = 2000.0  # milliseconds for sliders and bars to follow


def main() -> None:
    """Load a test face, let it smile, and save what the page shows."""
    with served(RUN) as address, opened(address) as page:
        page.set_viewport_size(SIZE)
        page.locator("button.thumbnail").nth(START).click()
        page.wait_for_timeout(PATIENCE)
        page.get_by_role("slider", name="smile", exact=True).fill(SMILE)
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        page.wait_for_timeout(PATIENCE)
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    with atomic_write(PICTURE) as temporary:
        shot.save(temporary, optimize=True)
    print(PICTURE)


if __name__ == "__main__":
    main()
