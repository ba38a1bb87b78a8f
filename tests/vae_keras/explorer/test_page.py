"""The explorer's page, driven in a headless Chromium; without one, these tests are left out with the reason."""

import base64
import io
import shutil
import socket
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from benchmarks.explorer import PATIENCE, served
from common.errors import UserError
from vae_keras.explorer.server import MOST_BYTES, free_port
from vae_keras.report.pdf import find_browser
from vae_keras.run_folder import Run


@pytest.fixture(scope="module")
def address(evaluated_run, tmp_path_factory):
    try:
        find_browser()
    except UserError as reason:
        pytest.skip(str(reason))
    folder = shutil.copytree(evaluated_run, tmp_path_factory.mktemp("explored") / "run")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with served(folder) as address:
        yield address
    # Nothing is written. `served` has checked that Ctrl-C ends the server with status 0.
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert Run(folder).metrics in before


@pytest.fixture(scope="module")
def browser(address):
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser, address):
    """A function that opens the page for another visitor, whose browser reaches this machine alone."""
    contexts = []

    def opened(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        context.route(lambda url: not url.startswith((address, "data:")), lambda route: route.abort())
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(address)
        page.wait_for_selector("#face[src^=data]")
        return page

    yield opened
    for context in contexts:
        context.close()


def shown(page):
    """The pixels of the face on the page."""
    content = base64.b64decode(page.get_attribute("#face", "src").partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image).reshape(32, 32, 1)


def slide(page, name, value):
    """Move a slider to a value and wait for the new picture."""
    before = page.get_attribute("#face", "src")
    page.get_by_role("slider", name=name, exact=True).fill(str(value))
    changed(page, before)


def changed(page, before):
    page.wait_for_function("before => document.querySelector('#face').src !== before", arg=before)


def settled(page, pixels):
    """Wait until the page shows these pixels; a drag may show others before."""
    for _ in range(100):
        if np.abs(shown(page).astype(int) - pixels).max() <= 1:
            return
        page.wait_for_timeout(50)
    raise AssertionError("the page does not show the expected face")


def test_a_slider_changes_the_face_as_the_functions_say(visit, explorer):
    page, face = visit(), explorer.test_face(0)
    settled(page, explorer.pixels(face))
    slide(page, "smile", 2)
    settled(page, explorer.pixels(face.with_strength("smile", 2.0)))
    other = [*explorer.directions][-1]
    slide(page, other.replace("_", " "), -1.5)
    edited = face.with_strength("smile", 2.0).with_strength(other, -1.5)
    settled(page, explorer.pixels(edited))
    latent = explorer.latents[0]
    slide(page, latent.name.replace("_", " "), 0.5)
    settled(page, explorer.pixels(explorer.with_latent(edited, latent.number, 0.5)))


def test_many_quick_moves_end_with_the_last(visit, explorer):
    page = visit()
    smile = page.get_by_role("slider", name="smile", exact=True)
    smile.focus()
    for _ in range(30):
        smile.press("ArrowRight")
    settled(page, explorer.pixels(explorer.test_face(0).with_strength("smile", 1.5)))
    page.wait_for_function("document.querySelector('[aria-label=smile]').value == 1.5")


def test_undo_and_reset(visit, explorer):
    page, face = visit(), explorer.test_face(0)
    assert page.locator("#undo").is_disabled()
    slide(page, "smile", 2)
    slide(page, "jaw", 1)
    page.click("#undo")
    settled(page, explorer.pixels(face.with_strength("smile", 2.0)))
    page.wait_for_function("document.querySelector('[aria-label=jaw]').value == 0")
    page.click("#reset")
    settled(page, explorer.pixels(face))
    page.wait_for_function("document.querySelector('[aria-label=smile]').value == 0")


def test_a_random_face_replaces_the_first(visit, explorer):
    page = visit()
    before = page.get_attribute("#face", "src")
    page.click("#random")
    changed(page, before)
    assert "random face" in page.inner_text("#source")
    seed = int(page.inner_text("#source").split()[-1])
    settled(page, explorer.pixels(explorer.random_face(seed)))


def test_two_visitors_have_faces_of_their_own(visit, explorer):
    one, two = visit(), visit()
    slide(one, "smile", 2)
    slide(two, "smile", -2)
    face = explorer.test_face(0)
    settled(one, explorer.pixels(face.with_strength("smile", 2.0)))
    settled(two, explorer.pixels(face.with_strength("smile", -2.0)))


def test_every_request_goes_to_this_machine(visit, address):
    page = visit()
    assert len(page.asked) > 3
    assert all(url.startswith((address, "data:", address.replace("http", "ws"))) for url in page.asked)
    assert not page.locator("script[src^='http']").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_page_without_scrolling_sideways(visit, scheme):
    page = visit(viewport={"width": 360, "height": 700}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.body.classList.contains('body--dark')") == (scheme == "dark")


def test_every_control_has_a_name_and_can_be_reached_by_keys(visit, explorer):
    page = visit()
    for control in page.locator("input, button, [role=button]").all():
        assert control.get_attribute("aria-label") or control.inner_text().strip()
    page.keyboard.press("Tab")
    reached = set()
    for _ in range(40):
        reached.add(page.evaluate("document.activeElement.ariaLabel || document.activeElement.innerText"))
        page.keyboard.press("Tab")
    assert {name.replace("_", " ") for name in explorer.directions} < reached


def status(address, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def handshake(address, origin):
    """The first line that answers an attempt to open a WebSocket."""
    host = address.removeprefix("http://")
    name, port = host.split(":")
    with socket.create_connection((name, int(port)), timeout=10) as connection:
        connection.sendall(
            f"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        return connection.recv(100).decode().splitlines()[0]


def test_pages_of_other_origins_are_refused(address):
    assert status(address) == 200
    assert status(address, Host=address.removeprefix("http://").replace("127.0.0.1", "localhost")) == 200
    assert status(address, Host="evil.example") == 403  # a name that points here
    assert status(address, Host=address.removeprefix("http://") + "1") == 403
    assert status(address, Origin="http://evil.example") == 403
    assert status(address, Origin="null") == 403
    assert status(address, Origin=address) == 200
    assert status(address, **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}) == 403
    assert "101" in handshake(address, address)
    assert "101" not in handshake(address, "http://evil.example")


def test_a_huge_request_is_refused(address):
    assert status(address, **{"Content-Length": str(MOST_BYTES + 1)}) == 413


def test_a_free_port_is_taken_if_the_usual_one_is_not_free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        usual = taken.getsockname()[1]
        assert free_port(usual) not in (usual, 0)
    assert free_port(usual) == usual
