"""The documentation site is complete, its links work, and a browser loads nothing from another server."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))
THEORY = [page for page in PAGES if re.match(r"theory/\d", page)]
# Attributes whose address a browser loads without a click.
LOADED = {
    "script": ["src"],
    "img": ["src", "srcset"],
    "iframe": ["src"],
    "source": ["src", "srcset"],
    "video": ["src", "poster"],
    "object": ["data"],
    "embed": ["src"],
    "use": ["href", "xlink:href"],
    "form": ["action"],
}
LOADED_LINKS = ("stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest")
OTHER_SERVER = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
# Addresses in the theme's scripts that no page loads: by address, the text of a page that would make a script load it.
NEVER_LOADED = {
    "https://unpkg.com/mermaid": 'class="mermaid"',
    "https://api.github.com": 'data-md-component="source"',
    "https://${e}/api/v4": 'data-md-component="source"',
    "https://unpkg.com/resize-observer-polyfill": None,  # part of an error message
    "https://bit.ly/2s3ChXG": None,
    "https://clipboardjs.com": None,  # part of a licence
    "http://lunrjs.com": None,
    "http://tartarus.org": None,
}
PUBLIC = {
    "model": ("vae_keras", ["VAE", "build_vae", "load_run"]),
    "metrics": ("vae_keras.metrics", None),
    "objectives": ("vae_keras.objectives", ["AnnealedVAE", "BetaTCVAE", "BetaVAE", "FactorVAE", "NegativeElbo"]),
    "likelihoods": (
        "vae_keras.likelihoods",
        ["Bernoulli", "ContinuousBernoulli", "Gaussian", "LearnedGaussian", "Likelihood"],
    ),
    "latent": ("vae_keras.latent", ["attribute_direction", "decode_latents", "encode_images", "lerp", "slerp"]),
    "networks": ("pgm_tfp", ["BayesianNetwork", "Conditional", "Table"]),
    "markov": ("pgm_tfp", ["MarkovNetwork", "Potential"]),
    "independence": ("pgm_tfp.independence", None),
    "exact": ("pgm_tfp.exact", None),
    "approximate": ("pgm_tfp.approximate", None),
    "variational": ("pgm_tfp.variational", None),
    "learning": ("pgm_tfp.learning", None),
    "catalogue": ("pgm_tfp.catalogue", ["server_room", "student", "two_measurements"]),
    "data": ("data.image_folder", ["image_folder"]),
}


class Resources(HTMLParser):
    """The addresses that a browser loads with a page."""

    def __init__(self, text):
        super().__init__()
        self.found, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        self.found += [given[name] for name in LOADED.get(tag, []) if given.get(name)]
        if tag == "link" and set((given.get("rel") or "").split()) & set(LOADED_LINKS):
            self.found.append(given["href"])
        self.found += re.findall(r"url\(\s*['\"]?([^'\")]+)", given.get("style") or "")


def build(folder, into):
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", into],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def files_of_the_checkout():
    """All files of the checkout, without folders that git ignores and that no build of the site writes."""
    ignored = {".git", ".venv", "datasets", "runs", "__pycache__", ".pytest_cache", ".hypothesis"}
    return {path for path in ROOT.rglob("*") if not ignored & set(path.relative_to(ROOT).parts)}


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The built site. The build is strict and writes nothing else into the checkout."""
    into = tmp_path_factory.mktemp("site")
    before = files_of_the_checkout()
    built = build(ROOT, into)
    assert built.returncode == 0, built.stderr
    new = {path for path in files_of_the_checkout() - before if path.suffix == ".html" or "site" in path.parts}
    assert not new
    return into


def html(site, page):
    return (site / f"{page}.html").read_text(encoding="utf-8")


