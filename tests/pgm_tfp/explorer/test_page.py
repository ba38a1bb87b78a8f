"""The page of a network, driven in a headless Chromium."""

import gzip
import itertools
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pgmpy
import pytest

from benchmarks.explorer import served
from pgm_tfp import catalogue, exact
from pgm_tfp.__main__ import main
from pgm_tfp.approximate import mean_field
from pgm_tfp.explorer.drawing import percent
from tests.browser import check_browser, visitors
from tests.pgm_tfp.oracles_exact import pgmpy_model

ROOM = catalogue.server_room()
VARIABLES = [*ROOM.graph]
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def address():
    check_browser()
    with served("-m", "pgm_tfp", "explore") as address:
        yield address


@pytest.fixture(scope="module")
def visit(address):
    with visitors(address, "[data-shown]") as opened:
        yield opened


def shown(page, variable, state, variables=VARIABLES):
    return page.text_content(f"#value-{variables.index(variable)}-{state}")


def says(page, identity, text):
    """Wait until an element has this text in it."""
    page.wait_for_function(
        "([identity, text]) => document.getElementById(identity)?.textContent.includes(text)", arg=[identity, text]
    )


def at_rest(page):
    """Wait until nothing moves."""
    page.wait_for_function("document.getAnimations().length === 0")


def width(page):
    """The width of the drawing, as a share of its own size and as a share of its frame."""
    return page.evaluate(
        """() => {
            const drawing = document.querySelector(".network"), shown = drawing.getBoundingClientRect().width;
            return [shown / drawing.viewBox.baseVal.width, shown / document.getElementById("canvas").clientWidth];
        }"""
    )


def settled(page, network, evidence):
    """Wait until the page shows these posteriors, and check all of them."""
    expected = exact.marginals(network, evidence)
    texts = {
        f"value-{number}-{place}": percent(probability)
        for number, name in enumerate(network.graph)
        for place, probability in enumerate(expected[name].values())
    }
    page.wait_for_function(
        "texts => Object.entries(texts).every(([id, text]) => document.getElementById(id)?.textContent === text)",
        arg=texts,
    )


def state(page, text):
    return page.locator(f'[aria-label="{text}"]')


def test_a_click_observes_a_state_and_another_releases_it(visit):
    page = visit()
    settled(page, ROOM, {})
    state(page, "M = True").click()
    settled(page, ROOM, {"M": True})
    assert state(page, "M = True").get_attribute("aria-pressed") == "true"
    state(page, "S = False").click()
    settled(page, ROOM, {"M": True, "S": False})
    state(page, "S = True").click()  # instead of the other state
    settled(page, ROOM, {"M": True, "S": True})
    state(page, "M = True").click()
    settled(page, ROOM, {"S": True})
    page.get_by_role("button", name="release S=True").click()
    settled(page, ROOM, {})


def test_a_bar_is_as_long_as_its_probability(visit):
    page = visit()
    state(page, "M = True").click()
    settled(page, ROOM, {"M": True})
    at_rest(page)
    number, expected = VARIABLES.index("A"), exact.marginal(ROOM, "A", {"M": True})
    for place, probability in enumerate(expected.values()):
        share = page.evaluate(
            f"document.getElementById('bar-{number}-{place}').getBBox().width"
            f" / document.getElementById('bar-{number}-{place}').dataset.room"
        )
        assert share == pytest.approx(probability, abs=0.01)


def test_mean_field_is_beside_the_exact_answer(visit):
    page = visit()
    state(page, "M = True").click()
    found = mean_field(ROOM, {"M": True})
    says(page, "approximate", f"{found.elbo:.4f}")
    number = VARIABLES.index("O")
    page.wait_for_selector(f"#approximate-{number}-0[visibility=visible]", state="attached")
    at_rest(page)
    for place, probability in enumerate(found.marginals["O"].values()):
        at = page.evaluate(
            f"(() => {{ const mark = document.getElementById('approximate-{number}-{place}');"
            "return new DOMMatrix(getComputedStyle(mark).transform).e / mark.dataset.room; })()"
        )
        assert at == pytest.approx(probability, abs=0.02)
    page.get_by_text("mean field beside exact").click()
    page.wait_for_function("!document.getElementById('approximate').innerText")
    page.wait_for_selector(f"#approximate-{number}-0[visibility=hidden]", state="attached")


def test_why_o_and_a_depend_on_each_other_given_m(visit):
    page = visit()
    page.wait_for_selector("button.way.blocked")
    assert "independent" in page.inner_text("#verdict")
    state(page, "M = True").click()
    page.wait_for_selector("button.way.active")
    assert "collider" in page.inner_text("button.way")
    assert "M is observed" in page.inner_text("button.way")
    lit = page.locator(".edge.active title").all_text_contents()
    assert lit == ["O → T", "A → T"]


