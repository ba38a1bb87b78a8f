"""The drawn network of the page: what it shows at first, and what a change of the answers changes in it.

The browser gets the drawing once for each network. After a change it gets numbers and classes alone, so that bars move
smoothly and the keyboard's focus stays.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from pgm_tfp.approximate import MeanField
from pgm_tfp.exact import Network
from pgm_tfp.explorer.hybrid import Curve, ExactPosterior
from pgm_tfp.explorer.situation import Situation, Way
from pgm_tfp.network_svg import CURVE, CURVE_HEIGHT, Row, rows_svg

MOST_ROWS = 8  # of a box; where there are more states, the last row stands for all further ones
ROUNDING = 1e-12  # a probability this near to one is shown as one
MOST_CORNERS = 160  # of a curve
CLICKED = """(event) => {
    const row = event.target.closest("[data-state]");
    const key = event.type === "keydown";
    if (!row || (key && event.key !== "Enter" && event.key !== " ")) return;
    if (key) event.preventDefault();
    if (event.repeat) return;
    const drawing = row.closest("[data-drawing]").dataset.drawing;
    emit([Number(drawing), Number(row.dataset.variable), Number(row.dataset.state)]);
}"""
# The drawing may come after this message, so the function waits for it.
SHOW = """((data, tries) => {
    const show = () => {
        const drawing = document.querySelector(`[data-drawing="${data.drawing}"]`);
        if (!drawing) {
            if (tries-- > 0) requestAnimationFrame(show);
            return;
        }
        // A message that has waited may be older than one that has not.
        if (Number(drawing.dataset[data.kind] || 0) >= data.number) return;
        const find = (id) => drawing.querySelector(`[id="${id}"]`);
        for (const [at, kind] of data.boxes || []) find("box-" + at).setAttribute("class", "box " + kind);
        for (const [at, kind] of data.lines || []) find("line-" + at).setAttribute("class", "edge " + kind);
        for (const [at, share, text, kind] of data.rows || []) {
            const bar = find("bar-" + at);
            bar.style.width = share * bar.dataset.room + "px";
            find("value-" + at).textContent = text;
            const row = find("row-" + at);
            row.setAttribute("class", "row " + kind);
            if (row.dataset.state) row.setAttribute("aria-pressed", kind.includes("chosen"));
        }
        for (const [at, share] of data.approximate || []) {
            const mark = find("approximate-" + at);
            mark.setAttribute("visibility", share === null ? "hidden" : "visible");
            if (share !== null)
                mark.style.transform = `translateX(${share * mark.dataset.room - 1}px)`;
        }
        for (const [at, before, curve, text] of data.curves || []) {
            find("before-" + at).setAttribute("d", before);
            find("curve-" + at).setAttribute("d", curve);
            find("value-" + at + "-0").textContent = text;
        }
        drawing.dataset[data.kind] = data.number;
    };
    show();
})(%s, 120)"""


class Drawing:
    """The drawn network, and the parts of it by which it changes.

    Args:
        network: the network.
        before: its answer with nothing observed, which stays behind the curves of numbers.
    """

    def __init__(self, network: Network, before: ExactPosterior):
        self.network, self.before = network, before
        self.names = list(network.graph)
        self.rows = {name: _rows(network, name) for name in self.names}

    def svg(self) -> str:
        """The whole drawing, without numbers."""
        return rows_svg(self.network.graph, self.rows)

    def change(
        self,
        situation: Situation,
        answer: ExactPosterior,
        explanation: Mapping[str, Any],
        way: Way | None,
    ) -> dict[str, Any]:
        """What the browser shows of the exact answers, as data for `SHOW`.

        Args:
            explanation: the most probable state by variable; empty where it is not shown.
            way: the trail that is lit, if one is.
        """
        return {
            "kind": "shown",
            "boxes": [(at, self._box(name, situation, way)) for at, name in enumerate(self.names)],
            "lines": self._lines(situation, way),
            "rows": [
                row for at, name in enumerate(self.names) for row in self._row(at, name, situation, answer, explanation)
            ],
            "curves": [
                self._curve(at, name, situation, answer) for at, name in enumerate(self.names) if not self.rows[name]
            ],
        }

    def marks(self, approximate: MeanField | None) -> dict[str, Any]:
        """What the browser shows of mean field; None hides it."""
        return {
            "kind": "marked",
            "approximate": [mark for at, name in enumerate(self.names) for mark in self._marks(at, name, approximate)],
        }

    def _marks(self, at: int, name: str, approximate: MeanField | None) -> list[tuple[str, float | None]]:
        """Where the mark of mean field is on each line of a box; None hides it."""
        if approximate is None:
            return [(f"{at}-{place}", None) for place in range(len(self.rows[name]))]
        shares = self._shares(name, [*approximate.marginals[name].values()])
        return [(f"{at}-{place}", share) for place, share in enumerate(shares)]

    def _box(self, name: str, situation: Situation, way: Way | None) -> str:
        kinds = ["seen"] * (name in situation.seen) + ["done"] * (name in situation.done)
        if way:
            kinds += [_kind(way)] * (name in way.nodes) + ["blocking"] * (name in way.blocking)
        return " ".join(kinds)

    def _lines(self, situation: Situation, way: Way | None) -> list[tuple[int, str]]:
        lit = {frozenset(pair) for pair in pairwise(way.nodes)} if way else set()
        lines = []
        for number, (start, end) in enumerate(self.network.graph.edges):
            kinds = ["cut"] * (self.network.graph.is_directed() and end in situation.done)
            if way and frozenset((start, end)) in lit:
                kinds.append(_kind(way))
            lines.append((number, " ".join(kinds)))
        return lines

    def _row(
        self, at: int, name: str, situation: Situation, answer: ExactPosterior, explanation: Mapping[str, Any]
    ) -> list[tuple[str, float, str, str]]:
        states = self.network.states.get(name, ())
        chosen = {**situation.seen, **situation.done}
        lines = []
        for place, share in enumerate(self._shares(name, answer.probabilities.get(name, []))):
            state = self.rows[name][place].state
            of = [states[state]] if state is not None else states[MOST_ROWS - 1 :]
            kinds = ["chosen"] * (name in chosen and chosen[name] in of)
            kinds += ["best"] * (name in explanation and explanation[name] in of)
            lines.append((f"{at}-{place}", share, percent(share), " ".join(kinds)))
        return lines

    def _shares(self, name: str, probabilities: Sequence[float]) -> list[float]:
        """A probability for each line of a box."""
        single = [row for row in self.rows[name] if row.state is not None]
        shares = [float(share) for share in probabilities[: len(single)]]
        return [*shares, float(sum(probabilities[len(single) :]))] if len(single) < len(self.rows[name]) else shares

    def _curve(self, at: int, name: str, situation: Situation, answer: ExactPosterior) -> tuple[int, str, str, str]:
        before = self.before.curves[name]
        fixed = {**situation.seen, **situation.done}
        curve = answer.curves.get(name)
        low, high = before.mean() - 5 * before.std(), before.mean() + 5 * before.std()
        if curve is not None:
            low, high = min(low, curve.mean() - 4 * curve.std()), max(high, curve.mean() + 4 * curve.std())
        if name in fixed:
            low, high = min(low, fixed[name]), max(high, fixed[name])
        top = max(before.density.max(), curve.density.max() if curve is not None else 0.0)
        frame = _Frame(low, high, float(top))
        if name in fixed:
            line, text = f"M{frame.x(fixed[name]):.1f} {CURVE_HEIGHT:.0f} V0", f"= {fixed[name]:g}"
        else:
            assert curve is not None
            line, text = frame.outline(curve), f"{curve.mean():.1f} ± {curve.std():.1f}"
        return at, frame.outline(before), line, text


class _Frame(NamedTuple):
    """What the room of a curve shows: the range of the number, and densities up to the highest."""

    low: float
    high: float
    top: float

    def x(self, number: Any) -> Any:
        """Where a number is, or numbers are, across the room, in pixels."""
        return (number - self.low) / (self.high - self.low) * CURVE

    def outline(self, curve: Curve) -> str:
        """The area below a density as a path."""
        inside = (curve.points >= self.low) & (curve.points <= self.high)
        step = max(1, int(inside.sum()) // MOST_CORNERS)
        xs, ys = self.x(curve.points[inside][::step]), CURVE_HEIGHT * (1 - curve.density[inside][::step] / self.top)
        corners = " ".join(f"L{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))
        return f"M{xs[0]:.1f} {CURVE_HEIGHT:.1f} {corners} V{CURVE_HEIGHT:.1f} Z" if len(xs) else ""


def message(data: Mapping[str, Any], drawing: int, number: int) -> str:
    """JavaScript that shows a change in the drawing of this number; `number` counts the changes."""
    # In a script, "<" could only stand in a text; it is written so that no text ends the script.
    text = json.dumps({**data, "drawing": drawing, "number": number}).replace("<", "\\u003c")
    return SHOW % text


def percent(share: float) -> str:
    """A probability in per cent; only zero and one are shown as 0% and 100%."""
    if share == 0.0 or 1.0 - share < ROUNDING:
        return f"{share:.0%}"
    if share < 0.0005:
        return "< 0.1%"
    return "> 99.9%" if share >= 0.9995 else f"{share:.1%}"


def _rows(network: Network, name: str) -> list[Row]:
    """The lines of a variable's box; where there are many states, the last ones share a line."""
    states = network.states.get(name, ())
    if len(states) <= MOST_ROWS:
        return [Row(str(state), at) for at, state in enumerate(states)]
    first = [Row(str(state), at) for at, state in enumerate(states[: MOST_ROWS - 1])]
    return [*first, Row(f"{len(states) - len(first)} others", None)]


def _kind(way: Way) -> str:
    return "active" if way.active else "blocked"
