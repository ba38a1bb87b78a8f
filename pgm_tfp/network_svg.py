"""Networks as SVG: the graph for notebooks, and the graph with a bar for each state for the page of the explorer.

All names are escaped. The page addresses parts of the drawing by the numbers of variables, states and edges.
"""

import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple
from unicodedata import east_asian_width

import networkx as nx
import numpy as np

from common.names import printable
from pgm_tfp.graphs import Edge
from pgm_tfp.layouts import Arrangement, arranged

# Widths of a character and height of a line, in pixels, at 12 pixels.
NARROW, WIDE, WIDEST, LINE = 6.9, 8.8, 13.0, 15.0
LONGEST_LINE = 18  # characters of a name on one line of a box
PADDING = 9.0
NARROWEST = 34.0
ARROW = 8.0
LARGEST = 1.5  # times its own size, for a small network in a large frame
LONGEST_STATE = 12  # characters of the name of a state; the whole name shows when one points at it
ROW, BAR, VALUE = 18.0, 70.0, 50.0  # of a state: the height, the width of its bar, and that of its number
CURVE, CURVE_HEIGHT = 180.0, 52.0  # room for the curve of a continuous variable
CAPTION = 12.0  # height of the text below a curve
STYLE = """
.network { font: 12px system-ui, sans-serif; max-width: none; }
.network text { fill: currentColor; }
.network .box { fill: #f4f6f9; stroke: #5b6573; stroke-width: 1.2; }
.network .line { fill: none; stroke: #5b6573; stroke-width: 1.4; }
.network .head { fill: #5b6573; stroke: none; }
"""


class Row(NamedTuple):
    """One line of a box: the name of a state, or of several that share the line.

    Attributes:
        name: of the state.
        state: its index; None for a line of several states, which cannot be observed there.
    """

    name: str
    state: int | None


def network_svg(graph: nx.Graph) -> str:
    """The graph as a whole SVG image, with a box for each variable."""
    labels = {name: _label(name) for name in graph}
    sizes = {name: _size(lines) for name, lines in labels.items()}
    places = arranged(graph, sizes)
    parts = [_lines(graph, places)]
    for name, box in places.boxes.items():
        parts.append(_rectangle(box.x, box.y, box.width, box.height))
        top = box.y - LINE * (len(labels[name]) - 1) / 2 + 4
        parts += [
            f'<text x="{box.x:.1f}" y="{top + LINE * at:.1f}" text-anchor="middle">{escape(line)}</text>'
            for at, line in enumerate(labels[name])
        ]
    # The colours stand beside the drawing: a notebook may be dark, and the boxes are light.
    style = f"<style>{STYLE} .network {{ color: #1d232b; background: #ffffff; }}</style>"
    return _svg(places, style + "".join(parts), f"a graph of {len(graph)} variables")


def rows_svg(graph: nx.Graph, rows: Mapping[str, Sequence[Row]]) -> str:
    """The graph with a line and an empty bar for each state; the page fills the bars.

    Each line of one state has `data-variable` and `data-state`, and can be reached by keys. The page addresses
    `box-V`, `bar-V-R`, `approximate-V-R`, `value-V-R`, `row-V-R` and `line-E` by the number V of a variable in the
    graph's order, R of a line of its box, and E of an edge.

    Args:
        rows: by variable the lines of its box; none for a continuous variable, whose box has room for a curve, the
            path `curve-V` above `before-V`.
    """
    labels = {name: _label(name) for name in graph}
    names_width = {name: max([_width(_state(row.name)) for row in rows[name]], default=0.0) + 8 for name in graph}
    sizes = {}
    for name in graph:
        width, height = _size(labels[name])
        body = names_width[name] + BAR + VALUE if rows[name] else CURVE
        below = ROW * len(rows[name]) if rows[name] else CURVE_HEIGHT + CAPTION
        sizes[name] = max(width, body + 2 * PADDING), height + below
    places = arranged(graph, sizes)
    parts = [_lines(graph, places)]
    for number, name in enumerate(graph):
        box = places.boxes[name]
        left, top = box.x - box.width / 2, box.y - box.height / 2
        parts.append(f'<g data-box="{number}"><title>{escape(_shown(name))}</title>')
        parts.append(_rectangle(box.x, box.y, box.width, box.height, f'id="box-{number}"'))
        parts += [
            f'<text class="name" x="{box.x:.1f}" y="{top + LINE * (at + 1) + 2:.1f}" text-anchor="middle">'
            f"{escape(line)}</text>"
            for at, line in enumerate(labels[name])
        ]
        below = top + _size(labels[name])[1]
        for at, row in enumerate(rows[name]):
            parts.append(_row(number, at, row, name, left + PADDING, below + ROW * at, names_width[name], box.width))
        if not rows[name]:
            parts.append(
                f'<g transform="translate({box.x - CURVE / 2:.1f} {below - 4:.1f})"><path id="before-{number}" '
                f'class="before"/><path id="curve-{number}" class="curve"/></g>'
                f'<text id="value-{number}-0" class="value" x="{box.x:.1f}" y="{top + box.height - 5:.1f}" '
                'text-anchor="middle"></text>'
            )
        parts.append("</g>")
    # A small network grows with its frame; a large one keeps its size, so that it can be read, and scrolls.
    style = f"width: min(100%, {LARGEST * places.width:.0f}px); min-width: {places.width:.0f}px; height: auto"
    return _svg(places, "".join(parts), f"the network, {len(graph)} variables", style)


