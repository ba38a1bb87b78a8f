"""The theory pages as sections of the report, with links inside the report, images included and code folded."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from markupsafe import Markup

from common.documents import Numbering, Place, to_html
from common.errors import UserError
from vae_keras.report.blocks import Section
from vae_keras.report.embed import KINDS, embedded

TITLE = re.compile(r"\A# (.+)\n")
CODE = re.compile(r'<pre><code class="language-python">.*?</code></pre>', re.DOTALL)
SUMMARY = "The check, as the tests run it"
SECTION_LEVEL = 3  # HTML level of a page's title; `##` of the page becomes the next level


def read_pages(folder: Path) -> dict[Path, str]:
    """The theory pages as Markdown by path, in order.

    Raises:
        UserError: the folder has no theory pages.
    """
    paths = sorted(folder.glob("[0-9]*.md"))
    if not paths:
        raise UserError(
            f"{folder} holds no theory pages, and the report needs them; restore the folder docs of the project"
        )
    return {path: path.read_text(encoding="utf-8") for path in paths}


def theory_sections(pages: Mapping[Path, str], numbering: Numbering) -> list[Section]:
    """One section per page.

    Raises:
        UserError: a page has no title, or has a formula that cannot be read, or a link or an image without target.
    """
    return [_section(path, pages, numbering) for path in pages]


def anchor_of_page(path: Path) -> str:
    """The id of the section of a page."""
    return f"theory-{path.stem}"


def _section(path: Path, pages: Mapping[Path, str], numbering: Numbering) -> Section:
    title = TITLE.match(pages[path])
    if not title:
        raise UserError(f"{path} does not begin with a title; write # and the title on its first line")
    place = Place(
        prefix=f"{anchor_of_page(path)}-",
        level=SECTION_LEVEL,
        link=lambda address: _link(address, path, pages),
        picture=lambda address: _picture(address, path),
    )
    try:
        html = to_html(pages[path][title.end() :], numbering, place)
    except UserError as reason:
        raise UserError(f"{path}: {reason}") from reason
    return Section(
        anchor_of_page(path), title[1].strip(), Markup(folded(html))
    )  # not escaped: the pages belong to the project


def folded(html: str) -> str:
    """The same page with its Python code inside <details>; a summary says what the code is."""
    return CODE.sub(lambda code: f"<details><summary>{SUMMARY}</summary>\n{code[0]}\n</details>", html)


def _link(address: str, path: Path, pages: Mapping[Path, str]) -> str | None:
    """The target of a link: a section of the report, a web address, or None if the file is not in the report."""
    parts = urlsplit(address)
    if parts.scheme or not (parts.path or parts.fragment):
        return address
    target = (path.parent / parts.path).resolve() if parts.path else path.resolve()
    for page in pages:
        if page.resolve() == target:
            return f"#{anchor_of_page(page)}" + (f"-{parts.fragment}" if parts.fragment else "")
    if not target.exists():
        raise UserError(f"a link leads to {address}, which does not exist; correct the link")
    return None


def _picture(address: str, path: Path) -> dict[str, str]:
    target = path.parent / address
    if target.suffix.lower() not in KINDS or not target.is_file():
        raise UserError(f"there is no image {address}; correct the page, or draw the image with make figures")
    return embedded(target.read_bytes(), target.suffix)
