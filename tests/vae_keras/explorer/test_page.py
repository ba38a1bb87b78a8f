"""The explorer's page, driven in a headless Chromium; without one, these tests are left out with the reason."""

import base64
import io
import shutil
import socket
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.explorer import exploring, served
from common.figures import signed
from common.page_server import MOST_BYTES, listening
from tests.browser import check_browser, visitors
from vae_keras.explorer.faces import png
from vae_keras.run_folder import Run


@pytest.fixture(scope="module")
def address(evaluated_run, explorer, cache, tmp_path_factory):
    check_browser()
    folder = shutil.copytree(evaluated_run, tmp_path_factory.mktemp("explored") / "run")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    program = Path(__file__).parent / "small_explorer.py"
    with served(str(program), str(cache), *exploring(folder)) as address:
        yield address
    # Nothing is written. `served` has checked that Ctrl-C ends the server with status 0.
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert Run(folder).metrics in before


@pytest.fixture(scope="module")
def visit(address):
    with visitors(address, "#face[src^=data]") as opened:
        yield opened


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
    for _ in range(400):
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
    page.click("#undo")  # takes back all of them, because no pause lay between
    settled(page, explorer.pixels(explorer.test_face(0)))


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
    page.wait_for_function("document.querySelector('#source').innerText.includes('random face')")
    seed = int(page.inner_text("#source").split()[-1])
    settled(page, explorer.pixels(explorer.random_face(seed)))


def test_a_dragged_slider_stays_under_the_mouse(visit):
    page = visit()
    smile = page.get_by_role("slider", name="smile", exact=True)
    box = smile.bounding_box()
    middle, height = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle, height)
    page.mouse.down()
    values = []
    for step in range(30):
        page.mouse.move(middle + step * box["width"] / 100, height)
        page.wait_for_timeout(20)
        values.append(float(smile.input_value()))
        if step == 15:
            page.wait_for_timeout(400)  # the page shows all other sliders' places meanwhile
            assert float(smile.input_value()) == values[-1]
    page.mouse.up()
    # Updates of the page do not throw it back to an earlier value.
    np.testing.assert_allclose(values, 6 * np.arange(30) / 100, atol=0.2)


def test_a_test_face_is_loaded_by_its_thumbnail_and_on_the_map(visit, explorer):
    page = visit()
    page.get_by_role("button", name=explorer.test_faces[2], exact=True).click()
    settled(page, explorer.pixels(explorer.test_face(2)))
    page.wait_for_function(
        "name => document.querySelector('#source').innerText.includes(name)", arg=explorer.test_faces[2]
    )
    page.click("#open-map")
    page.wait_for_timeout(500)  # the map unfolds
    x, y = (explorer.map[5] * 100 + 3) / 106
    size = page.locator("#map").bounding_box()
    page.locator("#map").click(position={"x": float(x * size["width"]), "y": float(y * size["height"])})
    settled(page, explorer.pixels(explorer.test_face(5)))


def upload(page, name, content):
    page.set_input_files("#upload input[type=file]", {"name": name, "mimeType": "image/png", "buffer": content})


def test_a_picture_of_ones_own_is_shown_beside_its_reconstruction(visit, explorer):
    page, pixels = visit(), explorer.context.test_images.batch([4])[0]
    slide(page, "smile", 2)
    page.get_by_role("slider", name="smile", exact=True).focus()
    upload(page, "me.png", png(pixels))
    settled(page, explorer.pixels(explorer.test_face(4)))
    page.wait_for_function("document.querySelector('#judgement').innerText.includes('ELBO')")
    content = base64.b64decode(page.get_attribute("#own", "src").partition(",")[2])
    with Image.open(io.BytesIO(content)) as seen:
        np.testing.assert_array_equal(np.asarray(seen), pixels.squeeze())
    assert f"{explorer.likeness(pixels).elbo:,.0f}" in page.inner_text("#judgement")
    page.wait_for_function("document.querySelector('[aria-label=smile]').value == 0")  # the new face has no edits


@pytest.mark.parametrize("content", [b"", b"no picture", png(np.zeros((90, 90, 3), np.uint8))[:70]], ids=len)
def test_a_wrong_upload_gets_a_message_and_the_face_stays(visit, content):
    page = visit()
    before = page.get_attribute("#face", "src")
    upload(page, "me.png", content)
    page.wait_for_selector(".q-notification")
    assert "cannot be read" in page.inner_text(".q-notification")
    assert page.get_attribute("#face", "src") == before


def test_a_huge_upload_gets_a_message(visit, tmp_path):
    page = visit()
    (tmp_path / "me.png").write_bytes(bytes(MOST_BYTES + 1))
    page.set_input_files("#upload input[type=file]", tmp_path / "me.png")
    page.wait_for_selector(".q-notification")
    assert "at most" in page.inner_text(".q-notification")