def test_a_trail_that_one_clicks_is_lit(visit):
    page = visit()
    page.locator("#chosen").click()
    page.get_by_role("option", name="assignment 1 3").click()
    says(page, "about", "assignment_1_3")
    ways = page.locator("button.way")
    page.wait_for_function("document.querySelectorAll('button.way').length > 2")
    ways.nth(2).click()
    page.wait_for_function("document.querySelectorAll('button.way')[2].classList.contains('lit')")
    trail = ways.nth(2).locator(".trail").inner_text()
    nodes = [part for part in trail.split() if part.startswith("x")]
    expected = sorted("".join(sorted(pair)) for pair in itertools.pairwise(nodes))
    page.wait_for_function(  # the drawing follows the list
        """expected => {
            const lit = [...document.querySelectorAll(".edge.blocked title, .edge.active title")];
            const pairs = lit.map(title => title.textContent.split(" → ").sort().join("")).sort();
            return pairs.join() === expected.join();
        }""",
        arg=expected,
    )


def test_do_cuts_the_edges_into_a_variable(visit):
    page = visit()
    page.get_by_role("button", name="set, do()").click()
    state(page, "T = True").click()
    settled(page, ROOM.do({"T": True}), {})
    assert page.locator(".edge.cut title").all_text_contents() == ["O → T", "A → T"]
    state(page, "T = True").hover()
    page.get_by_role("button", name="observe").click()
    state(page, "M = True").click()
    says(page, "evidence", "log p(M=True | do(T=True)) = -0.0513")
    says(page, "verdict", "given M, do(T)")
    state(page, "M = True").click()
    page.get_by_role("button", name="release do(T=True)").click()
    settled(page, ROOM, {})


def test_the_most_probable_explanation(visit):
    page = visit()
    state(page, "M = True").click()
    page.get_by_text("most probable explanation").click()
    states, _ = exact.most_probable(ROOM, {"M": True})
    page.wait_for_function("document.getElementById('explanation').innerText.length > 10")
    assert all(f"{name}={value}" in page.inner_text("#explanation") for name, value in states.items())
    best = page.locator(".row.best").evaluate_all("rows => rows.map(row => row.ariaLabel)")
    assert best == [f"{name} = {value}" for name, value in states.items()]


def test_impossible_findings_are_taken_back_with_the_reason(visit):
    page = visit()
    upload(page, "equal.bif", equal_variables())
    names = ["x", "y"]
    page.wait_for_selector('[aria-label="y = b"]')
    state(page, "x = a").click()
    says(page, "value-1-0", "100%")
    state(page, "y = b").click()
    page.wait_for_selector(".q-notification:has-text('impossible')")
    says(page, "value-1-0", "100%")
    assert page.locator("#fixed").inner_text().count("=") == 1
    assert shown(page, "x", 0, names) == "100%"


def test_keys_observe_states(visit):
    page = visit()
    state(page, "T = True").focus()
    page.keyboard.press("Enter")
    settled(page, ROOM, {"T": True})
    assert page.evaluate("document.activeElement.ariaLabel") == "T = True"  # the focus stays
    page.keyboard.press(" ")
    settled(page, ROOM, {})


def upload(page, name, content):
    page.set_input_files("#network-file input[type=file]", {"name": name, "mimeType": "text/plain", "buffer": content})


def equal_variables(name="y"):
    return f"""network n {{ }}
variable x {{ type discrete [ 2 ] {{ a, b }}; }}
variable {name} {{ type discrete [ 2 ] {{ a, b }}; }}
probability ( x ) {{ table 0.5, 0.5; }}
probability ( {name} | x ) {{ (a) 1.0, 0.0; (b) 0.0, 1.0; }}
""".encode()


def known(name):
    return gzip.decompress((Path(pgmpy.__file__).parent / "utils" / "example_models" / f"{name}.bif.gz").read_bytes())


def test_a_file_of_76_variables_is_drawn_legibly(visit):
    page = visit()
    upload(page, "win95pts.bif", known("win95pts"))
    says(page, "about", "76")
    network = type(ROOM).from_pgmpy(pgmpy_model("win95pts"))
    page.wait_for_function("document.querySelectorAll('[data-box]').length === 76")
    boxes = page.locator("[data-box] .box").evaluate_all(
        "boxes => boxes.map(box => { const b = box.getBoundingClientRect(); return [b.x, b.y, b.right, b.bottom]; })"
    )
    for place, (x, y, right, bottom) in enumerate(boxes):
        for a, b, c, d in boxes[:place]:
            assert right <= a + 1 or c <= x + 1 or bottom <= b + 1 or d <= y + 1
    assert width(page)[0] > 0.99  # letters of 12 pixels
    # No text is wider than its box.
    wide = page.evaluate(
        "[...document.querySelectorAll('[data-box]')].filter(box => { const room = box.querySelector('.box').getBBox();"
        "return [...box.querySelectorAll('text')].some(text => { const t = text.getBBox();"
        "return t.x < room.x || t.x + t.width > room.x + room.width; }); }).length"
    )
    assert wide == 0
    first = next(iter(network.graph))
    assert page.locator(f'[aria-label^="{first} = "]').count() == len(network.states[first])
    page.get_by_text("the whole network at once").click()
    page.wait_for_selector(".canvas.whole")
    assert width(page)[1] <= 1.01


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("munin1.bif", "munin1", "186 variables"),
        ("broken.bif", b"network {", "broken.bif"),
        ("latin.bif", b"network \xe9", "UTF-8"),
        ("picture.png", b"", ".bif"),
    ],
)
def test_a_file_that_cannot_be_shown_gets_a_message_and_the_network_stays(visit, name, content, said):
    page = visit()
    upload(page, name, known(content) if isinstance(content, str) else content)
    page.wait_for_selector(f".q-notification:has-text({said!r})")
    settled(page, ROOM, {})


