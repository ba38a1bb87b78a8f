"""Printing: a browser that prints, fails, hangs or is not there; never half a file."""

import re
import stat

import pytest

from common.errors import UserError
from vae_keras.report import pdf

PAGE = "<!DOCTYPE html><title>A</title><p>Words.</p><p>$</p>"


@pytest.fixture
def html(tmp_path):
    (tmp_path / "a b.html").write_text(PAGE)
    return tmp_path / "a b.html"


@pytest.fixture
def stand_in(tmp_path):
    """A program in the browser's place."""

    def made(script):
        path = tmp_path / "browser"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return made


def test_chromium_prints_whole_pages_that_are_the_same_twice(browser, html, tmp_path):
    first, second = tmp_path / "1.pdf", tmp_path / "2.pdf"
    for path in (first, second):
        pdf.print_pdf(browser, html, path)
    content = first.read_bytes()
    assert content.startswith(b"%PDF")
    assert b"%%EOF" in content[-32:]
    assert len(re.findall(rb"/Type /Page\b", content)) == 1
    assert second.read_bytes() == content
    assert b"(D:2000" in content


@pytest.mark.parametrize(
    ("script", "expected"),
    [("exit 3", "printed nothing (status 3)"), ("exit 0", "printed nothing"), ("exec sleep 30", "within 0.5 seconds")],
)
def test_a_browser_that_fails_or_hangs_leaves_nothing(stand_in, html, tmp_path, script, expected):
    browser = stand_in(script)
    before = set(tmp_path.iterdir())
    with pytest.raises(UserError, match=re.escape(expected)) as told:
        pdf.print_pdf(browser, html, tmp_path / "1.pdf", patience=0.5)
    assert f"open {html} in a browser and print it" in str(told.value)
    assert set(tmp_path.iterdir()) == before


def test_an_older_pdf_stays_where_printing_fails(stand_in, html, tmp_path):
    (tmp_path / "1.pdf").write_bytes(b"%PDF old")
    with pytest.raises(UserError):
        pdf.print_pdf(stand_in("exit 1"), html, tmp_path / "1.pdf")
    assert (tmp_path / "1.pdf").read_bytes() == b"%PDF old"


def test_any_of_the_browsers_is_found_the_first_first(monkeypatch):
    there = {"chrome": "/b/chrome", "google-chrome": "/a/google-chrome"}
    monkeypatch.setattr(pdf.shutil, "which", there.get)
    assert pdf.find_browser() == "/a/google-chrome"
    there.clear()
    with pytest.raises(UserError, match=r"looked for chromium, .*; install one, or leave --pdf out"):
        pdf.find_browser()
