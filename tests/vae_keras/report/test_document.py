"""The whole page: does it hold together, does it need nothing else, is it the same twice, does a browser show it."""

import json
import re
import subprocess
from html.parser import HTMLParser

import pytest

from common.errors import UserError
from tests.vae_keras.report.conftest import report_on
from vae_keras.report.links import check_links
from vae_keras.report.pdf import FLAGS, _without_sandbox

LOADED = {
    "img": "src",
    "script": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "image": "href",
}
VOID = {"meta", "img", "br", "hr", "link", "input", "wbr", "col"}


class Elements(HTMLParser):
    """Every start tag with its attributes, in order; complains of tags that do not match."""

    def __init__(self, html):
        super().__init__()
        self.all, self.open = [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def of(self, tag):
        return [attributes for name, attributes in self.all if name == tag]


@pytest.fixture(scope="module")
def elements(page):
    return Elements(page)


def test_ids_are_unique_and_links_inside_have_targets(elements):
    ids = [attributes["id"] for _, attributes in elements.all if "id" in attributes]
    assert len(set(ids)) == len(ids)
    targets = [link["href"] for link in elements.of("a") if not link["href"].startswith(("http://", "https://"))]
    assert len(targets) > 30
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_the_table_of_contents_names_all_chapters_and_sections_in_order(page, elements):
    contents = re.findall(r'href="#([^"]+)"', page[page.index("<nav") : page.index("</nav>")])
    assert contents == [section["id"] for section in elements.of("section")]
    chapters = ["answers", "theory", "setup", "results", "analysis"]
    assert [anchor for anchor in contents if anchor in chapters] == chapters
    assert sum(anchor.startswith("answers-") for anchor in contents) == 5
    assert sum(anchor.startswith("theory-") for anchor in contents) == 11


def test_nothing_is_loaded_from_elsewhere(page, elements):
    for tag, attribute in LOADED.items():
        for attributes in elements.of(tag):
            assert attributes[attribute].startswith("data:"), (tag, attributes[attribute][:80])
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    assert not elements.of("script")


def test_every_image_has_words_and_stands_in_a_figure(page, elements):
    images = elements.of("img")
    assert len(images) > 20
    assert all(image["alt"].strip() for image in images)
    assert len(images) == len(elements.of("figure")) == len(elements.of("figcaption"))


def test_figures_and_tables_are_numbered_through(page, elements):
    without_code = re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)
    for kind, tag in (("Figure", "figure"), ("Table", "table")):
        captions = re.findall(rf'<(?:figcaption|p class="caption")>{kind} (\d+)\. (?:<strong>)?(.)', without_code)
        assert [int(number) for number, _ in captions] == list(range(1, len(elements.of(tag)) + 1))
        assert all(first == first.upper() for _, first in captions)


def test_every_row_of_a_table_has_as_many_cells_as_its_head(page):
    for table in re.findall(r"<table>.*?</table>", page, re.DOTALL):
        cells = [len(re.findall(r"<t[dh]\b", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)]
        assert len(cells) > 1
        assert set(cells) == {cells[0]}, table


def test_formulas_are_mathml_and_none_is_left_as_written(page):
    text = re.sub(r"<(pre|code|style)\b.*?</\1>|<img[^>]*>", "", page, flags=re.DOTALL)
    assert text.count("<math") > 2_000
    assert "$" not in text
    assert "klzzwxh" not in text  # what stands for a formula until the page is done
    assert "wzxhzdk" not in text


def test_checks_are_folded_and_say_what_they_are(page, elements):
    assert len(elements.of("details")) == page.count("<summary>The check, as the tests run it</summary>") > 80
    assert '<pre><code class="language-python">' not in re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)


def test_the_page_shows_the_numbers_of_the_run(made):
    page, numbers = made
    for key in ("elbo", "kl", "reconstruction_nll"):
        assert f"<td>{numbers['test'][key]:,.1f}</td>" in page
    assert f"<td>{numbers['kl_split']['total_correlation']['value']:.3f}</td>" in page
    assert f"<td>{numbers['attributes']['smile']['auc']:.3f}</td>" in page
    assert "python train.py --data faces:40 --image-size 32 --latent-dim 4 --epochs 3 --batch-size 16" in page
    assert "metrics.json has no numbers on this topic." in page  # disentanglement was not scored


def test_the_same_run_gives_the_same_page(tiny_run, page):
    again, _ = report_on(tiny_run)
    assert again == page


def test_a_link_without_target_and_an_id_twice_are_refused():
    check_links('<p id="a"></p><a href="#a">x</a><a href="https://b">y</a>')
    with pytest.raises(UserError, match="#b, which the report does not have"):
        check_links('<p id="a"></p><a href="#b">x</a>')
    with pytest.raises(UserError, match="two places of the report have the id #a"):
        check_links('<p id="a"></p><p id="a"></p>')


PROBE = """<script>
addEventListener("load", () => parent.postMessage(JSON.stringify({
  images: document.images.length,
  seen: [...document.images].filter(image => image.naturalWidth > 0).length,
  formulas: [...document.querySelectorAll("math")].filter(formula => formula.getBoundingClientRect().height > 0
    || formula.closest("details")).length,
  mathml: [...document.querySelectorAll("math *")].every(part => part instanceof MathMLElement),
  beyond: document.documentElement.scrollWidth - innerWidth,
  paper: getComputedStyle(document.body).backgroundColor,
  card: getComputedStyle(document.images[0]).backgroundColor,
}), "*"))
</script>"""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_browser_without_network_shows_it_all(page, browser, tmp_path, width, scheme):
    (tmp_path / "page.html").write_text(page.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    (tmp_path / "frame.html").write_text(
        '<script>addEventListener("message", event => document.title = event.data)</script>'
        f'<iframe src="page.html" style="width:{width}px;height:800px;border:0"></iframe>'
    )
    flags = [*FLAGS, *_without_sandbox(), "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000"]
    dark = f"--blink-settings=preferredColorScheme={int(scheme == 'light')}"
    command = [browser, *flags, dark, "--window-size=1400,900", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    frame = (tmp_path / "frame.html").as_uri()
    shown = subprocess.run([*command, frame], capture_output=True, text=True, timeout=120, check=True).stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", shown)[1])
    assert seen["seen"] == seen["images"] == page.count("<img ")
    assert seen["formulas"] == page.count("<math")
    assert seen["mathml"]
    assert seen["beyond"] <= 0
    assert (seen["paper"] == "rgb(255, 255, 255)") == (scheme == "light")
    assert seen["card"] == "rgb(255, 255, 255)"
