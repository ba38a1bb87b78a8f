"""The report as PDF: Chromium opens the page and prints it."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from common.errors import UserError
from common.files import atomic_write

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 180  # seconds
# The page loads nothing, and these flags keep the browser from loading updates.
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-pdf-header-footer",
)
DATE = re.compile(rb"\(D:\d{14}\+00'00'\)")
NO_DATE = b"(D:20000101000000+00'00')"  # of the same length as every date, because a PDF contains byte positions


def find_browser() -> str:
    """The path of the installed Chromium or Chrome.

    Raises:
        UserError: neither is installed.
    """
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if not found:
        raise UserError(
            f"--pdf needs Chromium or Chrome (looked for {', '.join(BROWSERS)}); install one, or leave --pdf out, "
            "open report.html in a browser and print it"
        )
    return found


def print_pdf(browser: str, page: Path, path: Path, patience: float = PATIENCE) -> None:
    """Print an HTML file to the PDF file `path`. The file is written completely or not at all.

    Raises:
        UserError: the browser fails, or does not finish within `patience` seconds.
    """
    remedy = f"open {page} in a browser and print it"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, atomic_write(path) as temporary:
        arguments = [f"--user-data-dir={profile}", f"--print-to-pdf={temporary.resolve()}", page.resolve().as_uri()]
        try:
            ended = subprocess.run(
                [browser, *FLAGS, *_without_sandbox(), *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise UserError(f"{browser} did not print {page} within {patience:g} seconds; {remedy}") from late
        content = temporary.read_bytes()
        if not content.startswith(b"%PDF"):
            raise UserError(f"{browser} printed nothing (status {ended.returncode}); {remedy}")
        temporary.write_bytes(DATE.sub(NO_DATE, content))  # the same report gives the same file


def _without_sandbox() -> list[str]:
    """The flag that root needs, as in a container: Chromium refuses to run as root with its sandbox."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
