"""Pages that become sections: where their links lead, what is embedded, what is refused."""

import base64
import re

import pytest
from PIL import Image

from common.documents import Numbering
from common.errors import UserError
from vae_keras.report.theory import read_pages, theory_sections


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "theory").mkdir()
    (tmp_path / "notation.md").touch()
    Image.new("L", (40, 20), 7).save(tmp_path / "picture.png")
    return tmp_path / "theory"


def sections(folder, **pages):
    for name, text in pages.items():
        (folder / f"{name.replace('_', '-').removeprefix('p-')}.md").write_text(text)
    return theory_sections(read_pages(folder), Numbering())


def test_pages_come_in_order_and_others_are_no_pages(folder):
    (folder / "index.md").write_text("# Index")
    made = sections(folder, p_2_1="# Second\n\nText.", p_1_5="# First\n\nText.")
    assert [(section.anchor, section.title) for section in made] == [("theory-1-5", "First"), ("theory-2-1", "Second")]
    assert "First" not in made[0].body  # the title is the section's


def test_links_between_pages_lead_inside_the_report(folder):
    text = "# One\n\n## Here\n\n[a](2.md) [b](2.md#there) [c](#here) [d](https://arxiv.org/) [e](../notation.md)"
    body = sections(folder, p_1=text, p_2="# Two\n\n## There\n")[0].body
    assert re.findall(r'href="([^"]+)"', body) == [
        "#theory-2",
        "#theory-2-there",
        "#theory-1-here",
        "https://arxiv.org/",
    ]
    assert 'id="theory-1-here"' in body
    assert "<span>e</span>" in body


def test_a_picture_is_in_the_page_with_its_size(folder):
    body = sections(folder, p_1="# One\n\n![Words.](../picture.png)")[0].body
    kind, content = re.search(r'src="data:([^;]+);base64,([^"]+)"', body).groups()
    assert kind == "image/png"
    assert base64.b64decode(content) == (folder.parent / "picture.png").read_bytes()
    for attribute in ('width="40"', 'height="20"', 'class="wide"', 'alt="Words."'):
        assert attribute in body


def test_only_python_is_folded(folder):
    body = sections(folder, p_1="# One\n\n```python\nassert 1 < 2\n```\n\n```\nplain\n```\n")[0].body
    assert body.count("<details>") == 1
    assert "assert 1 &lt; 2" in body[body.index("<details>") : body.index("</details>")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No title.", "1.md does not begin with a title"),
        ("# One\n\n[a](3.md)", "1.md: a link leads to 3.md, which does not exist"),
        ("# One\n\n![a](b.png)", "1.md: there is no image b.png"),
        ("# One\n\n$\\frac{a$", r"1.md: the formula \frac{a cannot be read"),
    ],
)
def test_what_is_wrong_with_a_page_is_said_with_its_name(folder, text, expected):
    with pytest.raises(UserError, match=re.escape(expected)):
        sections(folder, p_1=text)


def test_a_folder_without_pages_is_refused(folder):
    with pytest.raises(UserError, match="holds no theory pages"):
        read_pages(folder)
