"""The style that all figures of the project share: colours, axes, title and caption."""

import textwrap
from typing import Literal

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Tick
from matplotlib.figure import Figure
from matplotlib.text import Text

BLUE, PALE_BLUE, ORANGE = "#1f5a99", "#9db4cc", "#d1603d"
COLOURS = [BLUE, ORANGE, *colormaps["Dark2"](range(8))]  # for categories
CHARACTERS_PER_INCH = 15  # of a caption


def open_axes(axes: Axes, grid: Literal["x", "y", "both"]) -> None:
    """Remove the frame's top and right side, and draw grid lines for the values of x, y or both."""
    axes.grid(alpha=0.25, axis=grid)
    axes.spines[["top", "right"]].set_visible(False)


def title_and_caption(figure: Figure, title: str, caption: str) -> None:
    """Write the title above the figure and the caption below it, both at the left edge.

    Call this function last. It turns off Matplotlib's formulas in every text that the figure holds by then, because
    users may write a dollar sign in the names of classes, variables and states.
    """
    figure.suptitle(title, fontsize=12, fontweight="bold", x=0.01, ha="left")
    text = textwrap.fill(caption, characters(figure.get_figwidth()))
    figure.supxlabel(text, fontsize=8.5, x=0.01, ha="left", color="#333333")
    powers = _powers_of_ten(figure)
    for written in figure.findobj(Text):
        written.set_parse_math(written in powers)


def _powers_of_ten(figure: Figure) -> set[Text]:
    """The tick labels of logarithmic axes, which Matplotlib writes as formulas."""
    axes_of_figure = (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis))
    ticks = (tick for axis in axes_of_figure if axis.get_scale() == "log" for tick in axis.findobj(Tick))
    return {label for tick in ticks for label in (tick.label1, tick.label2)}


def signed(number: float) -> str:
    """A number as a label, with its sign; zero has no sign."""
    return f"{number:+g}" if number else "0"


def add_to_caption(figure: Figure, sentence: str) -> None:
    """Add a sentence to the end of a figure's caption."""
    caption = " ".join(figure.get_supxlabel().split())
    title_and_caption(figure, figure.get_suptitle(), f"{caption} {sentence}")


def characters(inches: float) -> int:
    """How many characters of a caption fit on a line of this width."""
    return int(inches * CHARACTERS_PER_INCH)
