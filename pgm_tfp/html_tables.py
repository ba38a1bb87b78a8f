"""Tables in HTML, as notebooks show them; all texts are escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice
from typing import Any

from common.names import printable

MOST_ROWS = 40
BAR = 120  # pixels of a probability of one


def html_table(columns: Sequence[Any], rows: Iterable[Sequence[Any]], count: int) -> str:
    """A table with these columns. It shows at most forty rows, and says how many more there are.

    Args:
        rows: a text, or a number, for each column; a `float` is a probability or a weight, with four decimals.
        count: the number of rows.
    """
    head = "".join(f"<th>{_text(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in islice(rows, MOST_ROWS))
    more = f"<caption>and {count - MOST_ROWS:,} more rows</caption>" if count > MOST_ROWS else ""
    style = ' style="caption-side: bottom"' if more else ""
    return f"<table{style}>{more}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def probability_table(columns: Sequence[Any], probabilities: Iterable[tuple[Sequence[Any], float]], count: int) -> str:
    """A table with the probability of each row as a number and as a bar."""
    rows = ((*names, float(probability), _Bar(probability)) for names, probability in probabilities)
    return html_table([*columns, "probability", ""], rows, count)


class _Bar:
    """A bar whose length is a probability."""

    def __init__(self, probability: float):
        self.markup = f'<div style="width: {BAR * probability:.1f}px; height: 0.8em; background: #5898d4"></div>'


def _text(cell: Any) -> str:
    if isinstance(cell, _Bar):
        return cell.markup
    # Adding zero turns a rounded -0 into 0.
    return escape(f"{round(cell, 4) + 0.0:.4f}" if isinstance(cell, float) else printable(cell))
