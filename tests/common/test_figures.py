"""Names of classes and variables appear in figures as they were typed."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text

from common.figures import add_to_caption, title_and_caption
from tests.support import examples

NAMES = st.text(st.sampled_from("$x_1^\\{}%&#~ é"), min_size=1, max_size=12)


def figure_of(name):
    """A figure with the name in every place where a name can appear."""
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    shades = axes.imshow([[0, 1], [2, 3]], label=name)
    axes.set_xticks([0, 1], [name, "b"])
    axes.set_yticks([0, 1], ["a", name])
    axes.set(title=name, xlabel=name, ylabel=name)
    axes.plot([0, 1], label=f"of {name}")
    axes.legend(title=name)
    axes.annotate(name, (0, 0))
    figure.colorbar(shades, label=name)
    title_and_caption(figure, name, name)
    add_to_caption(figure, name)
    return figure


@examples(25)
@given(NAMES)
@example("$x_1^$")
@example("$\\frac{$")
def test_a_figure_shows_every_name_as_it_was_typed(name):
    figure = figure_of(name)
    figure.savefig(io.BytesIO(), format="png")
    for written in figure.findobj(Text):
        assert written.get_parse_math() is False


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_only_the_powers_of_ten_of_logarithmic_axes_stay_formulas(scale):
    figure = Figure()
    axes = figure.subplots()
    axes.set(xscale=scale, xlim=(1e-3, 1e3))
    axes.set_yticks([0, 1], ["$a$", "b"])
    title_and_caption(figure, "title", "caption")
    figure.draw_without_rendering()
    numbers = [label for label in axes.get_xticklabels() if label.get_text()]
    assert numbers
    assert {label.get_parse_math() for label in numbers} == {scale == "log"}
    assert all("$" in label.get_text() for label in numbers) == (scale == "log")
    assert not any(label.get_parse_math() for label in axes.get_yticklabels())