def test_the_navigation_has_every_page_once_and_nothing_else(site):
    index = html(site, "index")
    navigation = re.search(r'<nav class="md-nav md-nav--primary.*?</nav>\s*</div>\s*</div>', index, re.DOTALL)[0]
    linked = re.findall(r'href="([^"#]+)\.html"', navigation)
    assert set(PAGES) <= set(linked) | {"index"}
    assert {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")} == {*PAGES, "404"}


def test_code_that_draws_figures_is_not_in_the_site(site):
    assert not list(site.rglob("*.py"))
    assert not list(site.rglob("__pycache__"))


def test_pages_load_nothing_from_other_servers_and_every_file_that_they_load_exists(site):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for address in Resources(text).found:
            assert not OTHER_SERVER.match(address), f"{path.name} loads {address}"
            if path.name != "404.html" and not address.startswith(("data:", "javascript:")):
                assert (path.parent / address.partition("?")[0].partition("#")[0]).exists(), (path.name, address)
        assert not re.search(r"@import\s", text)


def test_no_stylesheet_loads_anything_from_another_server(site):
    sheets = list(site.rglob("*.css"))
    assert DOCS / "stylesheets" / "extra.css" in {DOCS / sheet.relative_to(site) for sheet in sheets}
    for path in sheets:
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r"url\(\s*['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text)
        assert not [address for address in loaded if OTHER_SERVER.match(address)], path.name


def test_the_scripts_of_the_theme_have_no_reason_to_load_anything(site):
    pages = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.html"))
    for path in site.rglob("*.js"):
        if path.name == "search_index.js" or "lunr" in path.parts:  # lunr: searches in other languages
            continue
        for address in re.findall(r"https?://[^\s\"'`)<>]+", path.read_text(encoding="utf-8")):
            known = [start for start in NEVER_LOADED if address.startswith(start)]
            assert known, f"{path.name}: {address}"
            assert NEVER_LOADED[known[0]] is None or NEVER_LOADED[known[0]] not in pages


@pytest.mark.parametrize("page", THEORY)
def test_a_theory_page_has_its_formulas_and_its_figures(site, page):
    text, source = html(site, page), (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert text.count('<math display="block">') == len(re.findall(r"^ *\$\$\n", source, re.MULTILINE)) / 2 > 0
    figures = re.findall(r'<figure><img[^>]*src="([^"]+)"[^>]*><figcaption>Figure (\d+)\.', text)
    assert len(figures) == len(re.findall(r"^!\[", source, re.MULTILINE))
    assert [int(number) for _, number in figures] == list(
        range(1, len(figures) + 1)
    )  # numbers start again on each page
    assert all((site / f"{page}.html").parent.joinpath(picture).is_file() for picture, _ in figures)
    tables = re.findall(r'<p class="caption">Table (\d+)\.', text)
    assert len(tables) == len(re.findall(r"^Table:", source, re.MULTILINE))
    assert [int(number) for number in tables] == list(range(1, len(tables) + 1))


def test_every_formula_is_rendered(site):
    for page in PAGES:
        if not page.startswith("reference/"):
            body = re.search(r"<article.*?</article>", html(site, page), re.DOTALL)[0]
            assert "$" not in re.sub(r"<(pre|code)\b.*?</\1>", "", body, flags=re.DOTALL), page


def test_light_and_dark_follow_the_readers_system_and_can_be_changed(site):
    text = html(site, "index")
    choices = re.findall(r'data-md-color-media="([^"]*)" data-md-color-scheme="([^"]*)".*?aria-label="([^"]*)"', text)
    assert [choice[:2] for choice in choices] == [
        ("(prefers-color-scheme)", "default"),  # the theme's script reads the system's setting
        ("(prefers-color-scheme: light)", "default"),
        ("(prefers-color-scheme: dark)", "slate"),
    ]
    assert all("change to" in label for _, _, label in choices)


def test_the_search_knows_every_page_and_needs_no_server(site):
    entries = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    found = {entry["location"].partition(".html")[0] for entry in entries}
    assert set(PAGES) - {"index"} <= found
    assert any("Markov blanket" in entry["text"] for entry in entries if entry["location"].startswith("theory/1-3"))
    assert any(entry["title"].endswith("kl_to_standard_normal") for entry in entries)
    script = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    assert json.loads(script.removeprefix("var __index = "))["docs"] == entries
    assert 'src="javascripts/iframe-worker.js"' in html(site, "index")


@pytest.mark.parametrize("page", PUBLIC)
def test_a_reference_page_has_the_public_names(site, page):
    module, names = PUBLIC[page]
    ids = Resources(html(site, f"reference/{page}")).ids
    known = importlib.import_module(module)
    for name in names or known.__all__:
        thing = getattr(known, name)
        if callable(thing) and getattr(thing, "__module__", "").startswith(("vae_keras", "pgm_tfp", "data", "common")):
            assert f"{thing.__module__}.{name}" in ids, name
    assert not [name for name in ids if name and re.match(r"(vae_keras|pgm_tfp|data|common)\..*\._[a-z]", name)]


def test_indented_parts_of_docstrings_keep_their_lines(site):
    objectives = re.sub(r"<[^>]+>", "", html(site, "reference/objectives"))
    assert "I(x; z)                       mutual information" in objectives
    catalogue = html(site, "reference/catalogue")
    assert "D -- E\n" in catalogue
    assert "<p>Whether the graph asserts x _|_ y | given, where" in html(site, "reference/independence")
    assert "<code>    z1\n   /  \\\n  v    v\nx1      x2\n" in catalogue  # the last line begins at the margin


@pytest.fixture
def copy(tmp_path) -> Path:
    """A folder with the site's settings and two pages of its own."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    settings = re.sub(r"^nav:\n(?:[ ].*\n|\n)+", "\n", settings, flags=re.MULTILINE)
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    shutil.copytree(ROOT / "common", tmp_path / "common", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("stylesheets", "javascripts", "overrides"):
        shutil.copytree(DOCS / name, tmp_path / "docs" / name)
    (tmp_path / "docs" / "index.md").write_text("# One\n\n[two](two.md#a-part)\n", encoding="utf-8")
    (tmp_path / "docs" / "two.md").write_text("# Two\n\n## A part\n", encoding="utf-8")
    return tmp_path


def test_pages_whose_links_work_are_built(copy):
    built = build(copy, copy / "out")
    assert built.returncode == 0, built.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("[two](three.md)", "three.md"),
        ("[two](two.md#another-part)", "#another-part"),
        ("[two](/two.md)", "/two.md"),
        ("![no picture](images/none.png)", "images/none.png"),
    ],
)
def test_a_broken_link_ends_the_build(copy, wrong, said):
    (copy / "docs" / "index.md").write_text(f"# One\n\n{wrong}\n", encoding="utf-8")
    built = build(copy, copy / "out")
    assert built.returncode != 0
    assert said in built.stdout + built.stderr
