"""A headless Chromium for tests of pages; without one, these tests are left out with the reason."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

from benchmarks.explorer import PATIENCE
from common.errors import UserError
from vae_keras.report.pdf import find_browser


def check_browser() -> None:
    """Skip the test if no browser is installed."""
    try:
        find_browser()
    except UserError as reason:
        pytest.skip(str(reason))


@contextmanager
def visitors(address: str, ready: str) -> Iterator:
    """A function that opens a page for another visitor, whose browser reaches this machine alone.

    Args:
        ready: a selector of what the page shows once it answers.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        contexts = []

        def visit(**options):
            context = browser.new_context(**options)
            contexts.append(context)
            context.route(lambda url: not url.startswith((address, "data:")), lambda route: route.abort())
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            page.asked = []
            page.on("request", lambda request: page.asked.append(request.url))
            page.goto(address)
            page.wait_for_selector(ready)
            return page

        yield visit
        for context in contexts:
            context.close()
        browser.close()
