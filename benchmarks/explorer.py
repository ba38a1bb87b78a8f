"""The explorer in a real browser: milliseconds from a move of a slider to the new picture on the screen.

python -m pip install -r requirements-dev.txt
python -m benchmarks.explorer runs/NAME [runs/NAME ...]

A headless Chromium opens the page of each run and moves one slider by a key, again and again. The time is that of the
page's own clock, from the key to the moment when the browser has decoded the new picture. Then a slider is dragged
quickly through many values, and the time until the last of them is shown is measured: pictures that waited in a queue
would add up.
"""

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from vae_keras.report.pdf import find_browser

ROOT = Path(__file__).resolve().parent.parent
PROGRAM: Sequence[str] = ("evaluate.py",)  # what Python runs, before the arguments of evaluate.py
MOVES, DRAGGED = 60, 40
PATIENCE = 60_000.0  # milliseconds for the first picture
WATCH = """
() => {
    const face = document.querySelector("#face");
    window.moved = [];
    window.last = 0;
    let start = 0;
    document.addEventListener("keydown", () => { start = performance.now(); }, true);
    new MutationObserver(async () => {
        const since = start;
        await face.decode();
        window.last = performance.now();
        window.moved.push(window.last - since);
    }).observe(face, {attributes: true, attributeFilter: ["src"]});
}
"""


@contextmanager
def served(*command: str) -> Iterator[str]:
    """The address of a page that `python COMMAND` serves while the block runs.

    Raises:
        RuntimeError: the server does not start, does not end at Ctrl-C, or logs a traceback.
    """
    # BROWSER: nothing is opened on the screen. Tests set the other variable, and NiceGUI would act on it.
    environment = {**os.environ, "BROWSER": "true"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    environment["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            address = re.search(r"http://[\d.:]+", line)
            if address:
                yield address[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)
        log.seek(0)
        told = log.read()
        if not address:
            raise RuntimeError(f"the explorer did not start: {line} {told}")
        if process.returncode or "Traceback" in told:
            raise RuntimeError(f"the explorer ended with status {process.returncode}: {told}")


def exploring(run: Path) -> tuple[str, ...]:
    """The arguments of evaluate.py that open the page of a run."""
    return ("--run", str(run.resolve()), "--explore")


@contextmanager
def opened(address: str, ready: str = "#face[src^=data]") -> Iterator[Page]:
    """A page in a headless browser, once it shows what `ready` selects: a face, unless it is another page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector(ready, timeout=PATIENCE)
        yield page
        browser.close()


def milliseconds(page: Page) -> tuple[list[float], float]:
    """The times of single moves; and of a quick drag, the time from its end to the last picture."""
    page.evaluate(WATCH)
    slider = page.get_by_role("slider").first
    for number in range(MOVES):
        slider.press("ArrowRight" if number % 20 < 10 else "ArrowLeft")
        page.wait_for_function(f"window.moved.length > {number}")
    single = page.evaluate("window.moved")
    for _ in range(DRAGGED):
        slider.press("ArrowRight")
    ended = page.evaluate("performance.now()")
    page.wait_for_timeout(1000)
    return single, max(0.0, page.evaluate("window.last") - ended)


def main() -> None:
    """Print a table with a row for each run."""
    folders = sys.argv[1:]
    table = Table(
        "run", "median ms", "90 %", "largest", "last picture after a drag, ms", title="from a move to the picture"
    )
    for folder in folders:
        with served(*PROGRAM, *exploring(Path(folder))) as address, opened(address) as page:
            single, after_drag = milliseconds(page)
        ninety = statistics.quantiles(single, n=10)[-1]
        table.add_row(
            folder, *(f"{value:.0f}" for value in (statistics.median(single), ninety, max(single), after_drag))
        )
    Console().print(table)


if __name__ == "__main__":
    main()
