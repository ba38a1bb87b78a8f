"""The theory pages: every result has a check, every check passes, every formula and figure can be rendered."""

import ast
import re

import pytest

from common.documents import to_html
from tests.support import ROOT

THEORY = ROOT / "docs" / "theory"
PAGES = sorted(THEORY.glob("[0-9]*.md"))
PARTS = ["1-1", "1-2", "1-3", "1-4", "1-5", "2-1-1", "2-1-2", "2-1-3", "2-2-1", "2-2-2", "2-2-3"]
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CHECKED_BY = re.compile(r"Checked by\s+`(tests/[\w/]+\.py)::(\w+)`")


def results_of(text):
    """The sections whose heading begins with `Result`, by heading; each ends at the next heading outside of code."""
    without_code = re.sub(r"^```.*?^```$", lambda code: code[0].replace("\n#", "\n "), text, flags=re.S | re.M)
    sections = re.split(r"^(#{2,4} .*)$", without_code, flags=re.MULTILINE)
    return {
        heading: body
        for heading, body in zip(sections[1::2], sections[2::2], strict=True)
        if re.match(r"#{2,4} Result\b", heading)
    }


def named_test_exists(path, name):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in ast.walk(tree))


def is_checked(body):
    asserts = any(re.search(r"^\s*(assert\b|np\.testing\.)", code, re.MULTILINE) for code in SNIPPET.findall(body))
    named = CHECKED_BY.findall(body)
    return (asserts or bool(named)) and all(named_test_exists(*test) for test in named)


def unchecked(text):
    """The results that have neither a snippet with an assertion nor the name of an existing test."""
    return [heading for heading, body in results_of(text).items() if not is_checked(body)]


def test_there_is_a_page_for_each_question_in_the_assignments_order():
    assert [re.match(r"[\d-]*\d", page.stem)[0] for page in PAGES] == PARTS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_result_has_a_check(page):
    text = page.read_text(encoding="utf-8")
    assert results_of(text)
    assert unchecked(text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_check_passes(page):
    """All snippets of a page are run from top to bottom, as one program."""
    names: dict = {"__name__": page.stem}
    text = page.read_text(encoding="utf-8")
    for found in SNIPPET.finditer(text):
        # The code keeps the line numbers of the page, so that an error names the right line.
        code = "\n" * text.count("\n", 0, found.start(1)) + found[1]
        exec(compile(code, page, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_formula_and_figure_can_be_rendered(page):
    html = to_html(page.read_text(encoding="utf-8"))
    assert "<math" in html
    assert "$" not in re.sub(r"<(pre|code)\b.*?</\1>", "", html, flags=re.DOTALL)
    for picture in re.findall(r'src="([^"]*)"', html):
        assert (page.parent / picture).is_file(), picture


PROVEN = "## Result: one and one\n\n```python\n# arithmetic\nassert 1 + 1 == 2\n```\n"


def test_a_result_without_a_check_is_found():
    assert unchecked(PROVEN) == []
    assert unchecked(PROVEN.replace("assert ", "print(").replace("2\n", "2)\n")) == ["## Result: one and one"]
    assert unchecked("## Result: two\n\nObvious.\n\n## Aside\n\n" + PROVEN) == ["## Result: two"]
    assert unchecked("## Result: two\n\nChecked by `tests/docs/test_theory.py::test_absent`.") == ["## Result: two"]
    named = "test_a_result_without_a_check_is_found"
    assert unchecked(f"## Result: two\n\nChecked by `tests/docs/test_theory.py::{named}`.") == []
