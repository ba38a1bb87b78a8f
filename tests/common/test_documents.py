"""Pages as HTML: formulas, escapes, captions, and pages as parts of a document."""

from xml.etree import ElementTree

import markdown
import pytest

from common.documents import Numbering, Pages, Place, mathml, to_html
from common.errors import UserError

TABLE = "| a |\n| --- |\n| 1 |\n"


def test_a_formula_becomes_mathml_and_its_underscores_are_not_emphasis():
    html = to_html("The *mean* $a_1 b_2$ and $x^*$, $y^*$.")
    assert "<em>mean</em>" in html
    assert html.count("<em>") == 1
    assert html.count("<math>") == 3
    assert "<msub><mi>a</mi><mn>1</mn></msub>" in html


def test_a_formula_between_double_dollars_is_displayed_and_may_have_line_breaks():
    html = to_html("$$\n\\frac{a}{b}\n= c\n$$\n")
    assert html.startswith('<math display="block">')
    assert "<mfrac>" in html


def test_dollar_signs_outside_of_formulas_stay():
    assert to_html("\\$5 and \\$6") == "<p>$5 and $6</p>"
    assert to_html("5$ and 6$") == "<p>5$ and 6$</p>"
    assert to_html("`$x$`") == "<p><code>$x$</code></p>"
    assert "<math" not in to_html("```python\nprice = '$x$'\n```")


def test_code_and_text_are_escaped():
    assert "a &lt; b" in to_html("```python\na < b\n```")
    assert "<mo>&lt;</mo>" in to_html("$a < b$")


@pytest.mark.parametrize("display", [False, True])
def test_a_broken_formula_is_named(display):
    with pytest.raises(UserError, match=r"the formula \\frac\{a cannot be read \(.+\); correct it") as told:
        mathml("\\frac{a", display)
    assert "\n" not in str(told.value)
    with pytest.raises(UserError, match=r"\\nosuch x"):
        to_html("Some $\\nosuch x$.")


def test_figures_and_tables_are_numbered_separately_and_across_pages():
    numbering = Numbering()
    first = to_html(f"![One.](a.png)\n\nTable: first of all.\n\n{TABLE}\n\n![Two.](b.png)\n", numbering)
    second = to_html(f"Table: Second.\n\n{TABLE}\n\n- in a list\n\n    ![Three.](c.png)\n", numbering)
    assert "<figcaption>Figure 1. One.</figcaption>" in first
    assert '<p class="caption">Table 1. First of all.</p>\n<table>' in first
    assert "<figcaption>Figure 2. Two.</figcaption>" in first
    assert '<p class="caption">Table 2. Second.</p>' in second
    assert "<figcaption>Figure 3. Three.</figcaption>" in second
    assert numbering == Numbering(figures=3, tables=2)


def test_an_image_within_a_line_and_a_paragraph_without_a_table_have_no_number():
    numbering = Numbering()
    html = to_html(f"An ![icon](a.png) in a line.\n\nTable: of contents.\n\nNo table.\n\n{TABLE}", numbering)
    assert numbering == Numbering()
    assert "<p>Table: of contents.</p>" in html


def test_a_caption_may_hold_formulas_and_the_alternative_text_holds_their_latex():
    html = to_html("![The curve $x^2$.](a.png)\n\nTable: The value $x_1$.\n\n" + TABLE)
    figure = ElementTree.fromstring(html[: html.index("<p")].replace('src="a.png">', 'src="a.png"/>'))
    assert figure.find("img").get("alt") == "The curve x^2."
    assert figure.find("figcaption/math/msup") is not None
    assert '<p class="caption">Table 1. The value <math>' in html


def test_headings_have_the_ids_that_github_gives_them():
    html = to_html('# Result: "not d-separated" speaks\n\n# A & b\n\n# A & b\n')
    assert '<h1 id="result-not-d-separated-speaks">' in html
    assert '<h1 id="a--b">' in html
    assert html.count('id="a--b"') == 1


def test_headings_links_and_images_of_a_page_are_adapted_to_its_document():
    place = Place(
        "p-",
        3,
        lambda link: None if link == "gone" else f"#{link}",
        lambda name: {"src": f"data:{name}", "width": "9"},
    )
    html = to_html("# Title\n\n## Below\n\n[one](x) [two](gone)\n\n![Words.](a.png)", place=place)
    assert '<h3 id="p-title">Title</h3>' in html
    assert '<h4 id="p-below">Below</h4>' in html
    assert '<a href="#x">one</a>' in html
    assert "<span>two</span>" in html
    assert 'src="data:a.png"' in html
    assert 'width="9"' in html


def test_the_extension_gives_the_same_html_when_it_is_loaded_by_its_name():
    text = "![Words.](a.png)\n\n$x$"
    extensions = ["attr_list", "tables", "toc", "common.documents:Pages"]
    assert markdown.markdown(text, extensions=extensions, output_format="html") == to_html(text)
    assert markdown.markdown(text, extensions=["tables", Pages()], output_format="html") == to_html(text)