def test_markup_in_names_is_text(visit):
    page = visit()
    page.on("dialog", lambda dialog: pytest.fail("a script of the file ran"))
    upload(page, f"{MARKUP}.bif", equal_variables(f'"{MARKUP}"'))
    says(page, "about", "2 variables")
    page.wait_for_selector("button.way")
    assert page.locator("img").count() == 0
    assert MARKUP in page.locator("[data-box] title").all_text_contents()
    assert MARKUP in page.inner_text("button.way")


def test_the_thermal_room_shows_densities(visit):
    page = visit()
    page.locator("#chosen").click()
    page.get_by_role("option", name="server room thermal").click()
    page.wait_for_selector("#numbers input", timeout=120_000)
    names = [*catalogue.server_room_thermal().graph]
    temperature = names.index("C")
    says(page, f"value-{temperature}-0", "21.7 ± 2.3")
    before = page.get_attribute(f"#curve-{temperature}", "d")
    page.get_by_label("R, from").fill("31")
    says(page, f"value-{temperature}-0", "30.7 ±")
    assert page.get_attribute(f"#curve-{temperature}", "d") != before
    page.get_by_role("button", name="release R=31.0").click()
    says(page, f"value-{temperature}-0", "21.7 ±")
    assert page.get_by_label("R, from").input_value() == ""


def test_a_network_chosen_during_an_answer_or_a_reading_takes_its_place(visit):
    page, student = visit(), catalogue.student()
    upload(page, "barley.bif", known("barley"))  # takes a second to read, and half a second for an answer
    page.locator("#chosen").click()
    page.get_by_role("option", name="student").click()
    settled(page, student, {})
    page.wait_for_timeout(4000)  # the other network has been read by now
    settled(page, student, {})
    upload(page, "barley.bif", known("barley"))
    says(page, "about", "barley")
    page.locator("[data-state]").first.click()
    page.locator("#chosen").click()
    page.get_by_role("option", name="student").click()
    settled(page, student, {})
    state(page, "I = high").click()
    settled(page, student, {"I": "high"})


def test_a_visitor_may_leave_during_an_answer(visit):
    page = visit()
    upload(page, "barley.bif", known("barley"))
    page.wait_for_timeout(300)
    page.close()  # `served` checks that the server logs no traceback
    settled(visit(), ROOM, {})


def test_two_visitors_have_findings_of_their_own(visit):
    one, two = visit(), visit()
    state(one, "M = True").click()
    state(two, "S = True").click()
    settled(one, ROOM, {"M": True})
    settled(two, ROOM, {"S": True})


def test_every_request_goes_to_this_machine(visit, address):
    page = visit()
    assert len(page.asked) > 3
    assert all(url.startswith((address, "data:", address.replace("http", "ws"))) for url in page.asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_page_without_scrolling_sideways(visit, scheme):
    page = visit(viewport={"width": 360, "height": 700}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.body.classList.contains('body--dark')") == (scheme == "dark")


def test_every_control_has_a_name(visit):
    page = visit()
    for control in page.locator("input:not(.hidden), button, [role=button]").all():
        assert control.get_attribute("aria-label") or control.text_content().strip()


def test_a_browser_that_leaves_before_the_answer_leaves_no_traceback():
    with served("-m", "pgm_tfp", "explore") as address:  # checks the log at its end
        place = urlsplit(address)
        with urlopen(address) as response:
            files = re.findall(r'(?:src|href)="(/_nicegui[^"]+)"', response.read().decode())
        for path in 20 * ["/", *files[:5]]:
            with socket.create_connection((place.hostname, place.port)) as left:
                left.sendall(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())


def test_a_network_that_is_too_large_does_not_start(tmp_path, capsys):
    path = tmp_path / "munin1.bif"
    path.write_bytes(known("munin1"))
    assert main(["explore", "--network", str(path)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert "186 variables" in line