def test_two_faces_and_a_walk_between_them(visit, explorer):
    page = visit()
    walk = page.get_by_role("slider", name="from A to B")
    assert walk.is_disabled()
    page.click("#keep-A")
    page.get_by_role("button", name=explorer.test_faces[3], exact=True).click()
    settled(page, explorer.pixels(explorer.test_face(3)))
    page.click("#keep-B")
    page.wait_for_function("!document.querySelector('[aria-label=\"from A to B\"]').disabled")
    frames = explorer.walk(explorer.test_face(0), explorer.test_face(3))
    walk.fill("0")
    settled(page, frames[0])
    walk.fill("0.5")
    settled(page, frames[round(0.5 * (len(frames) - 1))])
    page.click("#play")
    settled(page, frames[-1])
    with page.expect_download() as saved:
        page.click("#gif")
    with Image.open(saved.value.path()) as animation:
        assert animation.n_frames == 2 * len(frames) - 2


def test_the_factors_that_are_read_follow_the_face(visit, explorer):
    page = visit()
    slide(page, "smile", 2.5)
    face = explorer.test_face(0).with_strength("smile", 2.5)
    read = explorer.factors_of(explorer.pixels(face))
    for name in ("smile", "hair_tone"):
        page.wait_for_function(
            "([id, text]) => document.getElementById(id).innerText === text",
            arg=[f"read-{name}", signed(round(read[name], 1))],
        )
    assert page.get_attribute("#rendered", "src").startswith("data:image/png")


def test_a_face_is_kept_as_files_and_as_a_link(visit, explorer, tmp_path):
    page, face = visit(), explorer.test_face(0).with_strength("smile", 1.5)
    slide(page, "smile", 1.5)
    settled(page, explorer.pixels(face))
    with page.expect_download() as picture:
        page.click("#png")
    with Image.open(picture.value.path()) as image:
        np.testing.assert_allclose(np.asarray(image)[..., None], explorer.pixels(face), atol=1)
    with page.expect_download() as traversal:
        page.click("#gif")
    with Image.open(traversal.value.path()) as animation:
        assert animation.n_frames > 10
    with page.expect_download() as saved:
        page.click("#json")
    kept = saved.value.path().read_bytes()
    assert explorer.face_from_json(kept.decode()).strengths == {"smile": 1.5}
    other = visit()
    upload(other, "face.json", kept)
    settled(other, explorer.pixels(face))
    page.click("#link")
    page.wait_for_function("location.search.length > 10")
    other.goto(page.url)
    other.wait_for_selector("#face[src^=data]")
    settled(other, explorer.pixels(face))


def test_a_damaged_link_gets_a_message_and_a_face(visit, address):
    page = visit()
    for code in ("!", "e30="):
        page.goto(f"{address}/?face={code}")
        page.wait_for_selector("#face[src^=data]")
        page.wait_for_selector(".q-notification")
        assert "in this address" in page.inner_text(".q-notification")


def test_two_visitors_have_faces_of_their_own(visit, explorer):
    one, two = visit(), visit()
    slide(one, "smile", 2)
    slide(two, "smile", -2)
    face = explorer.test_face(0)
    settled(one, explorer.pixels(face.with_strength("smile", 2.0)))
    settled(two, explorer.pixels(face.with_strength("smile", -2.0)))


def test_the_server_room_is_under_a_tab_and_the_face_stays(visit, explorer):
    page = visit()
    slide(page, "smile", 2)
    edited = explorer.pixels(explorer.test_face(0).with_strength("smile", 2.0))
    settled(page, edited)
    page.get_by_role("tab", name="Server room").click()
    page.locator('[aria-label="M = True"]').click()
    page.wait_for_selector("button.way.active")
    height = page.evaluate("document.querySelector('.network .bar').getBBox().height")
    assert height == 10  # the styles of the other page leave the drawing alone
    assert "collider" in page.inner_text("button.way")
    page.get_by_role("tab", name="Faces").click()
    settled(page, edited)
    assert page.get_by_role("slider", name="smile", exact=True).input_value() == "2"


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
    for control in page.locator("input:not(.hidden), button, [role=button]").all():
        assert control.get_attribute("aria-label") or control.text_content().strip()
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
    for site in ("cross-site", "same-site"):
        assert status(address, **{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}) == 403
        framed = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
        assert status(address, **framed) == 403
        assert status(address, **{**framed, "Sec-Fetch-Dest": "document"}) == 200  # a link
    with urllib.request.urlopen(address) as answer:
        assert answer.headers["X-Frame-Options"] == "DENY"
    assert "101" in handshake(address, address)
    assert "101" not in handshake(address, "http://evil.example")


def test_a_huge_request_is_refused(address):
    assert status(address, **{"Content-Length": str(MOST_BYTES + 1)}) == 413
    assert status(address, **{"Transfer-Encoding": "chunked"}) == 413


def test_another_server_gets_another_port():
    with listening(0) as first:
        usual = first.getsockname()[1]
        with listening(usual) as second:  # as two explorers that start at the same time
            assert second.getsockname()[1] not in (usual, 0)
    with listening(usual) as again:
        assert again.getsockname()[1] == usual