def _row(number: int, at: int, row: Row, variable: str, left: float, top: float, names: float, width: float) -> str:
    """One state: its name, its bar and its number; a click observes it."""
    whole, name = _shown(row.name), _state(row.name)
    bar, middle = left + names, top + ROW / 2
    room = width - 2 * PADDING - names - VALUE
    click = ""
    if row.state is not None:
        said = escape(f"{_shown(variable)} = {whole}", quote=True)
        click = (
            f' role="button" tabindex="0" aria-pressed="false" aria-label="{said}" data-variable="{number}" '
            f'data-state="{row.state}"'
        )
    return (
        f'<g id="row-{number}-{at}" class="row"{click}><title>{escape(whole)}</title>'
        f'<rect class="target" x="{left - 4:.1f}" y="{top:.1f}" width="{width - 2 * PADDING + 8:.1f}" height="{ROW}"/>'
        f'<text x="{left:.1f}" y="{middle + 4:.1f}">{escape(name)}</text>'
        f'<rect class="track" x="{bar:.1f}" y="{middle - 5:.1f}" width="{room:.1f}" height="10"/>'
        f'<rect id="bar-{number}-{at}" class="bar" x="{bar:.1f}" y="{middle - 5:.1f}" width="0" height="10" '
        f'data-room="{room:.1f}"/>'
        f'<rect id="approximate-{number}-{at}" class="approximate" x="{bar:.1f}" y="{middle - 7:.1f}" width="2.5" '
        f'height="14" data-room="{room:.1f}" visibility="hidden"/>'
        f'<text id="value-{number}-{at}" class="value" x="{left + width - 2 * PADDING:.1f}" y="{middle + 4:.1f}" '
        'text-anchor="end"></text></g>'
    )


def _svg(places: Arrangement, content: str, label: str, style: str = "") -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="network" width="{places.width:.0f}" '
        f'height="{places.height:.0f}" style="{style}" viewBox="0 0 {places.width:.1f} '
        f'{places.height:.1f}" role="group" aria-label="{escape(label, quote=True)}">{content}</svg>'
    )


def _lines(graph: nx.Graph, places: Arrangement) -> str:
    parts = []
    for number, (edge, way) in enumerate(places.lines.items()):
        arrow = _arrow(way) if graph.is_directed() else ""
        stop = way.copy()
        if arrow:
            stop[-1] -= _direction(way) * (ARROW - 1)
        parts.append(
            f'<g id="line-{number}" class="edge"><title>{escape(_said(edge, graph.is_directed()))}</title>'
            f'<path class="line" d="{_path(stop)}"/>{arrow}</g>'
        )
    return "".join(parts)


def _said(edge: Edge, directed: bool) -> str:
    return f" {'→' if directed else '-'} ".join(map(_shown, edge))


def _path(way: np.ndarray) -> str:
    """A smooth path through points that runs straight down where it passes a layer."""
    path = f"M{way[0][0]:.1f} {way[0][1]:.1f}"
    if len(way) == 2:
        return f"{path} L{way[1][0]:.1f} {way[1][1]:.1f}"
    for (x0, y0), (x1, y1) in pairwise(way):
        middle = (y0 + y1) / 2
        path += f" C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}"
    return path


def _direction(way: np.ndarray) -> np.ndarray:
    """The direction in which a path ends: straight down behind a bend."""
    along = way[-1] - way[-2] if len(way) == 2 else np.array([0.0, way[-1][1] - way[-2][1]])
    return along / max(float(np.hypot(*along)), 1e-9)


def _arrow(way: np.ndarray) -> str:
    tip, along = way[-1], _direction(way)
    across = np.array([-along[1], along[0]]) * ARROW * 0.42
    points = [tip, tip - along * ARROW + across, tip - along * ARROW - across]
    return f'<polygon class="head" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _rectangle(x: float, y: float, width: float, height: float, more: str = "") -> str:
    return (
        f'<rect {more} class="box" x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="6"/>'
    )


def _shown(name: Any) -> str:
    return printable(str(name))


def _state(name: str) -> str:
    """The name of a state, shortened if it is long."""
    shown = _shown(name)
    return shown if len(shown) <= LONGEST_STATE else f"{shown[: LONGEST_STATE - 1]}…"


def _width(text: str) -> float:
    """About the width of a text on the page, in pixels."""
    wide = {"W": WIDEST, "F": WIDEST}
    return sum(wide.get(east_asian_width(c), WIDE if c.isupper() or c in "mw%@" else NARROW) for c in text)


def _label(name: Any) -> list[str]:
    """The name of a variable on lines that fit into a box."""
    lines = textwrap.wrap(_shown(name).replace("_", "_ "), LONGEST_LINE, break_long_words=True) or [""]
    return [line.replace("_ ", "_") for line in lines]


def _size(lines: Sequence[str]) -> tuple[float, float]:
    width = max(NARROWEST, 1.06 * max(map(_width, lines)) + 2 * PADDING)  # names of variables are bold
    return width, LINE * len(lines) + PADDING
